/** Runs controllers over shared informers. One that fails, at its start or ever after, leaves the others alone. */
import type { KubeObject } from "../../api/object.ts";
import type { Clock } from "../../base/clock.ts";
import { MetricSet } from "../../base/metrics/metric-set.ts";
import type { Random } from "../../client/backoff.ts";
import type { Client } from "../../client/client.ts";
import type { EventRecorder } from "../../client/events/event-recorder.ts";
import type { Informer } from "../../client/informer/informer.ts";
import { Informers } from "../../client/informer/informers.ts";
import type { WriteObserver } from "../../client/resource-client.ts";
import { WorkQueue } from "../../client/work-queue/work-queue.ts";
import type { WorkQueueMetrics } from "../../client/work-queue/work-queue-metrics.ts";
import type { Controller, ControllerSettings, Listers } from "./controller.ts";
import { OwnWrites } from "./own-writes.ts";

export interface ControllersOptions {
  /** Reads for the shared informers (upstream: system:kube-controller-manager). */
  client: Client;
  /** A client that acts as the service account of that name in kube-system, and tells of its writes. */
  clientOf: (account: string, wrote: WriteObserver) => Client;
  /** Events in the name of a controller. */
  eventsOf: (controller: string, client: Client) => EventRecorder;
  clock: Clock;
  random: Random;
  settings: ControllerSettings;
  /** The figures of the controllers' queues. */
  metrics?: WorkQueueMetrics;
  /** Takes the figures that controllers keep themselves. */
  figures?: MetricSet;
  log: (level: "info" | "warn" | "error", text: string, facts?: Record<string, unknown>) => void;
}

export interface RunningControllers {
  readonly informers: Informers;
  /** Ends watches and timers, and waits for what is being worked on. */
  stop(): Promise<void>;
}

/** Upstream's program, of which these are the controllers. */
const MANAGER = "kube-controller-manager";

/** Retries that fail this often are worth a line in the log: races with other writers are settled by then. */
const TELL_AFTER = 3;

export function startControllers(
  controllers: readonly Controller[],
  options: ControllersOptions,
): RunningControllers {
  const { client, clock, random, log } = options;
  const stopping = new AbortController();
  const informers = new Informers({
    client,
    clock,
    random,
    failed: ({ plural }, error) => {
      if (!stopping.signal.aborted) log("warn", "a watch failed", { resource: plural, error: textOf(error) });
    },
  });
  const { figures = new MetricSet() } = options;
  const managed = figures.gauge(
    "running_managed_controllers",
    "[BETA] Indicates where instances of a controller are currently running",
    ["name", "manager"],
  );
  const queues: WorkQueue[] = [];
  for (const controller of controllers) {
    try {
      queues.push(start(controller, informers, stopping.signal, { ...options, figures }));
      managed.of(controller.name, MANAGER).set(1);
    } catch (error) {
      log("error", "a controller did not start", { controller: controller.name, error: textOf(error) });
    }
  }
  return {
    informers,
    async stop() {
      stopping.abort();
      await Promise.all([informers.stop(), ...queues.map((queue) => queue.close())]);
    },
  };
}

function start(
  controller: Controller,
  informers: Informers,
  signal: AbortSignal,
  {
    clientOf,
    eventsOf,
    clock,
    random,
    settings,
    metrics,
    figures,
    log,
  }: ControllersOptions & { figures: MetricSet },
): WorkQueue {
  const { name, account, eventSource = name, queue: called, inputs, workers } = controller;
  const own = new OwnWrites();
  // What the inputs do not show by the stop, they never will.
  const stopped = new Promise<void>((resolve) => {
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
  const queue: WorkQueue = new WorkQueue({
    clock,
    workers,
    observer: metrics?.of(called ?? name.replace(/-controller$/, "")),
    async work(key) {
      const seen = own.seen();
      if (seen) await Promise.race([seen, stopped]);
      return signal.aborted ? undefined : reconcile(key);
    },
    failed(key, error, attempt) {
      if (attempt < TELL_AFTER || signal.aborted) return;
      log("warn", "a controller failed and will retry", {
        controller: name,
        key,
        attempt,
        error: textOf(error),
      });
    },
  });
  const used: Informer<never>[] = [];
  const listers: Record<string, unknown> = {};
  for (const [as, { resource, selection, indexes = {} }] of Object.entries(inputs)) {
    const informer = informers.of(resource, selection);
    for (const index of Object.keys(indexes)) informer.addIndex(index, indexes[index]!);
    if (!selection) own.follow(resource, informer as unknown as Informer<KubeObject>);
    used.push(informer as unknown as Informer<never>);
    listers[as] = informer.lister;
  }
  const again = (key: string, after = 0): void => queue.addAfter(key, after);
  const client = clientOf(account, own);
  const events = eventsOf(eventSource, client);
  const context = {
    client,
    events,
    clock,
    random,
    settings,
    metrics: figures,
    informers,
    again,
    signal,
  };
  const reconcile = controller.start(context, listers as Listers<Record<string, never>>);
  for (const [i, { keys }] of Object.values(inputs).entries()) {
    used[i]!.subscribe((change) => {
      for (const key of keys(change)) queue.add(key);
    });
  }
  for (const informer of used) informer.start();
  void Promise.all(used.map(({ synced }) => synced)).then(() => queue.start());
  return queue;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
