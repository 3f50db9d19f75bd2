/** What runs beside the API server in its process, in the order in which it is started; it ends in the opposite one. */
import type { UsageStore } from "../addons/metrics/usage-store.ts";
import type { APIServer } from "../apiserver/api-server.ts";
import type { Clock } from "../base/clock.ts";
import { NODE_COMPONENTS } from "../cli/node-flags.ts";
import type { ServerRun } from "../cli/verbs/server.ts";
import type { StatusBoard } from "../cluster/cluster-status.ts";
import type { Layout } from "../cluster/layout.ts";
import type { PKI } from "../cluster/pki/ensure-pki.ts";
import { DECISIONS_PATH } from "../scheduler/decisions/explanation.ts";
import { LeaderElections } from "./leader-elections.ts";
import { logLine } from "./log.ts";

export interface Components {
  /** Resolves when pods can be made in the default namespace. */
  ready: Promise<void> | undefined;
  /** Rejects where a component cannot do its work any more. */
  failed: Promise<never> | undefined;
  renew(pki: PKI): void;
  stop(): Promise<void>;
}

export interface ComponentsRun {
  server: APIServer;
  pki: PKI;
  clock: Clock;
  run: ServerRun;
  layout: Layout;
  board: StatusBoard;
  /** What the metrics API tells, to be collected. */
  usage: UsageStore;
}

export async function startComponents(options: ComponentsRun): Promise<Components> {
  const { server, pki, clock, run, layout, board, usage } = options;
  const { handler } = server;
  const elections = run.leaderElect ? new LeaderElections(clock, logLine) : undefined;
  if (elections) server.addMetrics(() => elections.exposition());
  const controllers = run.components.includes("controllers")
    ? (await import("./run-controllers.ts")).runControllers(handler, pki, clock, run, elections)
    : undefined;
  if (controllers) {
    server.addMetrics(controllers.exposition);
    board.set("controllers", "running");
  }
  const informers = controllers?.informers;
  const scheduler = run.components.includes("scheduler")
    ? (await import("./run-scheduler.ts")).runScheduler({
        handler,
        pki,
        clock,
        informers,
        config: run.schedulerConfig,
        elections,
      })
    : undefined;
  if (scheduler) {
    server.addMetrics(scheduler.exposition);
    server.addDocuments(DECISIONS_PATH, scheduler.explain);
    board.set("scheduler", "running");
  }
  const components = new Set(NODE_COMPONENTS.filter((name) => run.components.includes(name)));
  // A cluster with nodes that run containers wants what makes them comfortable.
  const addons =
    run.components.includes("addons") || components.size > 0
      ? (await import("./run-addons.ts")).startAddons({ handler, pki, clock, run, layout, informers })
      : undefined;
  if (addons) board.set("addons", "running");
  const simulation =
    run.simulateNodes > 0
      ? (await import("./run-simulation.ts")).simulateNodes(handler, pki, run.simulateNodes, informers, board)
      : undefined;
  const node =
    components.size > 0
      ? (await import("./node/own-node.ts")).startOwnNode({
          ...{ handler, pki, clock, run, layout, board, informers, components },
          configuration: await (await import("./node/kubelet-configuration.ts")).openKubeletConfiguration(
            run.node,
          ),
        })
      : undefined;
  if (node) server.addMetrics(node.exposition);
  const metrics = (await import("./run-metrics.ts")).collectMetrics({
    ...{ handler, pki, clock, informers, usage },
  });
  return {
    ready: controllers?.ready,
    failed: elections?.failed,
    renew(fresh) {
      controllers?.renew(fresh);
      scheduler?.renew(fresh);
      addons?.renew(fresh);
      node?.renew(fresh);
      metrics.renew(fresh);
    },
    async stop() {
      await metrics.stop();
      await simulation?.stop();
      await node?.stop();
      await addons?.stop();
      await scheduler?.stop();
      await controllers?.stop();
    },
  };
}
