/** Keeps pods off nodes with taints that they do not tolerate, and prefers nodes with fewer that they would rather avoid. */
import { Node } from "../../api/core/node.ts";
import { Pod } from "../../api/core/pods.ts";
import { toleratesTaint, untoleratedTaint } from "../../api/core/tolerations.ts";
import type { Taint, Toleration } from "../../api/schema/core.v1.generated.ts";
import { normalizeByHighest } from "../framework/normalize.ts";
import { definePlugin, requeueWhen } from "../framework/plugin.ts";
import { type Rejection, reject } from "../framework/rejection.ts";

const NAME = "TaintToleration";
const HARD = ["NoSchedule", "NoExecute"];
const SOFT = "PreferNoSchedule";
const REASON = "node(s) had untolerated taint(s)";

type Tolerations = readonly Toleration[] | undefined;

function textOf({ key, value, effect }: Taint): string {
  return `${key}${value ? `=${value}` : ""}:${effect}`;
}

/** One rejection for each taint, however many nodes have it. */
function rejections(): (taint: Taint) => Rejection {
  const made = new Map<string, Rejection>();
  return (taint) => {
    const text = textOf(taint);
    let known = made.get(text);
    if (!known) {
      known = reject(
        NAME,
        "unresolvable",
        REASON,
        () => `take the taint ${text} off the node or let the pod tolerate it`,
      );
      made.set(text, known);
    }
    return known;
  };
}

function sameTaints(a: readonly Taint[] | undefined, b: readonly Taint[] | undefined): boolean {
  return (a ?? []).map(textOf).join() === (b ?? []).map(textOf).join();
}

function softTolerations(given: Tolerations): readonly Toleration[] {
  return given?.filter(({ effect }) => !effect || effect === SOFT) ?? [];
}

export const taintToleration = definePlugin({
  name: NAME,
  weight: 3,
  start: () => {
    const rejectionOf = rejections();
    return {
      prepareFilter({ pod }) {
        const tolerations = pod.spec?.tolerations;
        return {
          twin: () => JSON.stringify([NAME, tolerations]),
          filter({ node }) {
            const taints = node.spec?.taints;
            if (taints === undefined || taints.length === 0) return undefined;
            const untolerated = untoleratedTaint(taints, tolerations, HARD);
            return untolerated && rejectionOf(untolerated);
          },
        };
      },
      prepareScore({ pod }) {
        const tolerations = softTolerations(pod.spec?.tolerations);
        return {
          score({ node }) {
            const taints = node.spec?.taints;
            if (taints === undefined) return 0;
            let count = 0;
            for (const taint of taints) {
              if (taint.effect !== SOFT) continue;
              if (!tolerations.some((toleration) => toleratesTaint(toleration, taint))) count++;
            }
            return count;
          },
          normalize: (scores) => normalizeByHighest(scores, true),
        };
      },
      requeue: [
        requeueWhen(Node, ({ was, now, waiting }) => {
          if (!now || (was && sameTaints(was.spec?.taints, now.spec?.taints))) return false;
          return !untoleratedTaint(now.spec?.taints, waiting.pod.spec?.tolerations, HARD);
        }),
        requeueWhen(
          Pod,
          ({ was, now, waiting }) =>
            now?.metadata.uid === waiting.uid &&
            (now.spec?.tolerations?.length ?? 0) !== (was?.spec?.tolerations?.length ?? 0),
        ),
      ],
    };
  },
});
