/** The topology spread constraints of a pod, compiled. */
import { type NodeMatcher, requiredNodeMatcher } from "../../../api/core/node-selector.ts";
import type { Pod } from "../../../api/core/pods.ts";
import { untoleratedTaint } from "../../../api/core/tolerations.ts";
import type { PodSpec, TopologySpreadConstraint } from "../../../api/schema/core.v1.generated.ts";
import {
  type LabelRequirement,
  type LabelSelector,
  labelRequirement,
  labelSelectorOf,
  selectorOf,
} from "../../../machinery/selectors/labels.ts";
import { labelOf } from "../../framework/domain-counts.ts";
import type { NodeInfo } from "../../framework/node-info.ts";
import type { PodInfo } from "../../framework/pod-info.ts";

export interface Constraint {
  topologyKey: string;
  maxSkew: number;
  minDomains: number;
  selector: LabelSelector;
  /** Whether the pod itself counts. */
  selfMatch: boolean;
  /** Nodes that the pod's node affinity, or its tolerations, keep it off do not count. */
  honorsAffinity: boolean;
  honorsTaints: boolean;
}

export type Action = "DoNotSchedule" | "ScheduleAnyway";

/** matchLabelKeys are merged into new pods by the API server; once more does no harm. */
function selectorWithKeys(given: TopologySpreadConstraint, pod: Pod): LabelSelector {
  const selector = labelSelectorOf(given.labelSelector);
  const { labels } = pod.metadata;
  const keys = given.matchLabelKeys ?? [];
  if (keys.length === 0 || !given.labelSelector || !labels) return selector;
  const more: LabelRequirement[] = [];
  for (const key of keys) {
    if (Object.hasOwn(labels, key)) more.push(labelRequirement(key, "in", [labels[key]!]));
  }
  return selectorOf([...selector.requirements, ...more]);
}

export function compileConstraint(
  given: TopologySpreadConstraint,
  pod: Pod,
  selector?: LabelSelector,
): Constraint {
  const selects = selector ?? selectorWithKeys(given, pod);
  return {
    topologyKey: given.topologyKey,
    maxSkew: given.maxSkew,
    minDomains: given.minDomains ?? 1,
    selector: selects,
    selfMatch: selects.matches(pod.metadata.labels),
    honorsAffinity: given.nodeAffinityPolicy !== "Ignore",
    honorsTaints: given.nodeTaintsPolicy === "Honor",
  };
}

interface Own {
  DoNotSchedule: readonly Constraint[];
  ScheduleAnyway: readonly Constraint[];
}

const NONE: Own = { DoNotSchedule: [], ScheduleAnyway: [] };
const compiled = new WeakMap<Pod, Own>();

/** Of the pod's own constraints, by what is to be done where they do not hold. */
export function ownConstraints(pod: Pod): Own {
  const given = pod.spec?.topologySpreadConstraints;
  if (!given || given.length === 0) return NONE;
  let own = compiled.get(pod);
  if (!own) {
    const of = (action: Action) =>
      given
        .filter(({ whenUnsatisfiable }) => whenUnsatisfiable === action)
        .map((each) => compileConstraint(each, pod));
    own = { DoNotSchedule: of("DoNotSchedule"), ScheduleAnyway: of("ScheduleAnyway") };
    compiled.set(pod, own);
  }
  return own;
}

const HARD_EFFECTS = ["NoSchedule", "NoExecute"];

/** Which nodes count for the constraints of one pod, and how to name that in a key. */
export class Inclusion {
  private readonly spec: PodSpec;
  private readonly matches: NodeMatcher | undefined;
  private readonly required: readonly string[];

  /** `required`: topology keys that a node must have for any constraint to count it. */
  constructor(pod: Pod, required: readonly string[]) {
    this.spec = pod.spec as PodSpec;
    this.matches = requiredNodeMatcher(this.spec);
    this.required = required;
  }

  key({ honorsAffinity, honorsTaints }: Constraint): string {
    const { nodeSelector, affinity, tolerations } = this.spec;
    let key = this.required.length > 1 ? this.required.join() : "";
    if (honorsAffinity && this.matches) {
      key += `\n${JSON.stringify([nodeSelector, affinity?.nodeAffinity])}`;
    }
    if (honorsTaints) key += `\n${JSON.stringify(tolerations ?? [])}`;
    return key;
  }

  /** Undefined: every node. */
  of({ honorsAffinity, honorsTaints }: Constraint): ((node: NodeInfo) => boolean) | undefined {
    const { matches, required } = this;
    const { tolerations } = this.spec;
    const byAffinity = honorsAffinity ? matches : undefined;
    if (!byAffinity && !honorsTaints && required.length < 2) return undefined;
    return (info) => {
      if (lacksKey(info, required)) return false;
      if (byAffinity && !byAffinity(info.node)) return false;
      return !honorsTaints || !untoleratedTaint(info.node.spec?.taints, tolerations, HARD_EFFECTS);
    };
  }
}

export function lacksKey(node: NodeInfo, keys: readonly string[]): boolean {
  for (const key of keys) if (labelOf(node, key) === undefined) return true;
  return false;
}

/** Pods of the namespace that the selector means, unless they are on their way out. A selector of everything counts none. */
export function counts(namespace: string, selector: LabelSelector): (info: PodInfo) => boolean {
  if (selector.everything) return () => false;
  return ({ pod: { metadata } }) =>
    metadata.namespace === namespace &&
    metadata.deletionTimestamp === undefined &&
    selector.matches(metadata.labels);
}
