/**
 * From what metrics ask for to what is set: held steady by what was recommended lately, and kept within the rates and
 * the range that the autoscaler allows. Nothing here waits or writes.
 */
import type {
  HorizontalPodAutoscalerSpec,
  HPAScalingRules,
} from "../../api/schema/autoscaling.v2.generated.ts";

export interface Recommendation {
  at: number;
  replicas: number;
}

export interface ScaleChange {
  at: number;
  /** By how many pods; never negative. */
  by: number;
}

/** What is remembered of an autoscaler. */
export interface Memory {
  recommendations: Recommendation[];
  ups: ScaleChange[];
  downs: ScaleChange[];
}

export interface Said {
  reason: string;
  message: string;
}

export interface Normalized {
  replicas: number;
  /** For AbleToScale, which is true. */
  able: Said;
  /** For ScalingLimited. */
  limited: Said & { status: "True" | "False" };
}

/** Milliseconds; upstream's default of --horizontal-pod-autoscaler-downscale-stabilization. */
const DOWN_WINDOW = 5 * 60_000;

const READY: Said = { reason: "ReadyForNewScale", message: "recommended size matches current size" };
const HELD_UP: Said = {
  reason: "ScaleUpStabilized",
  message: "recent recommendations were lower than current one, applying the lowest recent recommendation",
};
const HELD_DOWN: Said = {
  reason: "ScaleDownStabilized",
  message: "recent recommendations were higher than current one, applying the highest recent recommendation",
};
const WITHIN: Said = {
  reason: "DesiredWithinRange",
  message: "the desired count is within the acceptable range",
};
const TOO_FEW: Said = {
  reason: "TooFewReplicas",
  message: "the desired replica count is less than the minimum replica count",
};
const TOO_MANY: Said = {
  reason: "TooManyReplicas",
  message: "the desired replica count is more than the maximum replica count",
};
const TOO_FAST_UP: Said = {
  reason: "ScaleUpLimit",
  message: "the desired replica count is increasing faster than the maximum scale rate",
};
const TOO_FAST_DOWN: Said = {
  reason: "ScaleDownLimit",
  message: "the desired replica count is decreasing faster than the maximum scale rate",
};

/** Remembers the recommendation. */
export function normalize(
  { minReplicas = 1, maxReplicas, behavior }: HorizontalPodAutoscalerSpec,
  memory: Memory,
  current: number,
  wanted: number,
  now: number,
): Normalized {
  const up = behavior?.scaleUp;
  const down = behavior?.scaleDown;
  const steady = stabilize(memory.recommendations, current, wanted, now, {
    up: seconds(up?.stabilizationWindowSeconds) ?? 0,
    down: seconds(down?.stabilizationWindowSeconds) ?? DOWN_WINDOW,
    // Without a behaviour only what falls is held.
    isPlain: behavior === undefined,
  });
  remember(memory, up, down, wanted, now);
  const held = wanted >= current && behavior ? HELD_UP : HELD_DOWN;
  const able = steady === wanted ? READY : held;
  const { replicas, said } = behavior
    ? withinRates(steady, current, { minReplicas, maxReplicas, up, down, memory, now })
    : withinRange(steady, current, minReplicas, maxReplicas);
  return { replicas, able, limited: { ...said, status: replicas === steady ? "False" : "True" } };
}

function seconds(value: number | undefined): number | undefined {
  return value === undefined ? undefined : value * 1000;
}

interface Windows {
  up: number;
  down: number;
  isPlain: boolean;
}

function stabilize(
  recommendations: readonly Recommendation[],
  current: number,
  wanted: number,
  now: number,
  { up, down, isPlain }: Windows,
): number {
  let [lowest, highest] = [wanted, wanted];
  for (const { at, replicas } of recommendations) {
    if (at > now - up) lowest = Math.min(lowest, replicas);
    if (isPlain ? at >= now - down : at > now - down) highest = Math.max(highest, replicas);
  }
  if (isPlain) return highest;
  return Math.min(Math.max(current, lowest), highest);
}

function remember(
  memory: Memory,
  up: HPAScalingRules | undefined,
  down: HPAScalingRules | undefined,
  wanted: number,
  now: number,
): void {
  const longest = Math.max(
    seconds(up?.stabilizationWindowSeconds) ?? 0,
    seconds(down?.stabilizationWindowSeconds) ?? DOWN_WINDOW,
  );
  memory.recommendations = memory.recommendations.filter(({ at }) => at >= now - longest);
  memory.recommendations.push({ at: now, replicas: wanted });
}

function withinRange(
  wanted: number,
  current: number,
  min: number,
  max: number,
): { replicas: number; said: Said } {
  // One report that is wildly off must not multiply the pods.
  const fastest = Math.max(2 * current, 4);
  const most = Math.min(max, fastest);
  if (wanted < min) return { replicas: min, said: TOO_FEW };
  if (wanted > most) return { replicas: most, said: max > fastest ? TOO_FAST_UP : TOO_MANY };
  return { replicas: wanted, said: WITHIN };
}

interface Rates {
  minReplicas: number;
  maxReplicas: number;
  up?: HPAScalingRules;
  down?: HPAScalingRules;
  memory: Memory;
  now: number;
}

function withinRates(
  wanted: number,
  current: number,
  { minReplicas, maxReplicas, up, down, memory, now }: Rates,
): { replicas: number; said: Said } {
  if (wanted > current) {
    const fastest = Math.max(upLimit(current, up, memory, now), current);
    const most = Math.min(maxReplicas, fastest);
    if (wanted > most) return { replicas: most, said: maxReplicas > fastest ? TOO_FAST_UP : TOO_MANY };
  } else if (wanted < current) {
    const fastest = Math.min(downLimit(current, down, memory, now), current);
    const least = Math.max(minReplicas, fastest);
    if (wanted < least) return { replicas: least, said: minReplicas < fastest ? TOO_FAST_DOWN : TOO_FEW };
  }
  return { replicas: wanted, said: WITHIN };
}

/** How many there were when the period of a policy began. */
function before(current: number, period: number, { ups, downs }: Memory, now: number): number {
  const changed = (changes: readonly ScaleChange[]): number =>
    changes.reduce((sum, { at, by }) => (at > now - period * 1000 ? sum + by : sum), 0);
  return current - changed(ups) + changed(downs);
}

function upLimit(current: number, rules: HPAScalingRules | undefined, memory: Memory, now: number): number {
  const { policies = [], selectPolicy } = rules ?? {};
  if (selectPolicy === "Disabled") return current;
  const limits = policies.map(({ type, value, periodSeconds }) => {
    const start = before(current, periodSeconds, memory, now);
    return type === "Pods" ? start + value : Math.ceil(start * (1 + value / 100));
  });
  return selectPolicy === "Min" ? Math.min(...limits) : Math.max(...limits);
}

function downLimit(current: number, rules: HPAScalingRules | undefined, memory: Memory, now: number): number {
  const { policies = [], selectPolicy } = rules ?? {};
  if (selectPolicy === "Disabled") return current;
  const limits = policies.map(({ type, value, periodSeconds }) => {
    const start = before(current, periodSeconds, memory, now);
    return type === "Pods" ? start - value : Math.trunc(start * (1 - value / 100));
  });
  return selectPolicy === "Min" ? Math.max(...limits) : Math.min(...limits);
}

/** Notes that the target was scaled, for as long as a policy may ask. */
export function noteScaled(
  memory: Memory,
  { behavior }: HorizontalPodAutoscalerSpec,
  from: number,
  to: number,
  now: number,
): void {
  if (!behavior) return;
  const isUp = to > from;
  const rules = isUp ? behavior.scaleUp : behavior.scaleDown;
  const longest = Math.max(0, ...(rules?.policies ?? []).map(({ periodSeconds }) => periodSeconds * 1000));
  const kept = (isUp ? memory.ups : memory.downs).filter(({ at }) => at > now - longest);
  kept.push({ at: now, by: Math.abs(to - from) });
  if (isUp) memory.ups = kept;
  else memory.downs = kept;
}
