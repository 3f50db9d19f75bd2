/**
 * Which pods of a node make room for one that the node, or the cluster, depends on. As few as possible: those that are
 * guaranteed their share only where all others are not enough, and those without any before all.
 */
import { type QOSClass, qosClassOf } from "../../api/core/pod/qos.ts";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import { requestOf } from "../resources/pod-resources.ts";
import { isCriticalPod } from "./pod-name.ts";

/** How much of a resource is missing: thousandths of cores, or whole units. */
export interface Lack {
  resource: string;
  amount: number;
}

/** The pods to end, or why no pods are enough. */
export function preemption(pod: Pod, others: readonly Pod[], lacking: readonly Lack[]): Pod[] | string {
  const victims = others.filter((other) => mayPreempt(pod, other));
  const unmet = without(lacking, victims);
  if (unmet.length > 0) {
    const text = unmet.map(({ resource, amount }) => `(res: ${resource}, q: ${amount}), `).join("");
    return `preemption: error finding a set of pods to preempt: no set of running pods found to reclaim resources: [${text}]`;
  }
  const of = (qos: QOSClass): Pod[] => victims.filter((victim) => classOf(victim) === qos);
  const [bestEffort, burstable] = [of("BestEffort"), of("Burstable")];
  const guaranteed = nearest(of("Guaranteed"), without(lacking, [...bestEffort, ...burstable]));
  const some = nearest(burstable, without(lacking, [...bestEffort, ...guaranteed]));
  return [...nearest(bestEffort, without(lacking, [...some, ...guaranteed])), ...some, ...guaranteed];
}

function mayPreempt(pod: Pod, other: Pod): boolean {
  if (isCriticalPod(pod) && !isCriticalPod(other)) return true;
  const [own, its] = [pod.spec?.priority, other.spec?.priority];
  return own !== undefined && its !== undefined && own > its;
}

function classOf({ spec, status }: Pod): QOSClass {
  return (status?.qosClass as QOSClass | undefined) ?? qosClassOf(spec ?? { containers: [] });
}

/** Those that together give what is lacking, the one that gives most of it first. There are enough of them. */
function nearest(pods: readonly Pod[], lacking: readonly Lack[]): Pod[] {
  const left = [...pods];
  const chosen: Pod[] = [];
  for (let lacks = lacking; lacks.length > 0; lacks = without(lacks, chosen.slice(-1))) {
    const best = left.reduce((known, one) => (isBetter(one, known, lacks) ? one : known));
    left.splice(left.indexOf(best), 1);
    chosen.push(best);
  }
  return chosen;
}

function isBetter(one: Pod, known: Pod, lacking: readonly Lack[]): boolean {
  const difference = distance(one, lacking) - distance(known, lacking);
  if (difference !== 0) return difference < 0;
  for (const resource of ["memory", "cpu"]) {
    const [its, that] = [requestOf(one, resource), requestOf(known, resource)];
    if (its !== that) return its < that;
  }
  return false;
}

/** How far what the pod asks for is from what is lacking; each resource counts alike. */
function distance(pod: Pod, lacking: readonly Lack[]): number {
  let sum = 0;
  for (const { resource, amount } of lacking) {
    sum += (Math.max(0, amount - requestOf(pod, resource)) / amount) ** 2;
  }
  return sum;
}

/** What is lacking yet without those pods. */
function without(lacking: readonly Lack[], pods: readonly Pod[]): Lack[] {
  return lacking.flatMap(({ resource, amount }) => {
    const left = pods.reduce((rest, pod) => rest - requestOf(pod, resource), amount);
    return left > 0 ? [{ resource, amount: left }] : [];
  });
}
