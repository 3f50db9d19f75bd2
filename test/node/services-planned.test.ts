/** The proxy's rules in the kernel without an API server: families, ways of changing them, and what others do to them. */
import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import type { EndpointSlice } from "../../src/api/discovery/endpoint-slice.ts";
import { seededRandom } from "../../src/base/random.ts";
import { missingFromNftables } from "../../src/host/nftables/features.ts";
import { openNft } from "../../src/host/nftables/nft.ts";
import { type OwnedTable, openOwnedTable } from "../../src/host/nftables/owned-table.ts";
import { baseRules } from "../../src/network/proxy/base-rules.ts";
import { type ProxyFacts, planService } from "../../src/network/proxy/service-rules.ts";
import type { Service } from "../../src/testing/index.ts";
import { kernelTable } from "./harness/kernel-table.ts";
import { cannotMakeNetworks, makeNetwork, NODE_IP, NODE_IP6, podIP, podIP6 } from "./harness/network.ts";

const options = { skip: cannotMakeNetworks, timeout: 300_000 };
const NODE = "node-1";
const FACTS: ProxyFacts = {
  nodeName: NODE,
  zone: "zone-a",
  nodeIPs: [NODE_IP, NODE_IP6],
  clusterCIDRs: { 4: ["10.244.0.0/16"], 6: ["fd00:10:244::/64"] },
};

function base(): ReturnType<typeof baseRules> {
  const parts = baseRules(FACTS.clusterCIDRs);
  const elements = new Map([
    ["nodeport-ips4", new Map([[NODE_IP, ""]])],
    ["nodeport-ips6", new Map([[NODE_IP6, ""]])],
    ["service-cidrs4", new Map([["10.96.0.0/12", ""]])],
    ["service-cidrs6", new Map([["fd00:10:96::/112", ""]])],
  ]);
  return { ...parts, elements };
}

const service = (name: string, spec: Partial<Service["spec"]>, ingress: string[] = []): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { namespace: "default", name },
  spec: {
    type: "ClusterIP",
    ports: [{ port: 80, protocol: "TCP" }],
    clusterIP: spec.clusterIPs?.[0],
    ...spec,
  },
  status: { loadBalancer: { ingress: ingress.map((ip) => ({ ip })) } },
});

function slices(
  addresses: readonly string[],
  protocol = "TCP",
  elsewhere: readonly string[] = [],
): EndpointSlice[] {
  return (["IPv4", "IPv6"] as const).map((addressType) => ({
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { namespace: "default", name: addressType.toLowerCase() },
    addressType,
    ports: [{ name: "", port: 8080, protocol }],
    endpoints: addresses
      .filter((address) => address.includes(":") === (addressType === "IPv6"))
      .map((address) => ({
        addresses: [address],
        nodeName: elsewhere.includes(address) ? "node-2" : NODE,
        conditions: { ready: true },
      })),
  }));
}

const claim = (table: OwnedTable, given: Service, at: readonly EndpointSlice[]): void =>
  table.claim(`service/${given.metadata.name}`, planService(given, at, FACTS)?.parts);

async function plannedNode(t: TestContext) {
  const network = await makeNetwork(t);
  const nft = openNft({ run: network.run });
  const refused: string[] = [];
  const open = (name: string, token = "test"): OwnedTable =>
    openOwnedTable({ nft, name, base: base(), token, refused: ({ message }) => refused.push(message) });
  return { network, nft, refused, open };
}

test("this machine's nftables can do what is needed, and what cannot says so", options, async (t) => {
  const { nft, network } = await plannedNode(t);
  assert.equal(await missingFromNftables(nft), undefined);
  assert.deepEqual(JSON.parse(await nft.list("tables")).nftables.length, 1, "nothing is left of the trial");
  const old = openNft({
    run: (_command, args, given) => network.run("nft", args, { ...given, input: "add table bogus t" }),
  });
  assert.match((await missingFromNftables(old)) ?? "", /nftables cannot do what is needed here/);
  const none = openNft({ command: ["no-such-program"] });
  assert.match((await missingFromNftables(none)) ?? "", /the program nft cannot be run/);
});

test(
  "a service of both families leads each to its own endpoints, node ports and the address of a pod itself too",
  options,
  async (t) => {
    const { network, open } = await plannedNode(t);
    const [one, two] = await Promise.all([network.pod(11), network.pod(12)]);
    await Promise.all([one.serve("tcp", 8080, "one"), one.serve("udp", 8080, "datagram")]);
    const table = open("test-proxy");
    const clusterIPs = ["10.96.0.20", "fd00:10:96::20"];
    const ports = [{ port: 80, protocol: "TCP", nodePort: 30080 }];
    claim(table, service("web", { type: "NodePort", clusterIPs, ports }), slices([podIP(11), podIP6(11)]));
    const datagrams = [{ port: 53, protocol: "UDP", nodePort: 30053 }];
    claim(
      table,
      service("dns", { type: "NodePort", clusterIPs: ["fd00:10:96::21"], ports: datagrams }),
      slices([podIP6(11)], "UDP"),
    );
    await table.sync();
    assert.equal(await two.ask("10.96.0.20", 80), `one ${podIP(12)}`);
    assert.equal(await two.ask("fd00:10:96::20", 80), `one ${podIP6(12)}`);
    assert.equal(await one.ask("fd00:10:96::20", 80), `one ${podIP6(1)}`, "itself");
    assert.equal(await network.client.ask(NODE_IP6, 30080), `one ${podIP6(1)}`);
    assert.equal(
      await network.client.ask("fd00:10:96::21", 53, { protocol: "udp" }),
      `datagram ${podIP6(1)}`,
    );
    assert.equal(await network.client.ask(NODE_IP6, 30053, { protocol: "udp" }), `datagram ${podIP6(1)}`);
    assert.equal(await two.ask("fd00:10:96::20", 81), "refused");
    assert.equal(await two.askInVain("fd00:10:96::99", 80), "silence");
  },
);

test("external IPs lead to endpoints, and are refused without any", options, async (t) => {
  const { network, open } = await plannedNode(t);
  const one = await network.pod(11);
  await one.serve("tcp", 8080, "one");
  const table = open("test-proxy");
  const web = service("web", { clusterIPs: ["10.96.0.20"], externalIPs: ["198.51.100.9"] });
  claim(table, web, slices([podIP(11)]));
  await table.sync();
  assert.equal(await network.client.ask("198.51.100.9", 80), `one ${podIP(1)}`);
  claim(table, web, slices([]));
  await table.sync();
  assert.equal(await network.client.ask("198.51.100.9", 80), "refused");
});

test(
  "whatever changes came before, the kernel holds what a proxy that starts now would write",
  options,
  async (t) => {
    const { nft, refused, open } = await plannedNode(t);
    for (let seed = 1; seed <= 10; seed++) {
      const random = seededRandom(seed);
      const warm = open("warm", `seed${seed}`);
      const last = new Map<string, { given: Service; at: EndpointSlice[] } | undefined>();
      for (let step = 0; step < 25; step++) {
        const name = `service-${Math.floor(random() * 6)}`;
        const next = random() < 0.2 ? undefined : randomService(name, random);
        last.set(name, next);
        if (next) claim(warm, next.given, next.at);
        else warm.claim(`service/${name}`, undefined);
        if (random() < 0.6) await warm.sync();
      }
      await warm.sync();
      const cold = open("cold", `seed${seed}`);
      for (const [, wanted] of [...last].reverse()) if (wanted) claim(cold, wanted.given, wanted.at);
      assert.equal(await cold.sync(), true);
      assert.deepEqual(await kernelTable(nft, "warm"), await kernelTable(nft, "cold"), `seed ${seed}`);
    }
    assert.deepEqual(refused, [], "differences alone did it");
  },
);

function randomService(name: string, random: () => number): { given: Service; at: EndpointSlice[] } {
  const pick = <T>(...from: T[]): T => from[Math.floor(random() * from.length)]!;
  const number = Number(name.at(-1));
  const both = random() < 0.5;
  const type = pick("ClusterIP", "NodePort", "LoadBalancer");
  const protocol = pick("TCP", "UDP", "SCTP");
  const nodePort = type === "ClusterIP" ? {} : { nodePort: 30000 + number };
  const given = service(
    name,
    {
      type,
      clusterIPs: [`10.96.0.${10 + number}`, ...(both ? [`fd00:10:96::${10 + number}`] : [])],
      ports: [{ port: pick(80, 90), protocol, ...nodePort }],
      // Two services may want the same address, of which one gets it.
      externalIPs: random() < 0.3 ? ["198.51.100.9"] : [],
      sessionAffinity: pick("None", "None", "ClientIP"),
      sessionAffinityConfig: { clientIP: { timeoutSeconds: pick(10, 20) } },
      internalTrafficPolicy: pick("Cluster", "Local"),
      externalTrafficPolicy: type === "ClusterIP" ? undefined : pick("Cluster", "Local"),
      loadBalancerSourceRanges: random() < 0.3 ? ["192.0.2.0/24", "203.0.113.0/25"] : [],
    },
    random() < 0.7 ? [`198.51.100.${20 + number}`] : [],
  );
  const numbers = [11, 12, 13, 14, 15].filter(() => random() < 0.5);
  const addresses = numbers.flatMap((at) => [podIP(at), podIP6(at)]);
  return {
    given,
    at: slices(
      addresses,
      protocol,
      addresses.filter(() => random() < 0.4),
    ),
  };
}

test("what others do to the table is noticed, and the table made anew as one", options, async (t) => {
  const { nft, network, refused, open } = await plannedNode(t);
  const web = service("web", { clusterIPs: ["10.96.0.20"] });
  await nft.apply(
    "add table inet test-proxy\nadd chain inet test-proxy stranger { type filter hook input priority 0; policy drop; }\n",
  );
  const table = open("test-proxy", "first");
  assert.equal(await table.isOurs(), false);
  claim(table, web, slices([podIP(11)]));
  assert.equal(await table.sync(), true);
  assert.equal(await table.isOurs(), true);
  const wanted = await kernelTable(nft, "test-proxy");
  assert.ok(
    wanted.every((line) => !line.includes("stranger")),
    "what was there before is replaced",
  );
  assert.equal(await table.sync(), false, "nothing to do");
  await nft.apply("delete table inet test-proxy\n");
  assert.equal(await table.isOurs(), false);
  // The next difference cannot be written to a table that is gone.
  claim(table, web, slices([podIP(12)]));
  claim(table, web, slices([podIP(11), podIP(12)]));
  assert.equal(await table.sync(), true);
  assert.equal(refused.length, 1);
  const other = open("test-proxy", "second");
  claim(other, web, slices([podIP(11), podIP(12)]));
  await other.sync();
  assert.deepEqual([await table.isOurs(), await other.isOurs()], [false, true]);
  assert.match(await network.run("nft", ["list", "tables"]), /^table inet test-proxy\n$/);
  await other.remove();
  assert.equal(await network.run("nft", ["list", "tables"]), "");
});

test("a batch that the kernel refuses changes nothing, and its line is told", options, async (t) => {
  const { nft, network } = await plannedNode(t);
  const batch = "add table inet a\nadd chain inet a b\nadd rule inet a c accept\n";
  await assert.rejects(nft.apply(batch), { name: "NftError", line: "add rule inet a c accept" });
  await assert.rejects(nft.apply("add table inet a\nadd nonsense\n"), { line: "add nonsense" });
  assert.equal(await network.run("nft", ["list", "tables"]), "");
});
