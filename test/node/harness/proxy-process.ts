/**
 * A process of its own that runs a proxy and changes endpoints without end, for a test that kills it in the middle:
 * `proxy-process.ts NAMESPACE`.
 */

import { systemClock } from "../../../src/base/clock.ts";
import { Informers } from "../../../src/client/informer/informers.ts";
import { type RunCommand, runCommand } from "../../../src/host/command.ts";
import { openNft } from "../../../src/host/nftables/nft.ts";
import { startProxy } from "../../../src/network/proxy/start-proxy.ts";
import { EndpointSlice, Service, startCluster } from "../../../src/testing/index.ts";
import { namespaceSysctls } from "./namespace-sysctls.ts";

// Its parent keeps it alive, and takes it along.
process.on("disconnect", () => process.exit());
const [, , namespace = ""] = process.argv;
const run: RunCommand = (command, args, options) =>
  runCommand("ip", ["netns", "exec", namespace, command, ...args], options);
const cluster = await startCluster({ controllers: false, scheduler: false });
const { client } = cluster;
const informers = new Informers({ client, clock: systemClock, random: Math.random });
const proxy = startProxy({
  informers,
  nodeName: "node-1",
  clusterCIDRs: ["10.244.0.0/16"],
  clock: systemClock,
  random: Math.random,
  nft: openNft({ run }),
  run,
  sysctls: namespaceSysctls(run),
  settings: { minSyncPeriod: 1 },
});
await proxy.ready;
for (let i = 0; i < 50; i++) {
  const ports = [{ port: 80, protocol: "TCP" }];
  await client
    .resource(Service, "default")
    .create({ metadata: { name: `service-${i}` }, spec: { ports, clusterIP: `10.96.1.${i}` } });
}
const slices = client.resource(EndpointSlice, "default");
await slices.create({
  metadata: { name: "slice", labels: { "kubernetes.io/service-name": "service-0" } },
  addressType: "IPv4",
  ports: [{ name: "", port: 8080, protocol: "TCP" }],
  endpoints: [],
});
const shown = informers.of(Service);
await shown.until(() => shown.lister.get("default", "service-49") !== undefined);
await proxy.settled();
process.send?.("running");
for (let i = 0; ; i++) {
  const endpoints = [{ addresses: [`10.244.9.${i % 250}`] }];
  await slices.patch("slice", { endpoints }, { type: "merge" });
  // The proxy gets its turns.
  await new Promise((resolve) => setImmediate(resolve));
}
