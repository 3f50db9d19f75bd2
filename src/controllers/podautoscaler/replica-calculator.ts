/** How many pods a metric asks for (amounts are in thousandths). Nothing here waits or writes. */
import { isPodReady, podCondition } from "../../api/core/pod/state.ts";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import { Quantity } from "../../machinery/quantity/quantity.ts";

export interface PodMetric {
  milli: number;
  /** When it was taken, and over how long before, in milliseconds. */
  at: number;
  window: number;
}

export type PodMetrics = ReadonlyMap<string, PodMetric>;

/** How far a ratio may be from 1 before anything is done about it. */
export interface Tolerances {
  up: number;
  down: number;
}

export interface Proposal {
  replicas: number;
  /** The average of a pod. */
  milli: number;
  /** In percent of what pods request. */
  utilization?: number;
}

/** Why a metric asks for nothing, in upstream's words. */
export class MetricError extends Error {}

const NO_PODS = "no pods returned by selector while calculating replica count";
const NO_METRICS = "did not receive metrics for targeted pods (pods might be unready)";
/** What a pod uses of CPU while it starts says little; upstream's defaults in milliseconds. */
const CPU_INITIALIZATION = 5 * 60_000;
const INITIAL_READINESS = 30_000;

interface Groups {
  ready: number;
  unready: string[];
  missing: string[];
  ignored: string[];
}

export function groupPods(pods: readonly Pod[], metrics: PodMetrics, resource: string, now: number): Groups {
  const groups: Groups = { ready: 0, unready: [], missing: [], ignored: [] };
  for (const pod of pods) {
    const { name = "", deletionTimestamp } = pod.metadata;
    const phase = pod.status?.phase;
    const metric = metrics.get(name);
    if (deletionTimestamp !== undefined || phase === "Failed") groups.ignored.push(name);
    else if (phase === "Pending") groups.unready.push(name);
    else if (!metric) groups.missing.push(name);
    else if (resource === "cpu" && isStarting(pod, metric, now)) groups.unready.push(name);
    else groups.ready++;
  }
  return groups;
}

function isStarting(pod: Pod, metric: PodMetric, now: number): boolean {
  const condition = podCondition(pod, "Ready");
  const started = Date.parse(pod.status?.startTime ?? "");
  if (!condition || Number.isNaN(started)) return true;
  const changed = Date.parse(condition.lastTransitionTime ?? "") || 0;
  const isUnready = condition.status === "False";
  if (started + CPU_INITIALIZATION > now) return isUnready || metric.at < changed + metric.window;
  return isUnready && started + INITIAL_READINESS > changed;
}

interface Ratio {
  ratio: number;
  milli: number;
  utilization?: number;
}

interface Measure {
  /** Of all that is given, how near to the target it is. */
  ratioOf(amounts: ReadonlyMap<string, number>): Ratio;
  /** What a pod without a metric is taken to use where others use too little. */
  missing(pod: string): number;
}

function proposalOf(
  pods: readonly Pod[],
  metrics: PodMetrics,
  current: number,
  tolerances: Tolerances,
  resource: string,
  now: number,
  measureOf: () => Measure,
): Proposal {
  if (pods.length === 0) throw new MetricError(NO_PODS);
  const { ready, unready, missing, ignored } = groupPods(pods, metrics, resource, now);
  const amounts = new Map<string, number>();
  for (const [name, { milli }] of metrics) amounts.set(name, milli);
  for (const name of [...ignored, ...unready]) amounts.delete(name);
  if (amounts.size === 0) throw new MetricError(NO_METRICS);
  const measure = measureOf();
  const { ratio, milli, utilization } = measure.ratioOf(amounts);
  const propose = (replicas: number): Proposal => ({ replicas, milli, utilization });
  const growsWithUnready = unready.length > 0 && ratio > 1;
  if (!growsWithUnready && missing.length === 0) {
    return propose(isWithin(ratio, tolerances) ? current : Math.ceil(ratio * ready));
  }
  // What is not known is taken to be what makes the change smaller.
  if (ratio !== 1) for (const name of missing) amounts.set(name, ratio < 1 ? measure.missing(name) : 0);
  if (growsWithUnready) for (const name of unready) amounts.set(name, 0);
  const { ratio: careful } = measure.ratioOf(amounts);
  if (isWithin(careful, tolerances) || (ratio < 1 && careful > 1) || (ratio > 1 && careful < 1)) {
    return propose(current);
  }
  const replicas = Math.ceil(careful * amounts.size);
  const isContrary = (careful < 1 && replicas > current) || (careful > 1 && replicas < current);
  return propose(isContrary ? current : replicas);
}

/** By the share of what the pods request that they use. */
export function utilizationReplicas(
  pods: readonly Pod[],
  metrics: PodMetrics,
  target: number,
  { current, tolerances, resource, container, now }: Context,
): Proposal {
  return proposalOf(pods, metrics, current, tolerances, resource, now, () => {
    const requests = requestsOf(pods, resource, container);
    return {
      ratioOf(amounts) {
        let [used, requested, counted] = [0, 0, 0];
        for (const [name, milli] of amounts) {
          const request = requests.get(name);
          if (request === undefined) continue;
          used += milli;
          requested += request;
          counted++;
        }
        if (requested === 0) throw new MetricError("no metrics returned matched known pods");
        const utilization = Math.trunc((used * 100) / requested);
        return { ratio: utilization / target, milli: Math.trunc(used / counted), utilization };
      },
      missing: (name) => ((requests.get(name) ?? 0) * Math.max(100, target)) / 100,
    };
  });
}

export interface Context {
  current: number;
  tolerances: Tolerances;
  resource: string;
  container?: string;
  now: number;
}

/** By the average of the pods. */
export function averageReplicas(
  pods: readonly Pod[],
  metrics: PodMetrics,
  target: number,
  { current, tolerances, resource, now }: Context,
): Proposal {
  return proposalOf(pods, metrics, current, tolerances, resource, now, () => ({
    ratioOf(amounts) {
      let used = 0;
      for (const milli of amounts.values()) used += milli;
      const milli = Math.trunc(used / amounts.size);
      return { ratio: milli / target, milli };
    },
    missing: () => target,
  }));
}

/** By one number for all pods together; `milli` of the answer is that number. */
export function totalReplicas(
  pods: readonly Pod[],
  milli: number,
  target: number,
  { current, tolerances }: Pick<Context, "current" | "tolerances">,
): Proposal {
  const ratio = milli / target;
  if (current === 0) return { replicas: Math.ceil(ratio), milli };
  if (isWithin(ratio, tolerances)) return { replicas: current, milli };
  if (pods.length === 0) throw new MetricError(`unable to calculate ready pods: ${NO_PODS}`);
  const ready = pods.filter((pod) => pod.status?.phase === "Running" && isPodReady(pod)).length;
  return { replicas: Math.ceil(ratio * ready), milli };
}

/** By one number for all pods together, of which each is to have its part. */
export function sharedReplicas(milli: number, target: number, has: number, tolerances: Tolerances): Proposal {
  const isRight = isWithin(milli / (target * has), tolerances);
  const each = has === 0 ? milli : Math.ceil(milli / has);
  return { replicas: isRight ? has : Math.ceil(milli / target), milli: each };
}

function isWithin(ratio: number, { up, down }: Tolerances): boolean {
  return ratio >= 1 - down && ratio <= 1 + up;
}

/** What each pod requests of a resource, as a whole or in one container. */
export function requestsOf(
  pods: readonly Pod[],
  resource: string,
  container?: string,
): ReadonlyMap<string, number> {
  const requests = new Map<string, number>();
  for (const pod of pods) {
    const { name = "" } = pod.metadata;
    const { containers = [], initContainers = [], resources } = pod.spec ?? {};
    const whole = container === undefined ? resources?.requests?.[resource] : undefined;
    if (whole !== undefined) {
      requests.set(name, Quantity.parse(whole).milliValue());
      continue;
    }
    let sum = 0;
    const sidecars = initContainers.filter(({ restartPolicy }) => restartPolicy === "Always");
    for (const each of [...containers, ...sidecars]) {
      if (container !== undefined && container !== each.name) continue;
      const request = each.resources?.requests?.[resource];
      if (request === undefined) {
        throw new MetricError(`missing request for ${resource} in container ${each.name} of Pod ${name}`);
      }
      sum += Quantity.parse(request).milliValue();
    }
    requests.set(name, sum);
  }
  return requests;
}
