import assert from "node:assert/strict";
import { test } from "node:test";
import type { NetworkPolicy } from "../../api/networking/network-policy.ts";
import { planPolicy } from "./policy-rules.ts";

const policy = (spec: NetworkPolicy["spec"], name = "policy"): NetworkPolicy => ({
  apiVersion: "networking.k8s.io/v1",
  kind: "NetworkPolicy",
  metadata: { namespace: "ns", name },
  spec,
});

/** The rules of each direction, with the names of sets shortened to what they are of. */
function rules(spec: NetworkPolicy["spec"]): Record<string, string[]> {
  const { parts } = planPolicy(policy(spec));
  const shown = [...parts.chains].map(([name, chain]) => [
    name.split("-")[1]!,
    chain.rules.map((rule) => rule.replaceAll(/@(pods|ports)-[0-9a-f]+-/g, "@$1-")),
  ]);
  return Object.fromEntries(shown);
}

test("a policy without types is about ingress, and about egress where it has rules for it", () => {
  assert.deepEqual(rules({ podSelector: {} }), { ingress: [] });
  assert.deepEqual(rules({ podSelector: {}, egress: [{}] }), { ingress: [], egress: ["accept"] });
  assert.deepEqual(rules({ podSelector: {}, policyTypes: ["Egress"] }), { egress: [] });
});

test("peers are sets of pods, or ranges less their exceptions", () => {
  const from = [
    { podSelector: { matchLabels: { app: "a" } } },
    { ipBlock: { cidr: "10.1.2.3/8", except: ["10.1.0.0/16", "10.1.2.0/24"] } },
    { ipBlock: { cidr: "::/0", except: ["fd00::/8"] } },
  ];
  assert.deepEqual(rules({ ingress: [{ from }] }), {
    ingress: [
      "ip saddr @pods-4 accept",
      "ip6 saddr @pods-6 accept",
      "ip saddr 10.0.0.0/8 ip saddr != 10.1.0.0/16 accept",
      "meta nfproto ipv6 ip6 saddr != fd00::/8 accept",
    ],
  });
  assert.deepEqual(rules({ policyTypes: ["Egress"], egress: [{ to: [from[0]!] }] }).egress, [
    "ip daddr @pods-4 accept",
    "ip6 daddr @pods-6 accept",
  ]);
});

test("ports of one protocol are one match, without overlaps", () => {
  const ports = [
    { port: 80, protocol: "TCP" },
    { port: 8000, endPort: 8100 },
    { port: 8050, endPort: 8200 },
    { port: 81 },
    { port: 53, protocol: "UDP" },
    { protocol: "SCTP" },
    { port: 9, protocol: "SCTP" },
  ];
  assert.deepEqual(rules({ ingress: [{ ports }] }).ingress, [
    "tcp dport { 80-81, 8000-8200 } accept",
    "udp dport { 53 } accept",
    "meta l4proto sctp accept",
  ]);
});

test("a named port is that of whoever is reached", () => {
  const { uses } = planPolicy(
    policy({ podSelector: { matchLabels: { app: "a" } }, ingress: [{ ports: [{ port: "http" }] }] }),
  );
  const [use] = uses.values();
  assert.deepEqual(use?.port, { name: "http", protocol: "tcp" });
  const labels = { app: "a" };
  const pod = { namespace: "ns", labels, ips: [], local: true, ports: [] };
  assert.equal(use?.group.has(pod, undefined), true);
  assert.equal(use?.group.has({ ...pod, namespace: "other" }, undefined), false);
  const to = [{ namespaceSelector: { matchLabels: { team: "x" } } }];
  const egress = planPolicy(policy({ policyTypes: ["Egress"], egress: [{ to, ports: [{ port: "http" }] }] }));
  const named = [...egress.uses.values()].find(({ port }) => port)!;
  assert.deepEqual([named.group.has(pod, { team: "x" }), named.group.has(pod, { team: "y" })], [true, false]);
  assert.deepEqual(rules({ policyTypes: ["Egress"], egress: [{ ports: [{ port: "http" }] }] }).egress, [
    "ip daddr . meta l4proto . th dport @ports-4 accept",
    "ip6 daddr . meta l4proto . th dport @ports-6 accept",
  ]);
});

test("policies that select alike share their sets, which are of both families", () => {
  const peer = (value: string) => ({ namespaceSelector: {}, podSelector: { matchLabels: { app: value } } });
  const sets = (name: string, value: string) => [
    ...planPolicy(policy({ ingress: [{ from: [peer(value)] }] }, name)).parts.sets.keys(),
  ];
  assert.deepEqual(sets("one", "a"), sets("two", "a"));
  assert.notDeepEqual(sets("one", "a"), sets("one", "b"));
  const block = { ipBlock: { cidr: "10.0.0.0/8" } };
  const { parts } = planPolicy(policy({ ingress: [{ from: [block], ports: [{ port: "http" }] }] }));
  assert.deepEqual(
    [...parts.sets.keys()].map((name) => name.at(-1)),
    ["4", "6"],
  );
});
