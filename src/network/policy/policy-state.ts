/** Which pods are in which groups, and which policies are about them: kept as pods, namespaces and policies change. */
import type { Namespace } from "../../api/core/namespace.ts";
import type { Pod } from "../../api/core/pods.ts";
import type { NetworkPolicy } from "../../api/networking/network-policy.ts";
import { keyOf, type Lister, splitKey } from "../../client/informer/object-store.ts";
import type { OwnedTable } from "../../host/nftables/owned-table.ts";
import { PartsBuilder } from "../../host/nftables/parts-builder.ts";
import { familyOf } from "../addresses.ts";
import { type PodFacts, podFacts } from "./pod-facts.ts";
import { digest, type PodGroup } from "./pod-group.ts";
import { type Direction, type GroupUse, type PolicyPlan, planPolicy, policyChain } from "./policy-rules.ts";

export interface PolicyStateOptions {
  policies: Lister<NetworkPolicy>;
  pods: Lister<Pod>;
  namespaces: Lister<Namespace>;
  table: Pick<OwnedTable, "claim">;
  nodeName: string;
  /** Told of a policy that could not be planned. */
  failed: (policy: string, error: unknown) => void;
}

/** Pods looked at in one turn of the event loop. */
const TURN = 100;

/** Pods remembered for a first policy that comes before their status tells their addresses. */
const MOST_ADMITTED = 256;

interface Used extends GroupUse {
  policies: Set<string>;
}

export class PolicyState {
  private readonly options: PolicyStateOptions;
  private readonly plans = new Map<string, PolicyPlan>();
  private readonly policiesOf = new Map<string, Set<string>>();
  /** The uses of groups of one namespace, and under "" of those that may be of any. */
  private readonly uses = new Map<string, Map<string, Used>>();
  private readonly admitted = new Map<string, { pod: Pod; ips: readonly string[] }>();
  private readonly claimed = new Set<string>();
  /** Whether there ever was a policy: before, pods are looked at by none. */
  private active = false;
  private dirtyPolicies = new Set<string>();
  private dirtyPods = new Set<string>();

  constructor(options: PolicyStateOptions) {
    this.options = options;
  }

  policyChanged(key: string): void {
    this.active = true;
    this.dirtyPolicies.add(key);
  }

  /** Returns whether it can matter to the rules. */
  podChanged(key: string, now: Pod | undefined): boolean {
    if (!now || now.status?.podIPs?.length) this.admitted.delete(key);
    if (!this.active) return false;
    this.dirtyPods.add(key);
    return true;
  }

  namespaceChanged(name: string): boolean {
    if (this.uses.get("") === undefined) return false;
    for (const pod of this.options.pods.list(name)) this.dirtyPods.add(keyOf(pod));
    return true;
  }

  admit(pod: Pod, ips: readonly string[]): boolean {
    const key = keyOf(pod);
    this.admitted.set(key, { pod, ips });
    if (!this.active) {
      // Nobody hears then of the status that tells the addresses: the oldest have told theirs long ago.
      if (this.admitted.size > MOST_ADMITTED) this.admitted.delete(this.admitted.keys().next().value!);
      return false;
    }
    this.dirtyPods.add(key);
    return true;
  }

  /** Claims what the changes mean. */
  async plan(): Promise<void> {
    const policies = this.dirtyPolicies;
    this.dirtyPolicies = new Set();
    for (const key of policies) {
      try {
        await this.planPolicy(key);
      } catch (error) {
        // It keeps the rules that it had, and the others get theirs.
        this.options.failed(key, error);
      }
    }
    const pods = this.dirtyPods;
    this.dirtyPods = new Set();
    let count = 0;
    for (const key of pods) {
      this.planPod(key);
      if (++count % TURN === 0) await turn();
    }
  }

  private async planPolicy(key: string): Promise<void> {
    const { policies, table } = this.options;
    const { namespace, name } = splitKey(key);
    const policy = policies.get(namespace, name);
    const was = this.plans.get(key);
    const now = policy && planPolicy(policy);
    if (!was && !now) return;
    const groups = new Map<string, PodGroup>();
    if (was) {
      this.plans.delete(key);
      for (const [set, use] of was.uses) if (this.release(set, use, key)) groups.set(use.group.id, use.group);
    }
    if (now) {
      this.plans.set(key, now);
      for (const [set, use] of now.uses) if (this.enter(set, use, key)) groups.set(use.group.id, use.group);
    }
    const own = this.policiesOf.get(namespace) ?? new Set();
    if (now) own.add(key);
    else own.delete(key);
    if (own.size > 0) this.policiesOf.set(namespace, own);
    else this.policiesOf.delete(namespace);
    table.claim(`policy/${key}`, now?.parts);
    for (const plan of [was, now]) if (plan) await this.touch(plan.subject, true);
    for (const group of groups.values()) await this.touch(group, false);
  }

  /** All pods of the group have something else to claim. */
  private async touch(group: PodGroup, localOnly: boolean): Promise<void> {
    const { pods, nodeName } = this.options;
    let count = 0;
    for (const pod of pods.list(group.namespace)) {
      if (++count % (10 * TURN) === 0) await turn();
      if (localOnly && pod.spec?.nodeName !== nodeName) continue;
      const { namespace = "", labels } = pod.metadata;
      if (group.has({ namespace, labels }, this.labelsOf(namespace))) this.dirtyPods.add(keyOf(pod));
    }
    for (const [key, { pod }] of this.admitted) {
      if (group.namespace === undefined || pod.metadata.namespace === group.namespace)
        this.dirtyPods.add(key);
    }
  }

  private factsOf(key: string, pod: Pod): PodFacts | undefined {
    return podFacts(pod, this.options.nodeName, this.admitted.get(key)?.ips);
  }

  private labelsOf(namespace: string): Readonly<Record<string, string>> | undefined {
    return this.options.namespaces.get("", namespace)?.metadata.labels;
  }

  /** Returns whether nobody used it before. */
  private enter(set: string, { group, port }: GroupUse, policy: string): boolean {
    const where = group.namespace ?? "";
    const uses = this.uses.get(where) ?? new Map<string, Used>();
    this.uses.set(where, uses);
    const used = uses.get(set);
    if (used) used.policies.add(policy);
    else uses.set(set, { group, port, policies: new Set([policy]) });
    return used === undefined;
  }

  /** Returns whether nobody uses it any more. */
  private release(set: string, { group }: GroupUse, policy: string): boolean {
    const where = group.namespace ?? "";
    const uses = this.uses.get(where);
    const used = uses?.get(set);
    if (!uses || !used) return false;
    used.policies.delete(policy);
    if (used.policies.size > 0) return false;
    uses.delete(set);
    if (uses.size === 0) this.uses.delete(where);
    return true;
  }

  private planPod(key: string): void {
    const { pods, table } = this.options;
    const { namespace, name } = splitKey(key);
    const pod = pods.get(namespace, name) ?? this.admitted.get(key)?.pod;
    const facts = pod && this.factsOf(key, pod);
    const parts = facts && this.partsOf(facts);
    if (!parts && !this.claimed.has(key)) return;
    table.claim(`pod/${key}`, parts);
    if (parts) this.claimed.add(key);
    else this.claimed.delete(key);
  }

  private partsOf(pod: PodFacts): PartsBuilder | undefined {
    const parts = new PartsBuilder();
    const labels = this.labelsOf(pod.namespace);
    for (const where of ["", pod.namespace]) {
      for (const [set, { group, port }] of this.uses.get(where) ?? []) {
        if (group.has(pod, labels)) addMember(parts, set, pod, port);
      }
    }
    if (pod.local) {
      this.limit(parts, pod, "ingress");
      this.limit(parts, pod, "egress");
    }
    return parts.elements.size > 0 ? parts : undefined;
  }

  /** What is not allowed by one of the policies about the pod is dropped; where there is none, everything is allowed. */
  private limit(parts: PartsBuilder, pod: PodFacts, direction: Direction): void {
    const about = [...(this.policiesOf.get(pod.namespace) ?? [])].filter((key) => {
      const plan = this.plans.get(key);
      return plan?.[direction] && plan.subject.has(pod, undefined);
    });
    if (about.length === 0) return;
    const chains = about.sort().map((key) => policyChain(direction, digest(key)));
    const chain = `${direction}-${digest(chains.join())}`;
    parts.chain(chain, [...chains.map((allowed) => `jump ${allowed}`), "drop"]);
    for (const ip of pod.ips) {
      parts.element(`${direction}${familyOf(ip)}`, ip, `goto ${chain}`);
      parts.element(`itself${familyOf(ip)}`, `${ip} . ${ip}`);
    }
  }
}

function addMember(parts: PartsBuilder, set: string, pod: PodFacts, port: GroupUse["port"]): void {
  for (const ip of pod.ips) {
    const name = `${set}-${familyOf(ip)}`;
    if (!port) parts.element(name, ip);
    else {
      for (const own of pod.ports) {
        if (own.name === port.name && own.protocol === port.protocol) {
          parts.element(name, `${ip} . ${own.protocol} . ${own.port}`);
        }
      }
    }
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
