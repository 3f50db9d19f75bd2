/**
 * Takes nodes out whose machine is no more, and taints those that are switched off (upstream:
 * k8s.io/cloud-provider/controllers/nodelifecycle).
 */
import { Node } from "../../api/core/node.ts";
import { isReason } from "../../client/status.ts";
import type { WorkResult } from "../../client/work-queue/work-queue.ts";
import { formatTime } from "../../machinery/time/time.ts";
import { nodeCondition } from "../nodes/node-condition.ts";
import { referenceToNode } from "../nodes/node-events.ts";
import { changedTaints, patchNode } from "../nodes/taints.ts";
import { defineController, input } from "../runtime/controller.ts";
import { cloudOf } from "./local-provider.ts";

const SHUTDOWN = { key: "node.cloudprovider.kubernetes.io/shutdown", effect: "NoSchedule" };
/** Upstream's --node-monitor-period: as long as a node is not ready the cloud is asked again, for it cannot be watched. */
const AGAIN_MS = 5_000;

export const cloudNodeLifecycleController = defineController<{ nodes: Node }>({
  name: "cloud-node-lifecycle-controller",
  account: "node-controller",
  inputs: {
    nodes: input(Node, ({ key, now, was }) =>
      now && readiness(now) !== (was && readiness(was)) ? [key] : [],
    ),
  },
  start({ client, clock, events, settings }, { nodes }) {
    const { instances } = cloudOf(settings);
    return async (name): Promise<WorkResult> => {
      const node = nodes.get("", name);
      const ready = node && readiness(node);
      if (!node || !instances || ready === "never posted") return undefined;
      const taint = async (add: boolean): Promise<void> => {
        const now = formatTime(clock.now());
        const taints = changedTaints(node.spec?.taints, add ? [SHUTDOWN] : [], add ? [] : [SHUTDOWN], now);
        if (taints) await patchNode(client, node, { taints });
      };
      if (ready === "True") {
        await taint(false);
        return undefined;
      }
      const instance = await instances.find(node);
      if (instance) {
        if (instance.shutdown) await taint(true);
        return { after: AGAIN_MS };
      }
      const { uid } = node.metadata;
      const text = `Deleting node ${name} because it does not exist in the cloud provider`;
      events.record(referenceToNode({ name, uid }), "Normal", "DeletingNode", text);
      try {
        await client.resource(Node).delete(name, { preconditions: { uid } });
      } catch (error) {
        if (!isReason(error, "NotFound", "Conflict")) throw error;
      }
      return undefined;
    };
  },
});

function readiness(node: Node): string {
  return nodeCondition(node, "Ready")?.status ?? "never posted";
}
