/**
 * Tells kubelets by an annotation of their nodes how long they may keep Secrets and ConfigMaps before asking again: the
 * more nodes, the longer.
 */
import { Node } from "../api/core/node.ts";
import { isReason } from "../client/status.ts";
import { defineController, input } from "./runtime/controller.ts";

export const TTL_ANNOTATION = "node.alpha.kubernetes.io/ttl";

/** Upstream's steps; they overlap, so that a cluster at a boundary does not go to and fro. */
const STEPS = [
  { least: 0, most: 100, seconds: 0 },
  { least: 90, most: 500, seconds: 15 },
  { least: 450, most: 1000, seconds: 30 },
  { least: 900, most: 2000, seconds: 60 },
  { least: 1800, most: Number.POSITIVE_INFINITY, seconds: 300 },
] as const;

/** The step for so many nodes, coming from another. */
export function nextStep(step: number, nodes: number): number {
  let next = step;
  while (nodes > STEPS[next]!.most) next++;
  while (nodes < STEPS[next]!.least) next--;
  return next;
}

export function secondsAt(step: number): number {
  return STEPS[step]!.seconds;
}

export const ttlController = defineController<{ nodes: Node }>({
  name: "ttl-controller",
  account: "ttl-controller",
  queue: "ttlcontroller",
  workers: 5,
  inputs: {
    nodes: input(Node, ({ key, now, was }) => {
      const told = now?.metadata.annotations?.[TTL_ANNOTATION];
      return !now || !was || told !== was.metadata.annotations?.[TTL_ANNOTATION] ? [key] : [];
    }),
  },
  start({ client, again }, { nodes }) {
    let step = 0;
    return async (name) => {
      const next = nextStep(step, nodes.size);
      if (next !== step) {
        step = next;
        for (const { metadata } of nodes.list()) again(metadata.name!);
      }
      const node = nodes.get("", name);
      const ttl = String(secondsAt(step));
      if (!node || node.metadata.annotations?.[TTL_ANNOTATION] === ttl) return undefined;
      const patch = { metadata: { annotations: { [TTL_ANNOTATION]: ttl } } };
      try {
        await client.resource(Node).patch(name, patch, { type: "strategic" });
      } catch (error) {
        if (!isReason(error, "NotFound")) throw error;
      }
      return undefined;
    };
  },
});
