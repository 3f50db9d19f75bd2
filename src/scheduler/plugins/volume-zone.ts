/** Keeps pods to the zones and regions that their volumes are labelled with. */
import { Node } from "../../api/core/node.ts";
import { PersistentVolume } from "../../api/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import { claimKeysOf } from "../../api/storage/binding/pod-claims.ts";
import { keyOf, splitKey } from "../../client/informer/object-store.ts";
import { labelOf } from "../framework/domain-counts.ts";
import { definePlugin, requeueWhen } from "../framework/plugin.ts";
import { sameLabels } from "../framework/pod-changes.ts";
import { reject } from "../framework/rejection.ts";

const NAME = "VolumeZone";
const NO_ZONE = reject(
  NAME,
  "unresolvable",
  "node(s) had no available volume zone",
  () => "add nodes in the zone of the pod's volumes",
);

/** Each label with the one that says the same in the other style. */
const TOPOLOGY: ReadonlyMap<string, string> = new Map([
  ["topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone"],
  ["topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region"],
  ["failure-domain.beta.kubernetes.io/zone", "topology.kubernetes.io/zone"],
  ["failure-domain.beta.kubernetes.io/region", "topology.kubernetes.io/region"],
]);

interface Constraint {
  key: string;
  other: string;
  values: ReadonlySet<string>;
}

/** A label may name several zones. */
function constraintsOf({ metadata: { labels } }: PersistentVolume): Constraint[] {
  if (!labels) return [];
  return [...TOPOLOGY].flatMap(([key, other]) =>
    Object.hasOwn(labels, key) ? [{ key, other, values: new Set(labels[key]!.split("__")) }] : [],
  );
}

export const volumeZone = definePlugin({
  name: NAME,
  start({ informers }) {
    const claims = informers.of(PersistentVolumeClaim).lister;
    const volumes = informers.of(PersistentVolume).lister;
    return {
      prepareFilter({ pod }) {
        const constraints: Constraint[] = [];
        for (const key of claimKeysOf(pod)) {
          const { namespace, name } = splitKey(key);
          const volume = claims.get(namespace, name)?.spec.volumeName;
          const bound = volume ? volumes.get("", volume) : undefined;
          if (bound) constraints.push(...constraintsOf(bound));
        }
        if (constraints.length === 0) return undefined;
        return {
          filter(node) {
            // A cluster without zones puts no labels on its nodes.
            let isLabelled = false;
            for (const key of TOPOLOGY.keys()) if (labelOf(node, key) !== undefined) isLabelled = true;
            if (!isLabelled) return undefined;
            for (const { key, other, values } of constraints) {
              const value = labelOf(node, key) ?? labelOf(node, other);
              if (value === undefined || !values.has(value)) return NO_ZONE;
            }
            return undefined;
          },
        };
      },
      requeue: [
        requeueWhen(PersistentVolumeClaim, ({ now, waiting }) => {
          return now !== undefined && claimKeysOf(waiting.pod).includes(keyOf(now));
        }),
        requeueWhen(
          PersistentVolume,
          ({ was, now }) =>
            now !== undefined && (!was || !sameLabels(was.metadata.labels, now.metadata.labels)),
        ),
        requeueWhen(
          Node,
          ({ was, now }) =>
            now !== undefined && (!was || !sameLabels(was.metadata.labels, now.metadata.labels)),
        ),
      ],
    };
  },
});
