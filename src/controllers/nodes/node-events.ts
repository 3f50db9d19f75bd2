/** Events of nodes in the words of upstream's pkg/controller/util/node. */
import type { EventRecorder } from "../../client/events/event-recorder.ts";

export interface NodeNamed {
  name: string;
  uid: string | undefined;
}

export function recordNodeEvent(events: EventRecorder, node: NodeNamed, reason: string, note: string): void {
  events.record(referenceToNode(node), "Normal", reason, `Node ${node.name} event: ${note}`);
}

export function recordNodeStatusChange(events: EventRecorder, node: NodeNamed, status: string): void {
  events.record(referenceToNode(node), "Normal", status, `Node ${node.name} status is now: ${status}`);
}

export function referenceToNode({ name, uid }: NodeNamed) {
  return { apiVersion: "v1", kind: "Node", name, uid, namespace: "" };
}
