/**
 * The scheduling framework (upstream: KEP-624). A profile is a list of plugins; a pod goes through their extension points:
 *
 *   preEnqueue ─▶ queue ─▶ [prepareFilter ─▶ filter(node)…] ─▶ [prepareScore ─▶ score(node)… ─▶ normalize] ─▶ reserve
 *                   ▲            │ no node                                                                      │
 *                   │            ▼                                                                              ▼
 *                   └──────── postFilter (preemption)                       permit ─▶ preBind ─▶ bind ─▶ postBind
 *
 * What upstream calls PreFilter and Filter is one object here: `prepareFilter` looks at the pod once and returns what
 * judges the nodes, or nothing where the plugin has no say; likewise `prepareScore`. Everything up to and with `reserve`
 * is synchronous: a scheduling cycle is one turn of the event loop, so that the cache itself is the snapshot and nothing
 * changes under a cycle's feet. Plugins never change nodes or pods they are given.
 */

import type { Pod } from "../../api/core/pods.ts";
import type { KubeObject } from "../../api/object.ts";
import type { Resource } from "../../api/resource.ts";
import type { Clock } from "../../base/clock.ts";
import type { Client } from "../../client/client.ts";
import type { EventRecorder } from "../../client/events/event-recorder.ts";
import type { Informers } from "../../client/informer/informers.ts";
import type { ResourceKind } from "../../client/resource-client.ts";
import type { NodeInfo } from "./node-info.ts";
import type { PodInfo } from "./pod-info.ts";
import type { Rejection, SearchRejections } from "./rejection.ts";

/** The nodes as they are in this cycle. */
export interface Nodes {
  /** In the order in which they are tried: spread over zones. */
  readonly list: readonly NodeInfo[];
  /** The generation of each node of `list`, at its place: the same array, kept up to date, as long as the list is. */
  readonly generations: Int32Array;
  get(name: string): NodeInfo | undefined;
  /** Those with pods that have any pod affinity or anti-affinity, and with pods that have a required anti-affinity. */
  readonly withAffinity: Iterable<NodeInfo>;
  readonly withRequiredAntiAffinity: Iterable<NodeInfo>;
}

/** One attempt to schedule one pod. */
export interface Cycle {
  readonly info: PodInfo;
  readonly pod: Pod;
  readonly nodes: Nodes;
  /** Milliseconds since 1970. */
  readonly now: number;
  /** What plugins leave for their own later extension points, by plugin name. */
  readonly state: Map<string, unknown>;
}

/** Judges nodes for one pod in one cycle. */
export interface NodeFilter {
  /** Nodes outside need not be asked. */
  readonly only?: ReadonlySet<string>;
  /** Undefined: the node will do. Called for many nodes; must be fast. */
  filter(node: NodeInfo): Rejection | undefined;
  /**
   * The plugin's name and, as text, all that the judgement depends on beside the node it is given: pods with the same text
   * are judged alike as long as the node does not change, and it need not be asked again. Absent: it depends on more.
   */
  twin?(): string;
  /**
   * For trying what would be if a pod came to a node or left it (preemption, nominated pods), after `clone`. A plugin
   * whose filter looks at nothing but the node it is given needs none of the three.
   */
  clone?(): NodeFilter;
  addPod?(info: PodInfo, node: NodeInfo): void;
  removePod?(info: PodInfo, node: NodeInfo): void;
}

/** Scores nodes for one pod in one cycle. */
export interface NodeScore {
  /** Any number; `normalize` brings all into 0…100 where they are not. */
  score(node: NodeInfo): number;
  /** Changes the scores in place; `scores[i]` is that of `nodes[i]`. */
  normalize?(scores: Float64Array, nodes: readonly NodeInfo[]): void;
}

export const MAX_SCORE = 100;

export interface PostFilterResult {
  /** The node that the pod will get once its victims are gone; "" takes an earlier nomination away. */
  nominate?: string;
  /** Upstream's text that follows the list of reasons: "preemption: 0/3 nodes are available: …". */
  message: string;
  /** How many pods must leave the nominated node; for figures. */
  victims?: number;
  /** It could not tell: no further plugin is asked, and its message alone is told. */
  failed?: boolean;
}

/** What postFilter may ask: the same filters that rejected the pod, on nodes changed at will. */
export interface Trial {
  /** The node that the pod is nominated to. */
  readonly own: string | undefined;
  /** The first rejection of the pod on this node (a clone with pods added or removed), by all filters of the profile. */
  filter(filters: readonly NodeFilter[], node: NodeInfo): Rejection | undefined;
  /** Clones of the cycle's filters, to be told of pods that come and go. */
  filters(): NodeFilter[];
  /** Pods of at least this priority that are nominated to the node and not yet there. */
  nominated(node: string, priority: number): readonly PodInfo[];
}

/** Whether a change may let a pod in that the plugin rejected (upstream: queueing hints, KEP-4247). */
export interface RequeueHint<T extends KubeObject = KubeObject> {
  resource: Resource<T> | ResourceKind;
  /** Called only for pods that this plugin rejected; must be fast. Absent: every change may help. */
  mayHelp?(change: { now?: T; was?: T; waiting: PodInfo }): boolean;
}

export function requeueWhen<T extends KubeObject>(
  resource: Resource<T>,
  mayHelp?: RequeueHint<T>["mayHelp"],
): RequeueHint {
  return { resource, mayHelp } as unknown as RequeueHint;
}

export type Permission = Rejection | { wait: number } | undefined;

export interface Plugin {
  /** Keeps a pod out of the queue. */
  preEnqueue?(pod: Pod): Rejection | undefined;
  /** Which of two waiting pods goes first: negative, a. Exactly one plugin of a profile has it. */
  queueSort?(a: QueuedPod, b: QueuedPod): number;
  prepareFilter?(cycle: Cycle): NodeFilter | Rejection | undefined;
  /**
   * Called where no node will do, until one plugin nominates a node; undefined: no opinion. `rejected` has every node. The
   * next cycle waits for the answer, so that it sees the nomination: what takes requests (evicting victims) goes on
   * after it, in the background.
   */
  postFilter?(
    cycle: Cycle,
    rejected: SearchRejections,
    trial: Trial,
  ): PostFilterResult | undefined | Promise<PostFilterResult | undefined>;
  /** `nodes` are those that passed the filters, more than one. */
  prepareScore?(cycle: Cycle, nodes: readonly NodeInfo[]): NodeScore | undefined;
  /** Takes for the pod what others could take before it is bound. */
  reserve?(cycle: Cycle, node: NodeInfo): Rejection | undefined;
  /** Gives back; called for every plugin, in the opposite order, also where its own `reserve` was not called. */
  unreserve?(cycle: Cycle, node: NodeInfo): void;
  permit?(cycle: Cycle, node: NodeInfo): Permission;
  /** Whether `preBind` has anything to do, which may take long (upstream: PreBindPreFlight). Absent: it has. */
  mustPreBind?(cycle: Cycle, node: NodeInfo): boolean;
  preBind?(cycle: Cycle, node: NodeInfo): Promise<Rejection | undefined>;
  /** `false`: another plugin shall bind. Throws what the server answered. */
  bind?(cycle: Cycle, node: NodeInfo): Promise<boolean>;
  postBind?(cycle: Cycle, node: NodeInfo): void;
  readonly requeue?: readonly RequeueHint[];
}

export interface QueuedPod {
  readonly info: PodInfo;
  /** When it came into the queue, and how often it was tried since. */
  readonly since: number;
  readonly attempts: number;
}

/** Lets pods go on or refuses them that wait at `permit`. */
export interface WaitingPods {
  allow(uid: string, plugin: string): void;
  refuse(uid: string, plugin: string, reason: string): void;
}

/** Pods that must leave a node for another, the most important first. */
export interface NodeVictims {
  pods: readonly PodInfo[];
  /** How many of them a PodDisruptionBudget does not let go. */
  violations: number;
}

/** Programs outside that have a say in which pods must leave. */
export interface PreemptionExtenders {
  /** Whether any has a say where this pod preempts: the others need not be waited for. */
  havePreemptionSay(pod: Pod): boolean;
  /**
   * What they leave of `candidates`, by the names of nodes; each is asked about what the one before has left. Throws where
   * one that may not be ignored fails.
   */
  chooseVictims(
    pod: Pod,
    candidates: ReadonlyMap<string, NodeVictims>,
    nodes: Pick<Nodes, "get">,
  ): Promise<ReadonlyMap<string, NodeVictims>>;
}

export interface PluginContext {
  /** Acts as system:kube-scheduler. */
  client: Client;
  /** Shared by the process. Those a plugin asks for are started and synced before the first cycle. */
  informers: Informers;
  clock: Clock;
  /** From 0 to below 1. */
  random: () => number;
  events: EventRecorder;
  /** The live nodes, also between cycles. */
  nodes: Nodes;
  waiting: WaitingPods;
  /** Has the queue look again at a pod that `preEnqueue` keeps out, or that waits for a change (upstream: Activate). */
  reconsider(uid: string): void;
  /** Absent: there are none. */
  extenders?: PreemptionExtenders;
  /** `schedulerName` of the profile. */
  profile: string;
}

/** A plugin as it is declared: once, and started once for every profile that has it. */
export interface PluginDeclaration<A = unknown> {
  /** As upstream names it. */
  name: string;
  /** Its weight in upstream's default profile, where it scores. */
  weight?: number;
  /** Part of a profile only where that names it. */
  offByDefault?: boolean;
  /** Reads the arguments of KubeSchedulerConfiguration (`pluginConfig[].args`); throws ConfigurationError. */
  arguments?(given: Readonly<Record<string, unknown>> | undefined): A;
  start(context: PluginContext, args: A): Plugin;
}

export function definePlugin<A = undefined>(declaration: PluginDeclaration<A>): PluginDeclaration {
  return declaration as unknown as PluginDeclaration;
}

/** A sentence for whoever wrote the configuration file, with the path of the field. */
export class ConfigurationError extends Error {}
