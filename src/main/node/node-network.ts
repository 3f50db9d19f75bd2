/** The network of a node: pods', Services', policies, and the cluster's DNS. */
import { randomInt } from "node:crypto";
import type { Pod } from "../../api/core/pods.ts";
import { openClient } from "../../client/client.ts";
import { Informers } from "../../client/informer/informers.ts";
import { startDNS } from "../../network/dns/start-dns.ts";
import { startOverlay } from "../../network/overlay/start-overlay.ts";
import type { RunningPolicy } from "../../network/policy/policy-options.ts";
import { startPolicy } from "../../network/policy/start-policy.ts";
import { proxySysctls } from "../../network/proxy/conntrack-settings.ts";
import { openServer } from "../../network/proxy/small-server.ts";
import { startProxy } from "../../network/proxy/start-proxy.ts";
import { logLine } from "../log.ts";
import { clusterDNS } from "./cluster-dns.ts";
import { keepTrying } from "./keep-trying.ts";
import type { NodeParts } from "./node-parts.ts";

export interface NodeNetwork {
  /** To be told of a pod's addresses before its containers start; undefined where no policies are enforced. */
  admit: ((pod: Pod, podIPs: readonly string[]) => Promise<void>) | undefined;
  exposition(): string;
  stop(): Promise<void>;
}

/** Where upstream's kube-proxy tells how it does. */
const PROXY_PAGES = [
  { pages: "healthPages", address: { port: 10256 } },
  { pages: "statusPages", address: { host: "127.0.0.1", port: 10249 } },
] as const;

interface Part {
  exposition?(): string;
  stop(): Promise<void>;
}

export async function startNodeNetwork(parts: NodeParts): Promise<NodeNetwork> {
  const { components } = parts.run;
  const begun = await Promise.allSettled([
    components.has("kubelet") ? overlay(parts) : undefined,
    components.has("proxy") ? proxy(parts) : undefined,
    components.has("dns") ? dns(parts) : undefined,
  ]);
  const running = begun.flatMap((one) => (one.status === "fulfilled" && one.value ? [one.value] : []));
  const failure = begun.find((one) => one.status === "rejected");
  if (failure) {
    await Promise.all(running.map((part) => part.stop()));
    throw failure.reason;
  }
  const enforcement = components.has("proxy") ? policy(parts) : undefined;
  if (enforcement) running.push(enforcement);
  return {
    admit: enforcement && ((pod, podIPs) => enforcement.admit(pod, podIPs)),
    exposition: () => running.map((part) => part.exposition?.() ?? "").join(""),
    async stop() {
      await Promise.all(running.map((part) => part.stop()));
    },
  };
}

async function overlay({ run, runtime, client, informers, addresses }: NodeParts): Promise<Part> {
  const { clock, board, node, layout, clusterCIDRs, access } = run;
  board.set("pod network", "starting");
  const started = startOverlay({
    client,
    // The control plane's show everything already.
    informers: access.informers ?? informers,
    clock,
    log: logLine,
    nodeName: node.name,
    nodeIPs: addresses(),
    clusterCIDRs,
    cniConfDir: runtime.cniConfDir,
    runDir: layout.runDir,
  });
  void started.ready.then(() => board.set("pod network", "running"));
  return started;
}

async function proxy({ run, informers, failed }: NodeParts): Promise<Part> {
  const { clock, board, node, clusterCIDRs, access, layout } = run;
  board.set("proxy", "starting");
  const client = openClient(access.open("proxy"), { userAgent: "kube-proxy" });
  const own = new Informers({ client, clock, random: Math.random, failed });
  const started = startProxy({
    informers: access.informers ?? own,
    nodeInformers: informers,
    nodeName: node.name,
    clusterCIDRs,
    clock,
    random: Math.random,
    sysctls: proxySysctls(layout.runDir),
    log: logLine,
  });
  void started.ready.then(() => board.set("proxy", "running"));
  const servers = PROXY_PAGES.map(({ pages, address }) => {
    let told = false;
    return keepTrying(
      async () => {
        const { close } = await openServer(started[pages], address);
        return { stop: close };
      },
      clock,
      (error) => {
        if (!told) logLine("warn", "the proxy cannot be asked how it does", { error: error.message });
        told = true;
      },
    );
  });
  return {
    exposition: () => started.metrics.exposition(),
    async stop() {
      await Promise.all(servers.map((server) => server.stop()));
      await started.stop();
      await own.stop();
      await client.close();
    },
  };
}

function policy({ run, informers }: NodeParts): RunningPolicy {
  const { clock, board, node, access } = run;
  board.set("network policies", "starting");
  const started = startPolicy({
    informers: access.informers ?? informers,
    nodeName: node.name,
    clock,
    random: Math.random,
    log: logLine,
  });
  void started.ready.then(() => board.set("network policies", "running"));
  return started;
}

async function dns({ run, client, informers, addresses }: NodeParts): Promise<Part> {
  const { clock, board, node, clusterCIDRs, serviceCIDRs, dnsDomain, access } = run;
  board.set("DNS", "starting");
  const started = startDNS({
    client,
    informers: access.informers ?? informers,
    clock,
    random: secureRandom,
    log: logLine,
    nodeName: node.name,
    nodeIPs: addresses(),
    clusterDomain: dnsDomain,
    clusterDNS: clusterDNS(serviceCIDRs),
    clusterCIDRs,
  });
  void started.ready.then(() => board.set("DNS", "running"));
  return started;
}

/** From 0 to 1, as Math.random, and not to be foretold. */
function secureRandom(): number {
  return randomInt(2 ** 32) / 2 ** 32;
}
