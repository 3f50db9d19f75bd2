/**
 * kube-proxy: keeps nftables as the Services and EndpointSlices say.
 *
 *   informers ─▶ which services changed ─▶ planService ─▶ claims ─▶ one transaction ─▶ stale flows, health, figures
 */
import { randomBytes } from "node:crypto";
import { availableParallelism } from "node:os";
import { Node } from "../../api/core/node.ts";
import { Pod } from "../../api/core/pods.ts";
import { Service } from "../../api/core/services.ts";
import { EndpointSlice } from "../../api/discovery/endpoint-slice.ts";
import { ServiceCIDR } from "../../api/networking/service-cidr.ts";
import { MetricSet } from "../../base/metrics/metric-set.ts";
import { runCommand } from "../../host/command.ts";
import type { Sysctls } from "../../host/links/sysctls.ts";
import { openNft } from "../../host/nftables/nft.ts";
import { openOwnedTable } from "../../host/nftables/owned-table.ts";
import { cidrsByFamily } from "../addresses.ts";
import { TableSync } from "../table-sync.ts";
import { baseRules } from "./base-rules.ts";
import { raiseConntrackSettings } from "./conntrack-settings.ts";
import { ProxyHealth } from "./proxy-health.ts";
import { proxyMetrics } from "./proxy-metrics.ts";
import type { ProxyOptions, ProxySettings, RunningProxy } from "./proxy-options.ts";
import { healthPages, statusPages } from "./proxy-pages.ts";
import { ProxyState } from "./proxy-state.ts";

const DEFAULTS: ProxySettings = {
  table: "kybern-proxy",
  nodePortAddresses: ["primary"],
  minSyncPeriod: 100,
  syncPeriod: 30_000,
};

const SERVICE_NAME = "kubernetes.io/service-name";

export function startProxy(options: ProxyOptions): RunningProxy {
  const { informers, nodeInformers, nodeName, clock, random, run = runCommand, log = () => {} } = options;
  const settings = { ...DEFAULTS, ...options.settings };
  const { nft = openNft({ run }), metrics: set = new MetricSet() } = options;
  const figures = proxyMetrics(set);
  const health = new ProxyHealth(clock);
  const clusterCIDRs = cidrsByFamily(options.clusterCIDRs);
  const table = openOwnedTable({
    nft,
    name: settings.table,
    base: baseRules(clusterCIDRs),
    token: randomBytes(6).toString("hex"),
    refused: (error) => {
      figures.failures.add();
      log("warn", "a change of the proxy's rules was refused and they are made anew", {
        error: error.message,
      });
    },
  });

  const services = informers.of(Service);
  const slices = informers.of(EndpointSlice);
  slices.addIndex("serviceName", ({ metadata }) => serviceOf(metadata) ?? []);
  const nodes = informers.of(Node, { fieldSelector: `metadata.name=${nodeName}` });
  const cidrs = informers.of(ServiceCIDR);
  const pods = nodeInformers?.of(Pod, { fieldSelector: `spec.nodeName=${nodeName}` });
  const used = [services, slices, nodes, cidrs, ...(pods ? [pods] : [])];

  const state = new ProxyState({
    services: services.lister,
    slices: slices.lister,
    table,
    health,
    figures,
    run,
    sysctls: options.sysctls,
    log,
    clock,
    nodeName,
    clusterCIDRs,
    nodePortAddresses: settings.nodePortAddresses,
  });
  const sync = new TableSync({
    table,
    clock,
    random,
    minPeriod: settings.minSyncPeriod,
    checkPeriod: settings.syncPeriod,
    plan: () => state.plan(),
    done: (whole) => state.done(whole),
    failed(error, attempt) {
      figures.failures.add();
      log("error", "the proxy's rules could not be written", { attempt, error: String(error) });
    },
    lost: () => log("warn", "the proxy's rules were removed by somebody else and are made anew"),
  });

  let live = false;
  const changed = (): void => {
    if (!live) return;
    health.queued();
    figures.lastQueued.set(clock.now() / 1000);
    sync.wake();
  };
  const leave = [
    services.subscribe(({ key }) => {
      state.serviceChanged(key);
      changed();
    }),
    slices.subscribe(({ now, was }) => {
      state.sliceChanged(now, [...(serviceOf(now?.metadata) ?? []), ...(serviceOf(was?.metadata) ?? [])]);
      changed();
    }),
    nodes.subscribe(({ now, was }) => {
      health.see(now ? { ...now.metadata, taints: now.spec?.taints } : { deletionTimestamp: "gone" });
      if (state.nodeChanged(now ?? was)) changed();
    }),
    cidrs.subscribe(({ key, now }) => {
      state.cidrChanged(key, now?.spec?.cidrs ?? []);
      changed();
    }),
    ...(pods
      ? [
          pods.subscribe(({ key, now }) => {
            if (state.podChanged(key, now)) changed();
          }),
        ]
      : []),
  ];
  for (const informer of used) informer.start();
  const ready = Promise.all(used.map((informer) => informer.synced)).then(async () => {
    live = true;
    sync.wake();
    await sync.settled();
    // The kernel follows connections from the first rule on that asks for their state.
    await raise(options.sysctls, log);
  });
  const stop = async (): Promise<void> => {
    live = false;
    for (const unsubscribe of leave) unsubscribe();
    await Promise.all([sync.stop(), state.close()]);
  };
  return {
    ready,
    metrics: set,
    healthPages: healthPages(health, (path, code) => {
      (path === "/healthz" ? figures.healthz : figures.livez).of(String(code)).add();
    }),
    statusPages: statusPages(set),
    settled: async () => {
      await ready;
      await sync.settled();
    },
    stop,
    async remove() {
      await stop();
      await table.remove();
    },
  };
}

async function raise(sysctls: Sysctls, log: NonNullable<ProxyOptions["log"]>): Promise<void> {
  const refused = await raiseConntrackSettings(sysctls, availableParallelism());
  if (refused.length > 0) log("info", "the kernel keeps its own limits of connections", { refused });
}

function serviceOf(
  metadata: { namespace?: string; labels?: Record<string, string> } | undefined,
): string[] | undefined {
  const labels = metadata?.labels;
  if (!labels || !Object.hasOwn(labels, SERVICE_NAME)) return undefined;
  return [`${metadata.namespace ?? ""}/${labels[SERVICE_NAME]}`];
}
