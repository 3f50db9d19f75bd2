/** Keeps pods off nodes that have too little left for them, and scores nodes by what they would have left. */
import { Node } from "../../api/core/node.ts";
import { Pod } from "../../api/core/pods.ts";
import { type ArgumentsReader, type Given, readArguments } from "../framework/arguments.ts";
import { NodeInfo } from "../framework/node-info.ts";
import { definePlugin, type NodeFilter, requeueWhen } from "../framework/plugin.ts";
import { isOwnChange, podThatLeft } from "../framework/pod-changes.ts";
import { PodInfo } from "../framework/pod-info.ts";
import { type Rejection, reject } from "../framework/rejection.ts";
import { amountIn, formatAmount, isExtendedResource } from "../framework/resource-names.ts";
import {
  countedResources,
  DEFAULT_RESOURCES,
  leastAllocated,
  meanScore,
  mostAllocated,
  readResources,
  requestedToCapacityRatio,
  type ShapePoint,
  type WeightedResource,
} from "../framework/resource-scores.ts";
import type { Resources } from "../framework/resources.ts";

const NAME = "NodeResourcesFit";
const TOO_MANY = "Too many pods";

interface Arguments {
  isIgnored: (resource: string) => boolean;
  resources: readonly WeightedResource[];
  score: (requested: number, allocatable: number) => number;
  onlyPositive: boolean;
}

const STRATEGIES = ["LeastAllocated", "MostAllocated", "RequestedToCapacityRatio"];
/** Shapes are given from 0 to 10, scores are from 0 to 100. */
const SHAPE_SCALE = 10;

function readShape(from: ArgumentsReader): ShapePoint[] {
  const shape = from.list("shape", (point) => ({
    utilization: point.number("utilization", 0, 0, 100),
    score: point.number("score", 0, 0, SHAPE_SCALE) * SHAPE_SCALE,
  }));
  if (!shape || shape.length === 0) throw from.missing("shape", "at least one point must be specified");
  for (let i = 1; i < shape.length; i++) {
    const { utilization } = shape[i]!;
    if (utilization > shape[i - 1]!.utilization) continue;
    throw from.invalid(
      `shape[${i}].utilization`,
      utilization,
      "utilization values must be sorted in increasing order",
    );
  }
  return shape;
}

function readStrategy(from: ArgumentsReader): Omit<Arguments, "isIgnored"> {
  const type = from.text("type", STRATEGIES[0]!, STRATEGIES);
  const resources = readResources(from, { most: 100 }) ?? [];
  const shape = from.object("requestedToCapacityRatio", readShape);
  if (type === "RequestedToCapacityRatio" && !shape) throw from.missing("requestedToCapacityRatio.shape");
  const score =
    type === "RequestedToCapacityRatio"
      ? requestedToCapacityRatio(shape!)
      : type === "MostAllocated"
        ? mostAllocated
        : leastAllocated;
  return {
    resources: resources.length === 0 ? DEFAULT_RESOURCES : resources,
    score,
    onlyPositive: type === "RequestedToCapacityRatio",
  };
}

export function readFitArguments(given: Given | undefined): Arguments {
  return readArguments(given, (from) => {
    const ignored = new Set(from.texts("ignoredResources"));
    const groups = new Set(from.texts("ignoredResourceGroups"));
    for (const [i, group] of [...groups].entries()) {
      if (group.includes("/")) {
        throw from.invalid(`ignoredResourceGroups[${i}]`, group, "resource group name can't contain '/'");
      }
    }
    const strategy = from.object("scoringStrategy", readStrategy) ?? readStrategyDefaults();
    return {
      ...strategy,
      isIgnored: (name) =>
        isExtendedResource(name) && (ignored.has(name) || groups.has(name.slice(0, name.indexOf("/")))),
    };
  });
}

function readStrategyDefaults(): Omit<Arguments, "isIgnored"> {
  return { resources: DEFAULT_RESOURCES, score: leastAllocated, onlyPositive: false };
}

const POD_COUNT = "pods";

function adviceFor(asked: Resources, lacking: readonly string[], isResolvable: boolean): string {
  const amounts = lacking.map((name) =>
    name === POD_COUNT ? "room for one more pod" : `${formatAmount(name, amountIn(asked, name))} of ${name}`,
  );
  const what = amounts.join(" and ");
  return isResolvable
    ? `free ${what} on a node, let the pod ask for less, or add a node`
    : `the pod asks for more than such a node has at all: add a larger node, or let the pod ask for less (${what})`;
}

/** What a node may lack, each with its bit; the last says that the node is too small even when empty. */
const PODS = 1;
const CPU = 2;
const MEMORY = 4;
const EPHEMERAL_STORAGE = 8;
const TOO_SMALL = 16;
const NAMES: readonly [number, string][] = [
  [PODS, POD_COUNT],
  [CPU, "cpu"],
  [MEMORY, "memory"],
  [EPHEMERAL_STORAGE, "ephemeral-storage"],
];

function lackOf(bit: number, asked: number, allocatable: number, requested: number): number {
  if (asked === 0 || asked <= allocatable - requested) return 0;
  return asked > allocatable ? bit | TOO_SMALL : bit;
}

/** What pods that ask for the same were told, by what the nodes lack; of those that were rejected last. */
const told = new Map<string, Map<number | string, Rejection>>();
const MOST_TOLD = 128;

/**
 * Nodes are not asked again while nothing changes on them: with one value for all pods that ask for the same, what they
 * said to many pods is counted as fast as what they say to one.
 */
function toldTo(asked: Resources): Map<number | string, Rejection> {
  const key = twinOf(asked);
  let known = told.get(key);
  if (!known) {
    known = new Map();
    told.set(key, known);
    if (told.size > MOST_TOLD) told.delete(told.keys().next().value as string);
  }
  return known;
}

/** Judges by what every node has in numbers alone; one rejection stands for all nodes that lack the same. */
function fits(
  asked: Resources,
  isIgnored: (name: string) => boolean,
): (node: NodeInfo) => Rejection | undefined {
  const { milliCPU, memory, ephemeralStorage } = asked;
  const scalars = [...(asked.scalars ?? [])].filter(([name, amount]) => amount > 0 && !isIgnored(name));
  let made: Map<number | string, Rejection> | undefined;

  const rejection = (key: number | string, bits: number, more: readonly string[]): Rejection => {
    made ??= toldTo(asked);
    let known = made.get(key);
    if (!known) {
      const lacking = [...NAMES.filter(([bit]) => bits & bit).map(([, name]) => name), ...more];
      const reasons = lacking.map((name) => (name === POD_COUNT ? TOO_MANY : `Insufficient ${name}`));
      const isResolvable = (bits & TOO_SMALL) === 0;
      const advice = () => adviceFor(asked, lacking, isResolvable);
      known = reject(NAME, isResolvable ? "unschedulable" : "unresolvable", reasons, advice);
      made.set(key, known);
    }
    return known;
  };

  const withScalars = ({ allocatable, requested }: NodeInfo, lack: number): Rejection | undefined => {
    let bits = lack;
    let lacking: string[] | undefined;
    for (const [name, amount] of scalars) {
      const has = amountIn(allocatable, name);
      if (amount <= has - amountIn(requested, name)) continue;
      lacking ??= [];
      lacking.push(name);
      if (amount > has) bits |= TOO_SMALL;
    }
    if (!lacking) return bits === 0 ? undefined : rejection(bits, bits, []);
    return rejection(`${bits} ${lacking.join()}`, bits, lacking);
  };

  return (node) => {
    const { allocatable, requested } = node;
    const lack =
      (node.pods.size < node.allowedPods ? 0 : PODS) |
      lackOf(CPU, milliCPU, allocatable.milliCPU, requested.milliCPU) |
      lackOf(MEMORY, memory, allocatable.memory, requested.memory) |
      lackOf(EPHEMERAL_STORAGE, ephemeralStorage, allocatable.ephemeralStorage, requested.ephemeralStorage);
    if (scalars.length > 0) return withScalars(node, lack);
    return lack === 0 ? undefined : rejection(lack, lack, []);
  };
}

function twinOf({ milliCPU, memory, ephemeralStorage, scalars }: Resources): string {
  const more = scalars && scalars.size > 0 ? JSON.stringify([...scalars]) : "";
  return `${NAME} ${milliCPU} ${memory} ${ephemeralStorage} ${more}`;
}

function sharesResource(a: Resources, b: Resources): boolean {
  if (a.milliCPU > 0 && b.milliCPU > 0) return true;
  if (a.memory > 0 && b.memory > 0) return true;
  if (a.ephemeralStorage > 0 && b.ephemeralStorage > 0) return true;
  for (const [name, amount] of a.scalars ?? []) if (amount > 0 && b.scalars?.get(name)) return true;
  return false;
}

/** Whether there is less of anything. */
function isLess(now: Resources, was: Resources): boolean {
  const names = [...(was.scalars?.keys() ?? [])];
  return (
    now.milliCPU < was.milliCPU ||
    now.memory < was.memory ||
    now.ephemeralStorage < was.ephemeralStorage ||
    names.some((name) => amountIn(now, name) < amountIn(was, name))
  );
}

function gained(now: NodeInfo, was: NodeInfo, asked: Resources): boolean {
  const names = ["cpu", "memory", "ephemeral-storage", ...(asked.scalars?.keys() ?? [])];
  return (
    now.allowedPods > was.allowedPods ||
    names.some(
      (name) =>
        amountIn(asked, name) > 0 && amountIn(now.allocatable, name) > amountIn(was.allocatable, name),
    )
  );
}

/** One change is held against every pod that waits. */
const requests = new WeakMap<Pod, Resources>();

function requestsOf(pod: Pod): Resources {
  let known = requests.get(pod);
  if (!known) {
    known = new PodInfo(pod).requests;
    requests.set(pod, known);
  }
  return known;
}

function podMayHelp(change: { now?: Pod; was?: Pod; waiting: PodInfo }): boolean {
  const { now, was, waiting } = change;
  const left = podThatLeft(change);
  // It took one place among the pods, too.
  if (left) return true;
  if (!now || !was || (!now.spec?.nodeName && !isOwnChange(change, waiting))) return false;
  if (now.metadata.generation === was.metadata.generation && now.status === was.status) return false;
  const [after, before] = [requestsOf(now), requestsOf(was)];
  if (!isLess(after, before)) return false;
  return isOwnChange(change, waiting) || sharesResource(before, waiting.requests);
}

export const nodeResourcesFit = definePlugin<Arguments>({
  name: NAME,
  weight: 1,
  arguments: readFitArguments,
  start: (_, { isIgnored, resources, score, onlyPositive }) => ({
    prepareFilter: ({ info: { requests } }): NodeFilter => ({
      filter: fits(requests, isIgnored),
      twin: () => twinOf(requests),
    }),
    prepareScore({ info: { scored } }) {
      const counted = countedResources(resources, scored);
      return { score: (node) => meanScore(node, scored, counted, score, onlyPositive) };
    },
    requeue: [
      requeueWhen(Pod, podMayHelp),
      requeueWhen(Node, ({ was, now, waiting }) => {
        if (!now) return false;
        const node = new NodeInfo(now);
        if (fits(waiting.requests, isIgnored)(node)) return false;
        return !was || gained(node, new NodeInfo(was), waiting.requests);
      }),
    ],
  }),
});
