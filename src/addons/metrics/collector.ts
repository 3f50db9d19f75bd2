/**
 * Collects what nodes and pods use from the kubelets, every fifteen seconds, each node at a time of its own; and makes the
 * role by which users may read it.
 */
import type { Node } from "../../api/core/node.ts";
import { ClusterRole } from "../../api/rbac/cluster-role.ts";
import type { NodeStatus } from "../../api/schema/core.v1.generated.ts";
import type { Clock } from "../../base/clock.ts";
import type { Client } from "../../client/client.ts";
import type { Informer } from "../../client/informer/informer.ts";
import { isReason } from "../../client/status.ts";
import { readResourceMetrics } from "./read-resource-metrics.ts";
import type { UsageStore } from "./usage-store.ts";

export interface CollectorOptions {
  store: UsageStore;
  /** May read nodes, reach their kubelets by the API server's proxy, and write cluster roles. */
  client: Client;
  /** Of all nodes; started by whoever made it. */
  nodes: Pick<Informer<Node>, "lister" | "subscribe">;
  /** The text of /metrics/resource of a node; by default asked through the API server. */
  ask?: (node: string, signal: AbortSignal) => Promise<string>;
  /** Whether a node has a kubelet that can be asked; by default, whether it tells its port and is not simulated. */
  hasKubelet?: (node: Node) => boolean;
  clock: Clock;
  random: () => number;
  log?: (level: "info" | "warn" | "error", text: string, facts?: Record<string, unknown>) => void;
}

export interface Collector {
  /** Asks the node now; resolves when its answer is in the store. */
  collect(node: string): Promise<void>;
  stop(): Promise<void>;
}

const PERIOD = 15_000;
const TIMEOUT = 10_000;
/** Looks that may fail before what a node told is taken back. */
const PATIENCE = 2;

const decoder = new TextDecoder();

export function startCollector(options: CollectorOptions): Collector {
  const collector = new RunningCollector(options);
  collector.start();
  return collector;
}

interface Asked {
  cancel: () => void;
  failures: number;
}

class RunningCollector implements Collector {
  private readonly options: CollectorOptions;
  private readonly asked = new Map<string, Asked>();
  private readonly stopping = new AbortController();
  private readonly running = new Set<Promise<void>>();
  private leave = (): void => {};

  constructor(options: CollectorOptions) {
    this.options = options;
  }

  start(): void {
    const { nodes, hasKubelet = isAsked, store } = this.options;
    this.leave = nodes.subscribe(({ key, now }) => {
      const known = this.asked.get(key);
      const wanted = now !== undefined && hasKubelet(now);
      if (wanted && !known) this.begin(key);
      if (wanted || !known) return;
      known.cancel();
      this.asked.delete(key);
      store.remove(key);
    });
    this.track(this.ensureRole());
  }

  async stop(): Promise<void> {
    this.leave();
    for (const { cancel } of this.asked.values()) cancel();
    this.asked.clear();
    this.stopping.abort(new Error("the collector stops"));
    await Promise.allSettled(this.running);
  }

  async collect(node: string): Promise<void> {
    const { store, clock, ask = this.askThroughServer } = this.options;
    const late = new AbortController();
    const cancel = clock.setTimer(TIMEOUT, () => late.abort(new Error("the kubelet did not answer in time")));
    try {
      const text = await ask(node, AbortSignal.any([this.stopping.signal, late.signal]));
      store.add(node, readResourceMetrics(text, clock.now()));
    } finally {
      cancel();
    }
  }

  private begin(node: string): void {
    const asked: Asked = { cancel: () => {}, failures: 0 };
    this.asked.set(node, asked);
    const look = (): void => {
      asked.cancel = this.options.clock.setTimer(PERIOD, look);
      this.track(this.look(node, asked));
    };
    // The first one at once, the next so that not all nodes are asked together.
    this.track(this.look(node, asked));
    asked.cancel = this.options.clock.setTimer(PERIOD * (0.75 + 0.5 * this.options.random()), look);
  }

  private async look(node: string, asked: Asked): Promise<void> {
    const { store, log } = this.options;
    try {
      await this.collect(node);
      asked.failures = 0;
    } catch (error) {
      if (this.stopping.signal.aborted) return;
      asked.failures++;
      if (asked.failures === PATIENCE) {
        store.remove(node);
        log?.("warn", "what a node uses cannot be read; it is tried again", { node, error: String(error) });
      }
    }
  }

  private readonly askThroughServer = async (node: string, signal: AbortSignal): Promise<string> => {
    const path = `/api/v1/nodes/${encodeURIComponent(node)}/proxy/metrics/resource`;
    const { body } = await this.options.client.request({
      method: "GET",
      path,
      headers: { accept: "*/*" },
      signal,
    });
    return decoder.decode(body);
  };

  /** Part of view, edit and admin, as metrics-server's own manifest makes it. */
  private async ensureRole(): Promise<void> {
    const { client, log } = this.options;
    try {
      await client.resource(ClusterRole).create(READERS);
    } catch (error) {
      if (isReason(error, "AlreadyExists") || this.stopping.signal.aborted) return;
      log?.("warn", "the role of those who read metrics could not be made", { error: String(error) });
    }
  }

  private track(work: Promise<void>): void {
    this.running.add(work);
    void work.finally(() => this.running.delete(work));
  }
}

const SIMULATED = "kybern.dev/simulated";

function isAsked({ metadata, status }: Node): boolean {
  const { kubeletEndpoint } = (status as NodeStatus | undefined)?.daemonEndpoints ?? {};
  return metadata.labels?.[SIMULATED] !== "true" && (kubeletEndpoint?.Port ?? 0) > 0;
}

const READERS = {
  metadata: {
    name: "system:aggregated-metrics-reader",
    labels: {
      "rbac.authorization.k8s.io/aggregate-to-admin": "true",
      "rbac.authorization.k8s.io/aggregate-to-edit": "true",
      "rbac.authorization.k8s.io/aggregate-to-view": "true",
    },
  },
  rules: [{ apiGroups: ["metrics.k8s.io"], resources: ["pods", "nodes"], verbs: ["get", "list", "watch"] }],
};
