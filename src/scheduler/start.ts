/** Starts a scheduler as kube-scheduler does: from a client, informers and a configuration. */
import { Pod } from "../api/core/pods.ts";
import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import type { Client } from "../client/client.ts";
import type { EventRecorder } from "../client/events/event-recorder.ts";
import { SeriesEventRecorder } from "../client/events/series-event-recorder.ts";
import type { Informers } from "../client/informer/informers.ts";
import type { ResourceKind } from "../client/resource-client.ts";
import { Cache } from "./cache/cache.ts";
import { DEFAULT_CONFIGURATION, type SchedulerConfiguration } from "./configuration/configuration.ts";
import { startProfiles } from "./configuration/start-profiles.ts";
import { Decisions } from "./decisions/decisions.ts";
import { type Explanation, explain } from "./decisions/explanation.ts";
import { openExtenders } from "./extenders/extenders.ts";
import { followCluster } from "./follow-cluster.ts";
import type { PluginDeclaration } from "./framework/plugin.ts";
import type { Profile } from "./framework/profile.ts";
import { PermitWaits } from "./framework/waiting-pods.ts";
import { SchedulerMetrics } from "./metrics.ts";
import { plugins as allPlugins } from "./plugins/index.ts";
import { SchedulingQueue } from "./queue/scheduling-queue.ts";
import { Scheduler, type SchedulerParts } from "./scheduler.ts";
import { StatusWriter } from "./status-writer.ts";

export interface SchedulerOptions {
  /** Acts as system:kube-scheduler. */
  client: Client;
  /** May be shared with other components of the process; not stopped by the scheduler. */
  informers: Informers;
  clock: Clock;
  random: Random;
  configuration?: SchedulerConfiguration;
  /** By default all of Kubernetes'. */
  plugins?: readonly PluginDeclaration[];
  /** Names the machine in events. */
  hostname?: string;
  /** Milliseconds with fractions, for durations alone. */
  elapsed?: () => number;
  log: SchedulerParts["log"];
}

export interface RunningScheduler {
  readonly decisions: Decisions;
  readonly metrics: SchedulerMetrics;
  /** What it knows of a pod, for whoever serves DECISIONS_PATH. */
  explain(below: string): Explanation | undefined;
  /** Resolves when it knows everything that was there, and has begun. */
  readonly ready: Promise<void>;
  /** Begins no more cycles, and waits for those under way. */
  stop(): Promise<void>;
}

/** Upstream's podMaxInUnschedulablePodsDuration. */
const LONGEST_UNSCHEDULABLE = 5 * 60_000;

export function startScheduler(options: SchedulerOptions): RunningScheduler {
  const { client, informers, clock, random, log, hostname = "kybern" } = options;
  const { configuration = DEFAULT_CONFIGURATION, plugins = allPlugins } = options;
  const cache = new Cache();
  const permits = new PermitWaits(clock);
  const metrics = new SchedulerMetrics();
  const decisions = new Decisions(clock);
  const recorders = new Map<string, EventRecorder>();
  const eventsOf = (controller: string): EventRecorder => {
    let recorder = recorders.get(controller);
    if (!recorder) {
      const instance = `${controller}-${hostname}`;
      recorder = new SeriesEventRecorder({ client, controller, instance, clock });
      recorders.set(controller, recorder);
    }
    return recorder;
  };
  const extenders = openExtenders(configuration, (extender, error) =>
    log("warn", "an extender failed and was left out", { extender, error: String(error) }),
  );
  const profiles = startProfiles(configuration, plugins, (profile) => ({
    client,
    informers,
    clock,
    random,
    events: eventsOf(profile),
    nodes: cache,
    waiting: permits,
    reconsider: (uid) => queue.reconsider(uid),
    extenders,
    profile,
  }));
  let ready = false;
  const queue: SchedulingQueue = new SchedulingQueue({
    clock,
    profiles,
    firstBackoff: configuration.podInitialBackoff,
    longestBackoff: configuration.podMaxBackoff,
    longestUnschedulable: LONGEST_UNSCHEDULABLE,
    ready: () => ready && scheduler.wake(),
    nominated: (node) => cache.get(node)?.changed(),
    incoming: (to, event) => metrics.cameIn(to, event),
  });
  metrics.follow(queue);
  const pods = informers.of(Pod).lister;
  const status = new StatusWriter({
    client,
    clock,
    latest({ metadata: { namespace = "", name = "", uid } }) {
      const pod = pods.get(namespace, name);
      return pod?.metadata.uid === uid && !pod?.spec?.nodeName ? pod : undefined;
    },
    failed: ({ metadata }, error) =>
      log("warn", "a pod's status could not be written", {
        pod: `${metadata.namespace}/${metadata.name}`,
        error: error instanceof Error ? error.message : String(error),
      }),
  });
  const scheduler = new Scheduler({
    cache,
    queue,
    profiles,
    pods,
    permits,
    extenders,
    status,
    eventsOf,
    decisions,
    metrics,
    clock,
    random,
    elapsed: options.elapsed ?? (() => performance.now()),
    log,
  });
  const resources = asked(profiles);
  const cluster = followCluster({ informers, cache, queue, permits, profiles, resources });
  return {
    decisions,
    metrics,
    explain: (below) => explain({ decisions, queue, pods, profiles }, below),
    ready: cluster.synced.then(() => {
      ready = true;
      scheduler.wake();
    }),
    async stop() {
      ready = false;
      cluster.stop();
      queue.close();
      permits.close();
      await scheduler.stop();
      await status.close();
      extenders?.close();
    },
  };
}

/** The resources that some plugin wants to be told of. */
function* asked(profiles: ReadonlyMap<string, Profile>): Generator<ResourceKind> {
  for (const { hinted } of profiles.values()) yield* hinted;
}
