/** Which pods belong together where no constraint says so: those of the same Services and of the same owner. */
import { ReplicaSet } from "../../../api/apps/replica-set.ts";
import { StatefulSet } from "../../../api/apps/stateful-set.ts";
import { type Pod, ReplicationController } from "../../../api/core/pods.ts";
import { Service } from "../../../api/core/services.ts";
import type { Informers } from "../../../client/informer/informers.ts";
import { controllerOf } from "../../../machinery/meta/owner.ts";
import {
  type LabelRequirement,
  type LabelSelector,
  labelSelectorOf,
  selectorFromSet,
  selectorOf,
} from "../../../machinery/selectors/labels.ts";

/** Services by one pair of their selector: those that may mean a pod are found by the pod's labels. */
const PAIR = "selectorPair";

function firstPair({ metadata, spec }: Service): readonly string[] {
  const selector = spec?.selector;
  const [key] = Object.keys(selector ?? {}).sort();
  return key === undefined ? [] : [`${metadata.namespace} ${key}=${selector?.[key]}`];
}

export type DefaultSelector = (pod: Pod) => LabelSelector | undefined;

/** Undefined: nothing belongs together with the pod. */
export function defaultSelector(informers: Informers): DefaultSelector {
  const ofServices = informers.of(Service);
  ofServices.addIndex(PAIR, firstPair);
  const services = ofServices.lister;
  const controllers = informers.of(ReplicationController).lister;
  const replicaSets = informers.of(ReplicaSet).lister;
  const statefulSets = informers.of(StatefulSet).lister;

  const addServices = ({ metadata: { namespace, labels = {} } }: Pod, set: Map<string, string>): void => {
    if (services.size === 0) return;
    for (const key of Object.keys(labels)) {
      for (const { spec } of services.by(PAIR, `${namespace} ${key}=${labels[key]}`)) {
        const selector = spec?.selector ?? {};
        if (!selectorFromSet(selector).matches(labels)) continue;
        for (const [name, value] of Object.entries(selector)) set.set(name, value);
      }
    }
  };

  return (pod) => {
    const { namespace = "" } = pod.metadata;
    const set = new Map<string, string>();
    addServices(pod, set);
    let more: readonly LabelRequirement[] = [];
    const owner = controllerOf(pod);
    if (owner?.kind === "ReplicationController") {
      const selector = controllers.get(namespace, owner.name)?.spec?.selector ?? {};
      for (const [name, value] of Object.entries(selector)) set.set(name, value);
    } else if (owner?.kind === "ReplicaSet" || owner?.kind === "StatefulSet") {
      const owned = (owner.kind === "ReplicaSet" ? replicaSets : statefulSets).get(namespace, owner.name);
      if (owned?.spec?.selector) more = labelSelectorOf(owned.spec.selector).requirements;
    }
    if (set.size === 0 && more.length === 0) return undefined;
    const pairs = [...set].map(([key, value]) => ({ key, operator: "=" as const, values: [value] }));
    return selectorOf([...pairs, ...more]);
  };
}
