/** A pod that names its node goes to no other. */
import { Node } from "../../api/core/node.ts";
import { definePlugin, requeueWhen } from "../framework/plugin.ts";
import { reject } from "../framework/rejection.ts";

const NAME = "NodeName";

export const nodeName = definePlugin({
  name: NAME,
  start: () => ({
    prepareFilter({ pod }) {
      const asked = pod.spec?.nodeName;
      if (!asked) return undefined;
      const other = reject(
        NAME,
        "unresolvable",
        "node(s) didn't match the requested node name",
        () => `add a node named ${asked}`,
      );
      return { twin: () => `${NAME} ${asked}`, filter: ({ name }) => (name === asked ? undefined : other) };
    },
    requeue: [
      requeueWhen(
        Node,
        ({ was, now, waiting }) => !was && now?.metadata.name === (waiting.pod.spec?.nodeName ?? ""),
      ),
    ],
  }),
});
