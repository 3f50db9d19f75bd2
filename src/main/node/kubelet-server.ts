/** The kubelet's API of a node, and the logs that it reads. */
import type { Kubelet } from "../../kubelet/kubelet.ts";
import { containerLogManager } from "../../kubelet/logs/rotation.ts";
import { runningLogs } from "../../kubelet/logs/running-logs.ts";
import { startKubeletServer } from "../../kubelet/server/kubelet-server.ts";
import type { KubeletServer } from "../../kubelet/server/options.ts";
import type { KubeletMetrics } from "../../kubelet/stats/kubelet-metrics.ts";
import type { KubeletStats } from "../../kubelet/stats/kubelet-stats.ts";
import { logLine } from "../log.ts";
import { logSettings } from "./configured-parts.ts";
import type { NodeParts } from "./node-parts.ts";

/** What /logs/ shows. */
const SYSTEM_LOGS = "/var/log";
/** Milliseconds after which it is looked whether the certificate nears its end or lacks an address. */
const LOOK = 60 * 60_000;

export async function startNodeServer(
  parts: NodeParts,
  kubelet: Kubelet,
  stats: KubeletStats,
  metrics: KubeletMetrics,
  configuration: () => object,
): Promise<Pick<KubeletServer, "port" | "close">> {
  const { run, runtime, client, addresses } = parts;
  const { node, clock, layout, access } = run;
  const systemLogs = run.configuration.enableSystemLogHandler ? SYSTEM_LOGS : undefined;
  const serverPaths = { podLogs: layout.kubelet.podLogs, systemLogs };
  const server = await startKubeletServer({
    nodeName: node.name,
    address: "0.0.0.0",
    port: node.kubeletPort,
    certificate: await access.servingPair(addresses()),
    clientCA: access.clientCA(),
    ...{ client, clock, pods: kubelet.pods, runtime: runtime.calls, paths: serverPaths },
    documents: {
      summary: (onlyCPUAndMemory) => stats.summary(onlyCPUAndMemory),
      metrics: async () => metrics.exposition() + (await stats.volumeMetrics()),
      cadvisorMetrics: () => stats.cadvisorMetrics(),
      resourceMetrics: () => stats.resourceMetrics(),
      probeMetrics: () => kubelet.probeMetrics(),
      configuration,
    },
    containerEnded: (id, signal) => kubelet.containerEnded(id, signal),
    log: logLine,
  });
  const rotation = containerLogManager({
    runtime: runtime.calls,
    running: () => runningLogs(kubelet.pods, layout.kubelet.podLogs),
    ...logSettings(run.configuration),
    clock,
    log: logLine,
  });
  access.servingChanged?.((pair) => server.renew(pair));
  let cancel = (): void => {};
  const look = (): void => {
    cancel = clock.setTimer(LOOK, () => {
      server.trust(access.clientCA());
      access.servingPair(addresses()).then(
        (pair) => server.renew(pair),
        (error: unknown) =>
          logLine("warn", "the kubelet's certificate could not be renewed", { error: String(error) }),
      );
      look();
    });
  };
  look();
  return {
    port: server.port,
    async close() {
      cancel();
      rotation.close();
      await server.close();
    },
  };
}
