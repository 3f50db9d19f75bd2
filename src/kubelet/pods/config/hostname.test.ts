import assert from "node:assert/strict";
import test from "node:test";
import type { Pod, PodSpec } from "../../../api/schema/core.v1.generated.ts";
import { podHostname } from "./hostname.ts";
import { hostNetworkHostsFile, hostsFile } from "./hosts-file.ts";

const named = (name: string, spec: Partial<PodSpec> = {}): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name, namespace: "ns" },
  spec: { containers: [], ...spec },
});

test("podHostname is the pod's name, cut to what a label holds", () => {
  assert.equal(podHostname(named("web"), "cluster.local").hostname, "web");
  assert.equal(podHostname(named(`${"a".repeat(61)}-.b`), "cluster.local").hostname, "a".repeat(61));
});

test("podHostname is whole where the pod wants it so and its subdomain allows", () => {
  const spec = { hostname: "h", subdomain: "s", setHostnameAsFQDN: true };
  assert.equal(podHostname(named("p", spec), "cluster.local").hostname, "h.s.ns.svc.cluster.local");
  assert.equal(podHostname(named("p", { ...spec, subdomain: "" }), "cluster.local").hostname, "h");
  assert.throws(() => podHostname(named("p", { ...spec, hostname: "h".repeat(60) }), "cluster.local"), {
    reason: "FailedCreatePodSandBox",
    message: /is too long \(64 characters is the max, 83 characters requested\)$/,
  });
});

test("hostsFile names the pod by all its addresses, and adds aliases", () => {
  const text = hostsFile(
    { short: "h", domain: "s.ns" },
    ["10.0.0.1", "fd00::1"],
    [{ ip: "192.0.2.1", hostnames: ["a", "b"] }],
  );
  assert.ok(text.startsWith("# Kubernetes-managed hosts file.\n127.0.0.1\tlocalhost\n"));
  assert.ok(
    text.endsWith(
      "10.0.0.1\th.s.ns\th\nfd00::1\th.s.ns\th\n\n# Entries added by HostAliases.\n192.0.2.1\ta\tb\n",
    ),
  );
});

test("hostNetworkHostsFile begins with the node's own", () => {
  const text = hostNetworkHostsFile("127.0.0.1 localhost\n");
  assert.equal(text, "# Kubernetes-managed hosts file (host network).\n127.0.0.1 localhost\n");
});
