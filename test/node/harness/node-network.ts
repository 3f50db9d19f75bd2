/**
 * The network of one node as a process of its own, to be started in a network namespace:
 *
 *   node node-network.ts '{"socket":…}'     (NodeNetworkRun)
 *
 * It acts as this node, with no rights but a node's. It writes a line for each part that is ready, and ends with SIGTERM.
 */

import { systemClock } from "../../../src/base/clock.ts";
import { openClient } from "../../../src/client/client.ts";
import { Informers } from "../../../src/client/informer/informers.ts";
import { connectionOf } from "../../../src/client/kubeconfig/connection.ts";
import { HTTPSTransport } from "../../../src/client/transports/https-transport.ts";
import { logLine } from "../../../src/main/log.ts";
import type { DNSOptions } from "../../../src/network/dns/dns-options.ts";
import { cleanUpDNS, startDNS } from "../../../src/network/dns/start-dns.ts";
import type { OverlayOptions } from "../../../src/network/overlay/overlay-options.ts";
import { cleanUpOverlay, startOverlay } from "../../../src/network/overlay/start-overlay.ts";
import { relay } from "./relay.ts";

export interface NodeNetworkRun {
  /** Leads to the API server. */
  socket: string;
  kubeconfig: string;
  /** Takes away what former ones made, and starts nothing. */
  cleanUp?: boolean;
  overlay?: Pick<OverlayOptions, "nodeName" | "nodeIPs" | "clusterCIDRs" | "cniConfDir" | "runDir" | "names">;
  dns?: Pick<
    DNSOptions,
    "nodeName" | "nodeIPs" | "clusterCIDRs" | "clusterDNS" | "clusterDomain" | "resolvConf" | "names"
  >;
}

const run = JSON.parse(process.argv[2] ?? "") as NodeNetworkRun;
const { port } = await relay({ port: 0, host: "127.0.0.1" }, { path: run.socket });
const connection = await connectionOf(run.kubeconfig);
const transport = new HTTPSTransport({
  ...connection,
  clock: systemClock,
  server: `https://127.0.0.1:${port}`,
});
const nodeName = run.overlay?.nodeName ?? run.dns?.nodeName;
const asNode = { "impersonate-user": `system:node:${nodeName}`, "impersonate-group": "system:nodes" };
const client = openClient({
  request: (request) => transport.request({ ...request, headers: { ...request.headers, ...asNode } }),
  stream: (request) => transport.stream({ ...request, headers: { ...request.headers, ...asNode } }),
  close: () => transport.close(),
});
const failed = (_: unknown, error: unknown): void => logLine("warn", String(error));
const informers = new Informers({ client, clock: systemClock, random: Math.random, failed });
const ports = { client, informers, clock: systemClock, random: Math.random, log: logLine };
if (run.cleanUp && run.overlay) await cleanUpOverlay(run.overlay);
if (run.cleanUp && run.dns) await cleanUpDNS(run.dns);
const overlay = run.overlay && !run.cleanUp ? startOverlay({ ...ports, ...run.overlay }) : undefined;
if (run.cleanUp) process.stdout.write("clean\n");
void overlay?.ready.then(() => process.stdout.write("overlay\n"));
const dns = run.dns && !run.cleanUp ? startDNS({ ...ports, ...run.dns }) : undefined;
void dns?.ready.then(() => process.stdout.write("dns\n"));
process.once("SIGTERM", async () => {
  await Promise.all([overlay?.stop(), dns?.stop()]);
  process.exit(0);
});
