/** How well a node's resources are used once it has a pod (upstream: plugins/noderesources/resource_allocation.go). */
import type { ArgumentsReader } from "./arguments.ts";
import type { NodeInfo } from "./node-info.ts";
import { MAX_SCORE } from "./plugin.ts";
import { amountIn, isScalarResource } from "./resource-names.ts";
import type { Resources } from "./resources.ts";

export interface WeightedResource {
  name: string;
  weight: number;
}

export interface ShapePoint {
  utilization: number;
  score: number;
}

export const DEFAULT_RESOURCES: readonly WeightedResource[] = [
  { name: "cpu", weight: 1 },
  { name: "memory", weight: 1 },
];

export function readResources(
  from: ArgumentsReader,
  weights: { most: number },
): WeightedResource[] | undefined {
  return from.list("resources", (item) => {
    const name = item.text("name", "");
    if (name === "") throw item.missing("name");
    return { name, weight: item.number("weight", 1, 1, weights.most) };
  });
}

/** Whether the resource counts: one that few nodes have counts only for pods that ask for it. */
export function countedResources(
  resources: readonly WeightedResource[],
  asked: Resources,
): readonly WeightedResource[] {
  return resources.filter(({ name }) => !isScalarResource(name) || amountIn(asked, name) > 0);
}

type Score = (requested: number, allocatable: number) => number;

export function leastAllocated(requested: number, allocatable: number): number {
  return requested > allocatable ? 0 : Math.trunc(((allocatable - requested) * MAX_SCORE) / allocatable);
}

export function mostAllocated(requested: number, allocatable: number): number {
  return Math.trunc((Math.min(requested, allocatable) * MAX_SCORE) / allocatable);
}

const FULL = 100;

/** Straight lines between the points of a shape; level beyond its ends. In whole numbers. */
export function brokenLine(shape: readonly ShapePoint[]): (utilization: number) => number {
  return (utilization) => {
    for (const [i, point] of shape.entries()) {
      if (utilization > point.utilization) continue;
      const before = shape[i - 1];
      if (!before) return point.score;
      const rise = (point.score - before.score) * (utilization - before.utilization);
      return before.score + Math.trunc(rise / (point.utilization - before.utilization));
    }
    return shape.at(-1)?.score ?? 0;
  };
}

/** Scores by the utilization that the pod would bring about. */
export function requestedToCapacityRatio(shape: readonly ShapePoint[]): Score {
  const line = brokenLine(shape);
  return (requested, allocatable) =>
    line(requested > allocatable ? FULL : Math.trunc((requested * FULL) / allocatable));
}

/** The mean over the resources, by their weights. `onlyPositive`: a resource that scores 0 does not count. */
export function meanScore(
  node: NodeInfo,
  asked: Resources,
  resources: readonly WeightedResource[],
  score: Score,
  onlyPositive: boolean,
): number {
  let sum = 0;
  let weights = 0;
  for (const { name, weight } of resources) {
    const allocatable = amountIn(node.allocatable, name);
    if (allocatable === 0) continue;
    const one = score(amountIn(node.scored, name) + amountIn(asked, name), allocatable);
    if (onlyPositive && one <= 0) continue;
    sum += one * weight;
    weights += weight;
  }
  if (weights === 0) return 0;
  return onlyPositive ? Math.round(sum / weights) : Math.trunc(sum / weights);
}
