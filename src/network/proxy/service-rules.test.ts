import assert from "node:assert/strict";
import { test } from "node:test";
import type { Service, ServiceSpec } from "../../api/core/service/types.ts";
import type { EndpointSlice } from "../../api/discovery/endpoint-slice.ts";
import { type ProxyFacts, planService, type ServicePlan } from "./service-rules.ts";

const FACTS: ProxyFacts = {
  nodeName: "n1",
  zone: undefined,
  nodeIPs: ["192.0.2.1"],
  clusterCIDRs: { 4: ["10.244.0.0/16"], 6: [] },
};

const service = (spec: Partial<ServiceSpec>, more: Partial<Service> = {}): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { namespace: "ns", name: "web" },
  spec: { type: "ClusterIP", clusterIP: "10.96.0.20", ports: [{ port: 80, protocol: "TCP" }], ...spec },
  ...more,
});

/** Addresses on this node, but for those that end with `!`. */
const slices = (...addresses: string[]): EndpointSlice[] => [
  {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: "web" },
    addressType: "IPv4",
    ports: ["TCP", "UDP"].map((protocol) => ({ name: "", port: 8080, protocol })),
    endpoints: addresses.map((address) => ({
      addresses: [address.replace("!", "")],
      nodeName: address.endsWith("!") ? "n2" : "n1",
    })),
  },
];

const elements = (plan: ServicePlan | undefined, set: string): string[] =>
  [...(plan?.parts.elements?.get(set) ?? [])].map(([key, value]) =>
    value === "" ? key : `${key} : ${value}`,
  );

test("an ordinary service is elements, and chains that it shares with all of so many endpoints", () => {
  const plan = planService(service({}), slices("10.244.0.2!", "10.244.0.1"), FACTS);
  assert.deepEqual(elements(plan, "service-ips4"), ["10.96.0.20 . tcp . 80 : goto lb4-tcp-2"]);
  assert.deepEqual(elements(plan, "endpoints4-tcp"), [
    "10.96.0.20 . 80 . 0 : 10.244.0.1 . 8080",
    "10.96.0.20 . 80 . 1 : 10.244.0.2 . 8080",
  ]);
  assert.deepEqual(elements(plan, "hairpin4"), ["10.244.0.1 . 10.244.0.1"], "of this node's own");
  assert.deepEqual([...plan!.parts.chains!.keys()], ["lb4-tcp-2"]);
  const [rule] = plan!.parts.chains!.get("lb4-tcp-2")!.rules;
  assert.equal(rule, "dnat ip to ip daddr . tcp dport . numgen random mod 2 map @endpoints4-tcp");
});

test("services without a cluster IP, and those of other proxies, are no concern", () => {
  for (const spec of [
    { type: "ExternalName", clusterIP: undefined },
    { clusterIP: "None" },
    { clusterIP: "" },
  ]) {
    assert.equal(planService(service(spec), [], FACTS), undefined);
  }
  const labels = { "service.kubernetes.io/service-proxy-name": "" };
  assert.equal(planService(service({}, { metadata: { name: "web", labels } }), [], FACTS), undefined);
});

test("no endpoint anywhere is refused, and none here under the policy Local is dropped", () => {
  const none = planService(service({ type: "NodePort", ports: [{ port: 80, nodePort: 30080 }] }), [], FACTS);
  assert.deepEqual(elements(none, "no-endpoints4"), ["10.96.0.20 . tcp . 80 : goto reject-it"]);
  assert.deepEqual(elements(none, "no-endpoint-nodeports4"), ["tcp . 30080 : goto reject-it"]);
  assert.deepEqual(elements(none, "service-ips4"), []);
  const local = service({
    type: "LoadBalancer",
    externalTrafficPolicy: "Local",
    healthCheckNodePort: 30999,
    ports: [{ port: 80, nodePort: 30080 }],
  });
  const elsewhere = planService(local, slices("10.244.0.2!"), FACTS);
  assert.deepEqual(elements(elsewhere, "no-endpoint-nodeports4"), ["tcp . 30080 : drop"]);
  assert.deepEqual(elements(elsewhere, "no-endpoints4"), []);
  assert.deepEqual(elsewhere?.noLocal, { internal: 0, external: 1 });
  assert.deepEqual(elsewhere?.health, { port: 30999, localEndpoints: 0 });
  assert.deepEqual(planService(local, slices("10.244.0.1", "10.244.0.2!"), FACTS)?.health, {
    port: 30999,
    localEndpoints: 1,
  });
});

test("traffic from outside is masqueraded under the policy Cluster, and under Local only from the node itself", () => {
  const ports = [{ port: 80, nodePort: 30080 }];
  const cluster = planService(
    service({ type: "NodePort", ports, externalIPs: ["198.51.100.9"] }),
    slices("10.244.0.1"),
    FACTS,
  );
  const { chains } = cluster!.parts;
  assert.equal(chains!.get("masq4-tcp-1")!.rules[0], "jump mark-for-masquerade");
  assert.equal(chains!.get("nodeport4-tcp-1")!.rules[0], "jump mark-for-masquerade");
  assert.deepEqual(elements(cluster, "nodeports4"), ["tcp . 30080 : goto nodeport4-tcp-1"]);
  const spec = { type: "NodePort", ports, externalTrafficPolicy: "Local" };
  const local = planService(service(spec), slices("10.244.0.1", "10.244.0.2!"), FACTS);
  const [external] = [...local!.parts.chains!].find(([name]) => name.startsWith("external"))!;
  assert.deepEqual(elements(local, "nodeports4"), [`tcp . 30080 : goto ${external}`]);
  const rules = local!.parts.chains!.get(external)!.rules.map((rule) => rule.replace(/4-[0-9a-f]+/, "*"));
  assert.deepEqual(rules, [
    "ip saddr 10.244.0.0/16 goto service*",
    "fib saddr type local jump mark-for-masquerade",
    "fib saddr type local goto service*",
    "goto local*",
  ]);
});

test("session affinity remembers clients by endpoint, for as long as it says", () => {
  const sticky = (timeoutSeconds?: number) =>
    planService(
      service({ sessionAffinity: "ClientIP", sessionAffinityConfig: { clientIP: { timeoutSeconds } } }),
      slices("10.244.0.1", "10.244.0.2"),
      FACTS,
    )!;
  const { sets } = sticky().parts;
  assert.equal(sets!.size, 2);
  for (const { definition } of sets!.values())
    assert.match(definition, /flags dynamic,timeout; timeout 10800s;/);
  const names = (plan: ServicePlan) => [...plan.parts.sets!.keys()].sort();
  assert.notDeepEqual(names(sticky(10)), names(sticky(20)), "a set cannot be given another timeout");
  assert.deepEqual(names(sticky(10)), names(sticky(10)));
});

test("load balancers are served at addresses that are not a proxy's, and firewalled where they name ranges", () => {
  const status = {
    loadBalancer: { ingress: [{ ip: "198.51.100.7" }, { ip: "198.51.100.8", ipMode: "Proxy" }] },
  };
  const spec = {
    type: "LoadBalancer",
    loadBalancerSourceRanges: ["192.0.2.0/24", "10.1.2.3/8", "fd00::/64"],
  };
  const plan = planService(service(spec, { status }), slices("10.244.0.1"), FACTS);
  assert.deepEqual(elements(plan, "service-ips4"), [
    "10.96.0.20 . tcp . 80 : goto lb4-tcp-1",
    "198.51.100.7 . tcp . 80 : goto masq4-tcp-1",
  ]);
  const [[key, verdict]] = [...plan!.parts.elements!.get("firewalls4")!] as [[string, string]];
  assert.equal(key, "198.51.100.7 . tcp . 80");
  assert.deepEqual(plan!.parts.chains!.get(verdict.replace("goto ", ""))!.rules, [
    "ip saddr 10.0.0.0/8 accept",
    "ip saddr 192.0.2.0/24 accept",
    "ip saddr 198.51.100.7 accept",
    "drop",
  ]);
  const others = service({ ...spec, loadBalancerSourceRanges: ["fd00::/64"] }, { status });
  assert.equal(planService(others, slices("10.244.0.1"), FACTS)!.parts.elements!.has("firewalls4"), false);
});

test("datagram ports tell where their flows may go", () => {
  const spec = { type: "NodePort", ports: [{ port: 53, protocol: "UDP", nodePort: 30053 }] };
  const plan = planService(service(spec), slices("10.244.0.1"), FACTS);
  assert.deepEqual(
    plan?.datagrams.map(({ address, port, endpoints }) => [address, port, [...endpoints]]),
    [
      ["10.96.0.20", 53, ["10.244.0.1 . 8080"]],
      [undefined, 30053, ["10.244.0.1 . 8080"]],
    ],
  );
});

test("texts of addresses that are not canonical are, so that no element comes twice", () => {
  const spec = { externalIPs: ["198.051.100.009", "198.51.100.9", "nonsense"] };
  const plan = planService(service(spec), slices("10.244.0.1"), FACTS);
  assert.deepEqual(elements(plan, "service-ips4").slice(1), ["198.51.100.9 . tcp . 80 : goto masq4-tcp-1"]);
});

test("a load balancer on the node's own address serves its loopback too, and only the ports that it says", () => {
  const ports = [80, 6443].map((port) => ({ name: `p${port}`, port, protocol: "TCP" }));
  const ingress = [
    { ip: "192.0.2.1", ipMode: "VIP", ports: [{ port: 80, protocol: "TCP" }] },
    { ip: "192.0.2.9" },
  ];
  const status = { loadBalancer: { ingress } };
  const own = service({ type: "LoadBalancer", ports }, { status });
  const [slice] = slices("10.244.0.1");
  slice!.ports = ports.map(({ name }) => ({ name, port: 8080, protocol: "TCP" }));
  const plan = planService(own, [slice!], FACTS);
  assert.deepEqual(elements(plan, "service-ips4").sort(), [
    "10.96.0.20 . tcp . 6443 : goto lb4-tcp-1",
    "10.96.0.20 . tcp . 80 : goto lb4-tcp-1",
    "127.0.0.1 . tcp . 80 : goto masq4-tcp-1",
    "192.0.2.1 . tcp . 80 : goto masq4-tcp-1",
    "192.0.2.9 . tcp . 6443 : goto masq4-tcp-1",
    "192.0.2.9 . tcp . 80 : goto masq4-tcp-1",
  ]);
  assert.equal(plan?.fromLoopback, true);
});

test("the loopback is routed for node ports, and for load balancers on the node, but not for others", () => {
  const fromLoopback = (spec: Partial<ServiceSpec>, ip?: string): boolean | undefined =>
    planService(service(spec, ip ? { status: { loadBalancer: { ingress: [{ ip }] } } } : {}), [], FACTS)
      ?.fromLoopback;
  assert.equal(fromLoopback({}), false);
  assert.equal(fromLoopback({ type: "LoadBalancer" }, "192.0.2.9"), false);
  assert.equal(fromLoopback({ type: "LoadBalancer" }, "192.0.2.1"), true);
  assert.equal(fromLoopback({ type: "NodePort", ports: [{ port: 80, nodePort: 30_080 }] }), true);
});
