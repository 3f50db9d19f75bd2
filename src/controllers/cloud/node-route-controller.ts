/**
 * Keeps the cloud's routes to the pods of each node, and tells by NetworkUnavailable whether a node has all of its own
 * (upstream: k8s.io/cloud-provider/controllers/route). All nodes are one key: a cloud lists its routes at once.
 */
import { Node, type NodeCondition } from "../../api/core/node.ts";
import type { Client } from "../../client/client.ts";
import type { WorkResult } from "../../client/work-queue/work-queue.ts";
import { formatTime } from "../../machinery/time/time.ts";
import { nodeCondition } from "../nodes/node-condition.ts";
import type { Route } from "../runtime/cloud-provider.ts";
import { defineController, input } from "../runtime/controller.ts";
import { cloudOf } from "./local-provider.ts";

const ALL = "routes";
/** Upstream's --route-reconciliation-period: others may take routes away, and a cloud cannot be watched. */
const EVERY_MS = 10_000;

export const nodeRouteController = defineController<{ nodes: Node }>({
  name: "node-route-controller",
  account: "route-controller",
  eventSource: "route_controller",
  inputs: { nodes: input(Node, ({ now, was }) => (cidrsOf(now) === cidrsOf(was) ? [] : [ALL])) },
  start({ client, clock, events, settings }, { nodes }) {
    const { routes } = cloudOf(settings);
    return async (): Promise<WorkResult> => {
      if (!routes) return undefined;
      const all = nodes.list();
      const plan = routePlan(all, await routes.list());
      await Promise.all(plan.remove.map((route) => routes.delete(route)));
      const failed = new Set<string>();
      for (const route of plan.create) {
        try {
          await routes.create(route);
        } catch (error) {
          failed.add(route.node);
          const why = error instanceof Error ? error.message : String(error);
          const text = `Could not create route ${route.cidr} for node ${route.node}: ${why}`;
          const node = all.find(({ metadata }) => metadata.name === route.node);
          if (node) events.record(node, "Warning", "FailedToCreateRoute", text);
        }
      }
      const time = formatTime(clock.now());
      for (const node of all) {
        const available = !failed.has(node.metadata.name!) && cidrsOf(node) !== "";
        await tellAvailable(client, node, available, time);
      }
      return { after: EVERY_MS };
    };
  },
});

function cidrsOf(node: Node | undefined): string {
  return (node?.spec?.podCIDRs ?? []).join(",");
}

export function routePlan(
  nodes: readonly Node[],
  routes: readonly Route[],
): { create: Route[]; remove: Route[] } {
  const wanted = new Map<string, Route>();
  for (const { metadata, spec } of nodes) {
    for (const cidr of spec?.podCIDRs ?? []) {
      wanted.set(`${cidr} ${metadata.name}`, { node: metadata.name!, cidr });
    }
  }
  const remove: Route[] = [];
  for (const route of routes) if (!wanted.delete(`${route.cidr} ${route.node}`)) remove.push(route);
  return { create: [...wanted.values()], remove };
}

async function tellAvailable(client: Client, node: Node, available: boolean, time: string): Promise<void> {
  const status = available ? "False" : "True";
  if (nodeCondition(node, "NetworkUnavailable")?.status === status) return;
  const condition: NodeCondition = {
    type: "NetworkUnavailable",
    status,
    reason: available ? "RouteCreated" : "NoRouteCreated",
    message: available ? "RouteController created a route" : "RouteController failed to create a route",
    lastTransitionTime: time,
  };
  const patch = { status: { conditions: [condition] } };
  await client.resource(Node).patch(node.metadata.name!, patch, { type: "strategic", subresource: "status" });
}
