/** Keeps pods out of the queue until all their scheduling gates are taken away. */
import { Pod } from "../../api/core/pods.ts";
import { definePlugin, requeueWhen } from "../framework/plugin.ts";
import { reject } from "../framework/rejection.ts";

const NAME = "SchedulingGates";

export const schedulingGates = definePlugin({
  name: NAME,
  start: () => ({
    preEnqueue({ spec }) {
      const gates = spec?.schedulingGates;
      if (!gates || gates.length === 0) return undefined;
      const names = gates.map(({ name }) => name).join(" ");
      return reject(
        NAME,
        "gated",
        `waiting for scheduling gates: [${names}]`,
        () => `take the scheduling gates ${names} off the pod`,
      );
    },
    requeue: [
      requeueWhen(
        Pod,
        ({ now, waiting }) =>
          now?.metadata.uid === waiting.uid && (now.spec?.schedulingGates?.length ?? 0) === 0,
      ),
    ],
  }),
});
