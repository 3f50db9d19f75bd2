import type { Node, NodeCondition } from "../../api/core/node.ts";

export function nodeCondition(node: Node, type: string): NodeCondition | undefined {
  return node.status?.conditions?.find((condition) => condition.type === type);
}
