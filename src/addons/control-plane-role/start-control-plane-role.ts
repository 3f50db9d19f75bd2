/**
 * Tells by a label which machine has the control plane, as kubeadm does; `kubectl get nodes` shows it as the node's role.
 * Kubelets may not say it of themselves.
 */
import { Node } from "../../api/core/node.ts";
import type { Clock } from "../../base/clock.ts";
import type { Client } from "../../client/client.ts";
import type { Informers } from "../../client/informer/informers.ts";
import { isReason } from "../../client/status.ts";
import { WorkQueue } from "../../client/work-queue/work-queue.ts";

export interface ControlPlaneRoleOptions {
  /** May label nodes. */
  client: Client;
  informers: Informers;
  clock: Clock;
  /** Of the machine that this process runs on. */
  nodeName: string;
  log(level: "info" | "warn" | "error", text: string, facts?: Record<string, unknown>): void;
}

export const ROLE = "node-role.kubernetes.io/control-plane";
const TELL_AFTER = 3;

/** Each Node gets the label once: who takes it off does not find it there again until the program is started anew. */
export function startControlPlaneRole({ client, informers, clock, nodeName, log }: ControlPlaneRoleOptions): {
  stop(): Promise<void>;
} {
  const nodes = informers.of(Node);
  let told: string | undefined;
  const queue = new WorkQueue({
    clock,
    retry: { first: 100, longest: 60_000 },
    async work() {
      const node = nodes.lister.get("", nodeName);
      if (!node || node.metadata.uid === told) return;
      const { uid, labels = {} } = node.metadata;
      if (!Object.hasOwn(labels, ROLE)) {
        const metadata = { uid, labels: { [ROLE]: "" } };
        try {
          await client.resource(Node).patch(nodeName, { metadata }, { type: "merge" });
        } catch (error) {
          // It was deleted meanwhile, and perhaps another made, of which the informer tells.
          if (!isReason(error, "NotFound", "Conflict")) throw error;
          return;
        }
      }
      told = uid;
    },
    failed(_, error, attempt) {
      if (attempt === TELL_AFTER)
        log("warn", "the node could not be labelled as one of the control plane", { error: String(error) });
    },
  });
  const leave = nodes.subscribe(({ key, now, was }) => {
    if (key === nodeName && now && now.metadata.uid !== was?.metadata.uid) queue.add(key);
  });
  nodes.start();
  void nodes.synced.then(() => queue.start());
  return {
    async stop() {
      leave();
      await queue.close();
    },
  };
}
