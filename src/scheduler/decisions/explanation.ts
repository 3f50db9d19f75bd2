/** What the scheduler knows of a pod, in a form that is served as JSON and that `kybern explain` prints. */
import type { Pod } from "../../api/core/pods.ts";
import type { Lister } from "../../client/informer/object-store.ts";
import type { RankedNode } from "../cycle/node-ranking.ts";
import type { Profile } from "../framework/profile.ts";
import type { Rejection } from "../framework/rejection.ts";
import type { QueueEntry, QueueState } from "../queue/queue-entry.ts";
import type { SchedulingQueue } from "../queue/scheduling-queue.ts";
import type { Decision, Decisions } from "./decisions.ts";

/** Below this path of the API server: `namespaces/{namespace}/pods/{name}`. */
export const DECISIONS_PATH = "/kybern/v1/decisions";

export interface ExplainedRejection {
  plugin: string;
  code: Rejection["code"];
  reasons: readonly string[];
  /** What would have to change. */
  advice?: string;
  /** How many nodes it holds for, and their names; the first few where there were too many to keep. */
  count: number;
  nodes: readonly string[];
}

export interface ExplainedAttempt {
  /** RFC 3339. */
  time: string;
  uid: string;
  number: number;
  profile: string;
  result: Decision["result"];
  message: string;
  nodes: number;
  asked: number;
  fitting: number;
  node?: string;
  top?: readonly RankedNode[];
  nominated?: string;
  everywhere?: Omit<ExplainedRejection, "count" | "nodes">;
  rejected: readonly ExplainedRejection[];
}

export interface Explanation {
  /** `schedulerName` of the pods that this scheduler looks at. */
  profiles: readonly string[];
  /** Where the pod is in the queue; absent where it is not in it. */
  queue?: {
    uid: string;
    state: QueueState;
    attempts: number;
    /** Of a gated pod. */
    gate?: Omit<ExplainedRejection, "count" | "nodes">;
    /** The plugins whose changes it waits for. */
    waitsFor: readonly string[];
    /** When it is tried again at the latest, where that is known. */
    due?: string;
  };
  attempt?: ExplainedAttempt;
}

export interface ExplainParts {
  decisions: Decisions;
  queue: SchedulingQueue;
  pods: Lister<Pod>;
  profiles: ReadonlyMap<string, Profile>;
}

/** `below` is what comes behind DECISIONS_PATH; undefined where it names no pod. */
export function explain(parts: ExplainParts, below: string): Explanation | undefined {
  const [namespaces, namespace, resource, name, ...more] = below.split("/").map(decoded);
  if (namespaces !== "namespaces" || resource !== "pods" || !namespace || !name || more.length > 0) {
    return undefined;
  }
  const { decisions, queue, pods, profiles } = parts;
  const uid = pods.get(namespace, name)?.metadata.uid;
  const entry = uid === undefined ? undefined : queue.get(uid);
  const decision = decisions.get(namespace, name);
  return {
    profiles: [...profiles.keys()],
    queue: entry && explainedEntry(entry, queue.dueOf(entry)),
    attempt: decision && explainedAttempt(decision),
  };
}

/** Names of namespaces and pods have nothing to escape; what cannot be read is none. */
function decoded(part: string): string {
  return /^[a-z0-9.-]*$/.test(part) ? part : "";
}

function explainedEntry(entry: QueueEntry, due: number | undefined): Explanation["queue"] {
  const { info, state, attempts, gate, rejectedBy } = entry;
  return {
    uid: info.uid,
    state,
    attempts,
    gate: gate && said(gate),
    waitsFor: [...rejectedBy].filter((plugin) => plugin !== "").sort(),
    due: due === undefined ? undefined : new Date(due).toISOString(),
  };
}

function explainedAttempt(decision: Decision): ExplainedAttempt {
  const { at, everywhere, rejected, ...rest } = decision;
  return {
    time: new Date(at).toISOString(),
    ...rest,
    everywhere: everywhere && said(everywhere),
    rejected: everywhere ? [] : together(rejected),
  };
}

/** Plugins may say the same by more than one value. */
function together(rejected: Decision["rejected"]): ExplainedRejection[] {
  const groups = new Map<string, ExplainedRejection>();
  for (const { rejection, count, nodes } of rejected) {
    const what = said(rejection);
    const key = JSON.stringify(what);
    const known = groups.get(key);
    if (known) groups.set(key, { ...what, count: known.count + count, nodes: [...known.nodes, ...nodes] });
    else groups.set(key, { ...what, count, nodes });
  }
  return [...groups.values()].sort((a, b) => b.count - a.count);
}

function said({ plugin, code, reasons, advice }: Rejection): Omit<ExplainedRejection, "count" | "nodes"> {
  return { plugin, code, reasons, advice: advice?.() };
}
