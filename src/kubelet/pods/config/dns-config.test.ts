import assert from "node:assert/strict";
import test from "node:test";
import type { Pod, PodSpec } from "../../../api/schema/core.v1.generated.ts";
import { parseResolvConf, podResolver } from "./dns-config.ts";

const cluster = { clusterDNS: ["10.96.0.10"], clusterDomain: "cluster.local" };
const node = parseResolvConf(
  "# a comment\nnameserver 192.0.2.1\nsearch a.example. b.example\noptions rotate\n",
);
const pod = (spec: Partial<PodSpec>): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "p", namespace: "ns" },
  spec: { containers: [], ...spec },
});
const OWN = ["ns.svc.cluster.local", "svc.cluster.local", "cluster.local"];

test("parseResolvConf reads servers, the last search line and options", () => {
  assert.deepEqual(node, {
    servers: ["192.0.2.1"],
    searches: ["a.example", "b.example"],
    options: ["rotate"],
  });
});

for (const [what, spec, expected] of [
  [
    "asks the cluster",
    { dnsPolicy: "ClusterFirst" },
    { servers: ["10.96.0.10"], searches: [...OWN, "a.example", "b.example"], options: ["ndots:5"] },
  ],
  ["asks whom the node asks, in the node's network", { dnsPolicy: "ClusterFirst", hostNetwork: true }, node],
  [
    "asks the cluster from the node's network where it says so",
    { dnsPolicy: "ClusterFirstWithHostNet", hostNetwork: true },
    { servers: ["10.96.0.10"], searches: [...OWN, "a.example", "b.example"], options: ["ndots:5"] },
  ],
  ["asks whom the node asks by policy Default", { dnsPolicy: "Default" }, node],
  [
    "adds what the pod says, an option in place of one of its name",
    {
      dnsPolicy: "ClusterFirst",
      dnsConfig: {
        nameservers: ["192.0.2.9", "10.96.0.10"],
        searches: ["own.example"],
        options: [{ name: "ndots", value: "2" }, { name: "edns0" }],
      },
    },
    {
      servers: ["10.96.0.10", "192.0.2.9"],
      searches: [...OWN, "a.example", "b.example", "own.example"],
      options: ["ndots:2", "edns0"],
    },
  ],
  [
    "has nothing but what the pod says by policy None",
    { dnsPolicy: "None", dnsConfig: { nameservers: ["192.0.2.9"] } },
    { servers: ["192.0.2.9"], searches: [], options: [] },
  ],
] as const) {
  test(`podResolver ${what}`, () => {
    assert.deepEqual(podResolver(pod(spec as unknown as Partial<PodSpec>), cluster, node), expected);
  });
}

test("podResolver leaves out what C libraries do not take, and says so", () => {
  const nameservers = ["192.0.2.1", "192.0.2.2", "192.0.2.3", "192.0.2.4"];
  const searches = Array.from({ length: 33 }, (_, i) => `s${i}.example`);
  const told: string[] = [];
  const given = pod({ dnsPolicy: "None", dnsConfig: { nameservers, searches } });
  const { servers, searches: kept } = podResolver(given, cluster, node, (message) => told.push(message));
  assert.equal(servers.length, 3);
  assert.equal(kept.length, 32);
  assert.match(told.join("\n"), /^Nameserver limits were exceeded.*\nSearch Line limits were exceeded/);
});
