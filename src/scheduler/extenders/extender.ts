/**
 * A program outside that filters nodes, scores them or binds pods (k8s.io/kube-scheduler/extender/v1). It is asked after
 * the plugins; what it answers is held against what it was asked, since it is not ours.
 */
import type { Node } from "../../api/core/node.ts";
import type { Pod } from "../../api/core/pods.ts";
import type { Container, PodSpec } from "../../api/schema/core.v1.generated.ts";
import type { ExtenderConfiguration } from "../configuration/extender-configuration.ts";
import type { NodeInfo } from "../framework/node-info.ts";
import { MAX_SCORE } from "../framework/plugin.ts";
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

  /** Whether it has a say about the pod. */
  concerns({ spec }: Pod): boolean {
    if (this.managed.size === 0) return true;
    const { containers = [], initContainers = [] } = (spec ?? {}) as PodSpec;
    return [...containers, ...initContainers].some((container) => this.manages(container));
  }

  /** Throws where it says that it failed. */
  async filter(pod: Pod, nodes: readonly NodeInfo[]): Promise<Filtered> {
    const answer = await this.ask(this.configuration.filterVerb, this.about(pod, nodes));
    const { error } = answer;
    if (typeof error === "string" && error !== "") throw new Error(error);
    const kept = this.keptNames(answer);
    const unresolvable = texts(answer.failedAndUnresolvableNodes);
    const failed = texts(answer.failedNodes);
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
    const answer: unknown = await this.ask(this.configuration.prioritizeVerb, this.about(pod, nodes));
    const given = new Map<unknown, number>();
    for (const { host, score } of Array.isArray(answer) ? answer : []) {
      if (typeof score === "number" && Number.isFinite(score)) given.set(host, score);
    }
    const factor = this.configuration.weight * (MAX_SCORE / MAX_PRIORITY);
    for (const [i, { name }] of nodes.entries()) scores[i]! += (given.get(name) ?? 0) * factor;
  }

  async bind({ metadata }: Pod, node: NodeInfo): Promise<void> {
    const { name, namespace, uid } = metadata;
    const body = { podName: name, podNamespace: namespace, podUID: uid, node: node.name };
    const { error } = await this.ask(this.configuration.bindVerb, body);
    if (typeof error === "string" && error !== "") throw new Error(error);
  }

  private manages({ resources }: Container): boolean {
    const names = [...Object.keys(resources?.requests ?? {}), ...Object.keys(resources?.limits ?? {})];
    return names.some((name) => this.managed.has(name));
  }

  private about(pod: Pod, nodes: readonly NodeInfo[]): object {
    if (this.configuration.nodeCacheCapable) return { pod, nodenames: nodes.map(({ name }) => name) };
    return { pod, nodes: { metadata: {}, items: nodes.map(({ node }) => node) } };
  }

  private keptNames({ nodes, nodenames }: Record<string, unknown>): Set<unknown> {
    if (this.configuration.nodeCacheCapable && Array.isArray(nodenames)) return new Set(nodenames);
    const items = (nodes as { items?: Node[] } | null | undefined)?.items;
    return new Set(Array.isArray(items) ? items.map((node) => node?.metadata?.name) : []);
  }

  private async ask(verb: string, body: unknown): Promise<Record<string, unknown>> {
    const prefix = this.configuration.urlPrefix.replace(/\/+$/, "");
    const answer = await this.post(`${prefix}/${verb}`, body);
    if (typeof answer !== "object" || answer === null) throw new Error(`${this.name} answered nothing`);
    return answer as Record<string, unknown>;
  }
}

function texts(given: unknown): Map<string, string> {
  const found = new Map<string, string>();
  if (typeof given !== "object" || given === null) return found;
  for (const [name, reason] of Object.entries(given)) if (typeof reason === "string") found.set(name, reason);
  return found;
}
