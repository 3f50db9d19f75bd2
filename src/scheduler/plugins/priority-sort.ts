/** The pod of the highest priority goes first; of equal ones that which waits longest. */
import { definePlugin } from "../framework/plugin.ts";

export const prioritySort = definePlugin({
  name: "PrioritySort",
  start: () => ({ queueSort: (a, b) => b.info.priority - a.info.priority || a.since - b.since }),
});
