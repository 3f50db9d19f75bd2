/** Collects what nodes and pods use, for the metrics API that the same server answers. */
import { startCollector } from "../addons/metrics/collector.ts";
import type { UsageStore } from "../addons/metrics/usage-store.ts";
import { Node } from "../api/core/node.ts";
import type { Handler } from "../apiserver/handler.ts";
import { dispatchTo } from "../apiserver/http/dispatch.ts";
import type { Clock } from "../base/clock.ts";
import { openClient } from "../client/client.ts";
import { Informers } from "../client/informer/informers.ts";
import { InProcessTransport } from "../client/transports/in-process-transport.ts";
import { derOf } from "../cluster/pki/certificate.ts";
import type { PKI } from "../cluster/pki/ensure-pki.ts";
import { logLine } from "./log.ts";

export interface MetricsRun {
  handler: Handler;
  pki: PKI;
  clock: Clock;
  /** Those of the controllers, where they run in this process. */
  informers: Informers | undefined;
  usage: UsageStore;
}

export interface RunningMetrics {
  /** Asks with the administrator's new certificate from now on. */
  renew(pki: PKI): void;
  stop(): Promise<void>;
}

/** As the administrator, for it reaches every kubelet. */
export function collectMetrics({ handler, pki, clock, informers, usage }: MetricsRun): RunningMetrics {
  let certificate = { raw: derOf(pki.admin.certificate) };
  const transport = new InProcessTransport(dispatchTo(handler, () => certificate));
  const client = openClient(transport, { userAgent: "kybern-metrics" });
  const random = Math.random;
  const own = informers ? undefined : new Informers({ client, clock, random });
  const nodes = (informers ?? own!).of(Node);
  nodes.start();
  const collector = startCollector({ store: usage, client, nodes, clock, random, log: logLine });
  return {
    renew({ admin }) {
      certificate = { raw: derOf(admin.certificate) };
    },
    async stop() {
      await collector.stop();
      await own?.stop();
      await client.close();
    },
  };
}
