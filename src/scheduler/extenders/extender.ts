/**
 * A program outside that filters nodes, scores them, binds pods or has a say in which must leave
 * (k8s.io/kube-scheduler/extender/v1). It is asked after the plugins; what it answers is held against what it was asked,
 * since it is not ours. Upstream's types have no JSON names: fields are sent as Go spells them, and read in any case.
 */
import type { Node } from "../../api/core/node.ts";
import type { Pod } from "../../api/core/pods.ts";
import type { Container, PodSpec } from "../../api/schema/core.v1.generated.ts";
import type { ExtenderConfiguration } from "../configuration/extender-configuration.ts";
import type { NodeInfo } from "../framework/node-info.ts";
import { MAX_SCORE, type NodeVictims } from "../framework/plugin.ts";
import type { PodInfo } from "../framework/pod-info.ts";
import { type Rejection, reject } from "../framework/rejection.ts";
import type { PostJSON } from "./post-json.ts";

/** The highest score that an extender gives. */
const MAX_PRIORITY = 10;

export interface Filtered {
  fitting: NodeInfo[];
  rejected: Map<NodeInfo, Rejection>;
}

export class Extender {
  /** As upstream names it among the plugins: by its address. */
  readonly name: string;
  readonly ignorable: boolean;
  private readonly configuration: ExtenderConfiguration;
  private readonly post: PostJSON;
  private readonly managed: ReadonlySet<string>;

  constructor(configuration: ExtenderConfiguration, post: PostJSON) {
    this.configuration = configuration;
    this.post = post;
    this.name = configuration.urlPrefix;
    this.ignorable = configuration.ignorable;
    this.managed = new Set(configuration.managedResources.map(({ name }) => name));
  }

  get filters(): boolean {
    return this.configuration.filterVerb !== "";
  }

  get prioritizes(): boolean {
    return this.configuration.prioritizeVerb !== "";
  }

  get binds(): boolean {
    return this.configuration.bindVerb !== "";
  }

  get preempts(): boolean {
    return this.configuration.preemptVerb !== "";
  }

  /** Whether it has a say about the pod. */
  concerns({ spec }: Pod): boolean {
    if (this.managed.size === 0) return true;
    const { containers = [], initContainers = [] } = (spec ?? {}) as PodSpec;
    return [...containers, ...initContainers].some((container) => this.manages(container));
  }

  /** Throws where it says that it failed. */
  async filter(pod: Pod, nodes: readonly NodeInfo[]): Promise<Filtered> {
    const answer = fieldsOf(await this.ask(this.configuration.filterVerb, this.about(pod, nodes)));
    throwError(answer);
    const kept = this.keptNames(answer, nodes);
    const unresolvable = texts(answer.get("failedandunresolvablenodes"));
    const failed = texts(answer.get("failednodes"));
    const result: Filtered = { fitting: [], rejected: new Map() };
    for (const node of nodes) {
      const hopeless = unresolvable.get(node.name);
      const reason = hopeless ?? failed.get(node.name);
      if (reason === undefined && kept.has(node.name)) result.fitting.push(node);
      else {
        const code = hopeless === undefined ? "unschedulable" : "unresolvable";
        result.rejected.set(node, reject(this.name, code, reason ?? "node(s) were left out by an extender"));
      }
    }
    return result;
  }

  /** Adds to `scores`, of which `scores[i]` is that of `nodes[i]`. */
  async prioritize(pod: Pod, nodes: readonly NodeInfo[], scores: Float64Array): Promise<void> {
    const answer = await this.ask(this.configuration.prioritizeVerb, this.about(pod, nodes));
    const given = new Map<unknown, number>();
    for (const each of Array.isArray(answer) ? answer : []) {
      const fields = fieldsOf(each);
      const score = fields.get("score");
      if (typeof score === "number" && Number.isFinite(score)) given.set(fields.get("host"), score);
    }
    const factor = this.configuration.weight * (MAX_SCORE / MAX_PRIORITY);
    for (const [i, { name }] of nodes.entries()) scores[i]! += (given.get(name) ?? 0) * factor;
  }

  async bind({ metadata }: Pod, node: NodeInfo): Promise<void> {
    const { name, namespace, uid } = metadata;
    const body = { PodName: name, PodNamespace: namespace, PodUID: uid, Node: node.name };
    throwError(fieldsOf(await this.ask(this.configuration.bindVerb, body)));
  }

  /**
   * Which pods it would have leave of each node, out of what is found without it, by the names of nodes. It may leave nodes
   * out, and name other pods of a node. `nodes` are those that are there when it answers.
   */
  async preempt(
    pod: Pod,
    candidates: ReadonlyMap<string, NodeVictims>,
    nodes: { get(name: string): NodeInfo | undefined },
  ): Promise<Map<string, NodeVictims>> {
    const { nodeCacheCapable, preemptVerb } = this.configuration;
    const named: Record<string, object> = Object.create(null);
    for (const [node, { pods, violations }] of candidates) {
      const told = nodeCacheCapable ? pods.map(({ uid }) => ({ UID: uid })) : pods.map((each) => each.pod);
      named[node] = { Pods: told, NumPDBViolations: violations };
    }
    const [NodeNameToVictims, NodeNameToMetaVictims] = nodeCacheCapable ? [null, named] : [named, null];
    const body = { Pod: pod, NodeNameToVictims, NodeNameToMetaVictims };
    const answer = fieldsOf(await this.ask(preemptVerb, body)).get("nodenametometavictims");
    const chosen = new Map<string, NodeVictims>();
    for (const [name, victims] of Object.entries(isObject(answer) ? answer : {})) {
      const fields = fieldsOf(victims);
      const uids = fields.get("pods");
      const violations = fields.get("numpdbviolations");
      const pods: PodInfo[] = [];
      for (const each of Array.isArray(uids) ? uids : []) {
        pods.push(this.victim(fieldsOf(each).get("uid"), name, candidates.get(name), nodes));
      }
      chosen.set(name, { pods, violations: typeof violations === "number" ? violations : 0 });
    }
    return chosen;
  }

  private victim(
    uid: unknown,
    name: string,
    candidate: NodeVictims | undefined,
    nodes: { get(name: string): NodeInfo | undefined },
  ): PodInfo {
    // Those that it was told of it may name even when they have gone in the meantime.
    const told = candidate?.pods.find((each) => each.uid === uid);
    if (told) return told;
    const node = nodes.get(name);
    if (!node) throw new Error(`node ${JSON.stringify(name)} not found`);
    for (const each of node.pods.values()) if (each.uid === uid) return each;
    throw new Error(
      `extender: ${this.name} claims to preempt pod (UID: ${String(uid)}) on node: ${name}, but the pod is not found on that node`,
    );
  }

  private manages({ resources }: Container): boolean {
    const names = [...Object.keys(resources?.requests ?? {}), ...Object.keys(resources?.limits ?? {})];
    return names.some((name) => this.managed.has(name));
  }

  private about(pod: Pod, nodes: readonly NodeInfo[]): object {
    if (this.configuration.nodeCacheCapable) {
      return { Pod: pod, Nodes: null, NodeNames: nodes.map(({ name }) => name) };
    }
    return { Pod: pod, Nodes: { metadata: {}, items: nodes.map(({ node }) => node) }, NodeNames: null };
  }

  private keptNames(answer: Fields, asked: readonly NodeInfo[]): Set<unknown> {
    const names = answer.get("nodenames");
    if (this.configuration.nodeCacheCapable && Array.isArray(names)) {
      const known = new Set<unknown>(asked.map(({ name }) => name));
      for (const name of names) if (!known.has(name)) throw new Error(notAsked(this.name, name));
      return new Set(names);
    }
    const items = fieldsOf(answer.get("nodes")).get("items");
    return new Set(Array.isArray(items) ? items.map((node: Node) => node?.metadata?.name) : []);
  }

  private async ask(verb: string, body: unknown): Promise<object> {
    const prefix = this.configuration.urlPrefix.replace(/\/+$/, "");
    const answer = await this.post(`${prefix}/${verb}`, body);
    if (!isObject(answer)) throw new Error(`${this.name} answered nothing`);
    return answer;
  }
}

/** By the names of fields in lower case, since Go takes them in any. */
type Fields = ReadonlyMap<string, unknown>;

function fieldsOf(value: unknown): Fields {
  if (!isObject(value)) return new Map();
  return new Map(Object.entries(value).map(([name, field]) => [name.toLowerCase(), field]));
}

function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function throwError(answer: Fields): void {
  const error = answer.get("error");
  if (typeof error === "string" && error !== "") throw new Error(error);
}

function notAsked(extender: string, node: unknown): string {
  return `extender ${JSON.stringify(extender)} claims a filtered node ${JSON.stringify(node)} which is not found in the input node list`;
}

function texts(given: unknown): Map<string, string> {
  const found = new Map<string, string>();
  if (!isObject(given)) return found;
  for (const [name, reason] of Object.entries(given)) if (typeof reason === "string") found.set(name, reason);
  return found;
}
