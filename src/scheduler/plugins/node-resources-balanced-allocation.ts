/** Prefers nodes whose resources a pod would bring to a like degree of use. */
import { type Given, readArguments } from "../framework/arguments.ts";
import type { NodeInfo } from "../framework/node-info.ts";
import { definePlugin, MAX_SCORE } from "../framework/plugin.ts";
import { amountIn } from "../framework/resource-names.ts";
import {
  countedResources,
  DEFAULT_RESOURCES,
  readResources,
  type WeightedResource,
} from "../framework/resource-scores.ts";
import { noResources, type Resources } from "../framework/resources.ts";

const HALF = MAX_SCORE / 2;
const NOTHING = noResources();

function readBalancedArguments(given: Given | undefined): readonly WeightedResource[] {
  return readArguments(given, (from) => {
    const resources = readResources(from, { most: 1 }) ?? [];
    return resources.length === 0 ? DEFAULT_RESOURCES : resources;
  });
}

/** Shares of one node at a time. */
const shares: number[] = [];

/** 100 less the standard deviation of the shares in use, in whole numbers. */
function balance(node: NodeInfo, more: Resources, resources: readonly WeightedResource[]): number {
  let count = 0;
  let sum = 0;
  for (const { name } of resources) {
    const allocatable = amountIn(node.allocatable, name);
    if (allocatable === 0) continue;
    const share = Math.min((amountIn(node.requested, name) + amountIn(more, name)) / allocatable, 1);
    shares[count++] = share;
    sum += share;
  }
  if (count < 2) return MAX_SCORE;
  if (count === 2) return Math.trunc((1 - Math.abs(shares[0]! - shares[1]!) / 2) * MAX_SCORE);
  const mean = sum / count;
  let squares = 0;
  for (let i = 0; i < count; i++) squares += (shares[i]! - mean) ** 2;
  return Math.trunc((1 - Math.sqrt(squares / count)) * MAX_SCORE);
}

function asksForNothing({ milliCPU, memory, ephemeralStorage, scalars }: Resources): boolean {
  return milliCPU === 0 && memory === 0 && ephemeralStorage === 0 && !scalars?.size;
}

export const nodeResourcesBalancedAllocation = definePlugin<readonly WeightedResource[]>({
  name: "NodeResourcesBalancedAllocation",
  weight: 1,
  arguments: readBalancedArguments,
  start: (_, resources) => ({
    prepareScore({ info: { requests } }) {
      if (asksForNothing(requests)) return undefined;
      const counted = countedResources(resources, requests);
      // How much better the pod makes it counts, not how well the node stands already.
      return {
        score: (node) =>
          HALF + Math.trunc((HALF + balance(node, requests, counted) - balance(node, NOTHING, counted)) / 2),
      };
    },
  }),
});
