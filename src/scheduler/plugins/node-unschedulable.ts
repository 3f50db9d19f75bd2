/** Keeps pods off cordoned nodes unless they tolerate the cordon. */
import { Node } from "../../api/core/node.ts";
import { Pod } from "../../api/core/pods.ts";
import { toleratesTaint } from "../../api/core/tolerations.ts";
import { definePlugin, requeueWhen } from "../framework/plugin.ts";
import { reject } from "../framework/rejection.ts";

const NAME = "NodeUnschedulable";
const CORDON = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" };
const CORDONED = reject(NAME, "unresolvable", "node(s) were unschedulable", () => "uncordon the node");

function bearsCordon({ spec }: Pod): boolean {
  return spec?.tolerations?.some((toleration) => toleratesTaint(toleration, CORDON)) ?? false;
}

export const nodeUnschedulable = definePlugin({
  name: NAME,
  start: () => ({
    prepareFilter({ pod }) {
      if (bearsCordon(pod)) return undefined;
      return {
        twin: () => NAME,
        filter: ({ node }) => (node.spec?.unschedulable ? CORDONED : undefined),
      };
    },
    requeue: [
      requeueWhen(
        Node,
        ({ was, now }) =>
          now !== undefined && !now.spec?.unschedulable && (!was || !!was.spec?.unschedulable),
      ),
      requeueWhen(Pod, ({ now, waiting }) => now?.metadata.uid === waiting.uid && bearsCordon(now)),
    ],
  }),
});
