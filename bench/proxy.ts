/**
 * How long Services take to the kernel: a proxy that starts among many, one more Service, one endpoint more or less. In a
 * network namespace of its own, from the API server's answer to nft's.
 *
 *     node bench/proxy.ts [--services N] [--endpoints N] [--rounds N]
 *     node bench/proxy.ts --chains      what the same Services take as a chain for each, and one for each endpoint
 */

import { parseArgs } from "node:util";
import { systemClock } from "../src/base/clock.ts";
import { Informers } from "../src/client/informer/informers.ts";
import { type RunCommand, runCommand } from "../src/host/command.ts";
import { openNft } from "../src/host/nftables/nft.ts";
import { startProxy } from "../src/network/proxy/start-proxy.ts";
import { type Client, EndpointSlice, Node, Service, startCluster } from "../src/testing/index.ts";
import { namespaceSysctls } from "../test/node/harness/namespace-sysctls.ts";

const { values } = parseArgs({
  options: {
    services: { type: "string", default: "10000" },
    endpoints: { type: "string", default: "2" },
    rounds: { type: "string", default: "15" },
    chains: { type: "boolean", default: false },
  },
});
const [count, perService, rounds] = [values.services, values.endpoints, values.rounds].map(Number) as [
  number,
  number,
  number,
];
const AT_ONCE = 64;
const NODE = "node-1";
const NAMESPACE = `kybern-bench-${process.pid}`;
const run: RunCommand = (command, args, options) =>
  runCommand("ip", ["netns", "exec", NAMESPACE, command, ...args], options);

// The first of the range are the API server's and others of its own.
const serviceIP = (i: number): string => `10.${97 + (i >> 16)}.${(i >> 8) & 255}.${i & 255}`;
const endpointIP = (i: number, j: number): string => `10.${100 + j}.${(i >> 8) & 255}.${i & 255}`;
const endpointsOf = (i: number, n: number) =>
  Array.from({ length: n }, (_, j) => ({
    addresses: [endpointIP(i, j)],
    nodeName: j === 0 ? NODE : "node-2",
    conditions: { ready: true },
  }));

async function write(client: Client, i: number): Promise<void> {
  const name = `service-${i}`;
  await Promise.all([
    client.resource(Service, "default").create({
      metadata: { name },
      spec: { clusterIP: serviceIP(i), ports: [{ port: 80, protocol: "TCP" }] },
    }),
    client.resource(EndpointSlice, "default").create({
      metadata: { name, labels: { "kubernetes.io/service-name": name } },
      addressType: "IPv4",
      ports: [{ name: "", port: 8080, protocol: "TCP" }],
      endpoints: endpointsOf(i, perService),
    }),
  ]);
}

async function seconds(what: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await what();
  return performance.now() - began;
}

function tell(what: string, times: number[]): void {
  times.sort((a, b) => a - b);
  const at = (share: number): string => times[Math.floor((times.length - 1) * share)]!.toFixed(1);
  console.log(`${what.padEnd(44)} p50 ${at(0.5)} ms, p90 ${at(0.9)} ms, longest ${at(1)} ms`);
}

async function measureProxy(): Promise<void> {
  const cluster = await startCluster({ controllers: false, scheduler: false });
  const { client } = cluster;
  await client.resource(Node).create({ metadata: { name: NODE }, spec: {} });
  for (let i = 1; i <= count; i += AT_ONCE) {
    const some = Array.from({ length: Math.min(AT_ONCE, count - i + 1) }, (_, j) => write(client, i + j));
    await Promise.all(some);
  }
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  const cpu = process.cpuUsage();
  const informers = new Informers({ client, clock: systemClock, random: Math.random });
  const proxy = startProxy({
    informers,
    nodeName: NODE,
    clusterCIDRs: ["10.100.0.0/14"],
    clock: systemClock,
    random: Math.random,
    nft: openNft({ run }),
    run,
    sysctls: namespaceSysctls(run),
    // Each measured change comes alone.
    settings: { minSyncPeriod: 1 },
  });
  const cold = await seconds(() => proxy.ready);
  const { user, system } = process.cpuUsage(cpu);
  console.log(`${count} Services with ${perService} endpoints each`);
  console.log(
    `cold: lists, plan and first transaction        ${cold.toFixed(0)} ms, ${((user + system) / 1000).toFixed(0)} ms of CPU`,
  );
  console.log(
    `memory of proxy and informers                  ${((process.memoryUsage().rss - before) / 2 ** 20).toFixed(0)} MiB`,
  );
  const services = informers.of(Service);
  const slices = informers.of(EndpointSlice);
  const added: number[] = [];
  const changed: number[] = [];
  for (let round = 0; round < rounds; round++) {
    const i = count + 1 + round;
    const name = `service-${i}`;
    await write(client, i);
    added.push(
      await seconds(async () => {
        await services.until(() => services.lister.get("default", name) !== undefined);
        await slices.until(() => slices.lister.get("default", name) !== undefined);
        await proxy.settled();
      }),
    );
    const endpoints = endpointsOf(i, perService + 1);
    const { metadata } = await client
      .resource(EndpointSlice, "default")
      .patch(name, { endpoints }, { type: "merge" });
    changed.push(
      await seconds(async () => {
        await slices.until(() => slices.revision >= Number(metadata.resourceVersion));
        await proxy.settled();
      }),
    );
  }
  tell("one more Service, to the kernel", added);
  tell("one endpoint more, to the kernel", changed);
  await proxy.remove();
  await informers.stop();
  await cluster.stop();
}

async function measureChains(): Promise<void> {
  const nft = openNft({ run });
  const all = Array.from({ length: count }, (_, i) => i);
  const each = Array.from({ length: perService }, (_, j) => j);
  const chains = (i: number): string[] => [
    `add chain ip t s${i}`,
    ...each.flatMap((j) => [
      `add chain ip t e${i}-${j}`,
      `add rule ip t e${i}-${j} ip saddr ${endpointIP(i, j)} meta mark set meta mark or 0x4000`,
      `add rule ip t e${i}-${j} meta l4proto tcp dnat to ${endpointIP(i, j)}:8080`,
    ]),
    `add rule ip t s${i} numgen random mod ${perService} vmap { ${each.map((j) => `${j} : goto e${i}-${j}`).join(", ")} }`,
  ];
  const element = (i: number): string => `${serviceIP(i)} . tcp . 80 : goto s${i}`;
  const whole = [
    "add table ip t",
    "add map ip t services { type ipv4_addr . inet_proto . inet_service : verdict; }",
    "add chain ip t prerouting { type nat hook prerouting priority -100; }",
    "add rule ip t prerouting ip daddr . meta l4proto . th dport vmap @services",
    ...all.flatMap(chains),
    `add element ip t services { ${all.map(element).join(", ")} }`,
  ];
  const cold = await seconds(() => nft.apply(`${whole.join("\n")}\n`));
  console.log(`${count} Services as chains: ${cold.toFixed(0)} ms for the transaction`);
  const times: number[] = [];
  for (let i = count; i < count + rounds; i++) {
    const batch = [...chains(i), `add element ip t services { ${element(i)} }`];
    times.push(await seconds(() => nft.apply(`${batch.join("\n")}\n`)));
  }
  tell("one more Service, to the kernel", times);
}

await runCommand("ip", ["netns", "add", NAMESPACE]);
// In one process nothing else is waited for that would keep it alive.
const alive = setInterval(() => {}, 60_000);
try {
  await (values.chains ? measureChains() : measureProxy());
} finally {
  clearInterval(alive);
  await runCommand("ip", ["netns", "del", NAMESPACE]);
}
