/** A pod with what every decision about it needs, read off once. */

import type { Pod } from "../../api/core/pods.ts";
import type {
  PodAffinityTerm,
  PodSpec,
  WeightedPodAffinityTerm,
} from "../../api/schema/core.v1.generated.ts";
import { type LabelSelector, labelSelectorOf, NOTHING } from "../../machinery/selectors/labels.ts";
import { type Resources, requestsOfPod } from "./resources.ts";

/** A term of pod affinity, compiled. */
export interface AffinityTerm {
  topologyKey: string;
  selector: LabelSelector;
  /** Namespaces by name; of the pod's own where neither these nor a selector are given. */
  namespaces: ReadonlySet<string>;
  /** Namespaces by their labels; undefined: none beside those named. */
  namespaceSelector: LabelSelector | undefined;
}

export interface WeightedAffinityTerm extends AffinityTerm {
  weight: number;
}

export interface HostPort {
  ip: string;
  protocol: string;
  port: number;
}

export class PodInfo {
  /** The latest: the cache replaces it while nothing changes that is read off below. */
  pod: Pod;
  /** `namespace/name`. */
  readonly key: string;
  readonly uid: string;
  readonly priority: number;
  readonly requests: Resources;
  /** As `requests`, with small amounts in place of none. */
  readonly scored: Resources;
  readonly hostPorts: readonly HostPort[];
  readonly requiredAffinity: readonly AffinityTerm[];
  readonly requiredAntiAffinity: readonly AffinityTerm[];
  readonly preferredAffinity: readonly WeightedAffinityTerm[];
  readonly preferredAntiAffinity: readonly WeightedAffinityTerm[];

  constructor(pod: Pod) {
    const spec = pod.spec as PodSpec;
    const { namespace = "", name = "", uid = "" } = pod.metadata;
    this.pod = pod;
    this.key = `${namespace}/${name}`;
    this.uid = uid;
    this.priority = spec.priority ?? 0;
    const { requests, scored } = requestsOfPod(pod);
    this.requests = requests;
    this.scored = scored;
    this.hostPorts = hostPortsOf(spec);
    const { podAffinity, podAntiAffinity } = spec.affinity ?? {};
    this.requiredAffinity = terms(podAffinity?.requiredDuringSchedulingIgnoredDuringExecution, pod);
    this.requiredAntiAffinity = terms(podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution, pod);
    this.preferredAffinity = weighted(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution, pod);
    this.preferredAntiAffinity = weighted(
      podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution,
      pod,
    );
  }

  get hasAffinity(): boolean {
    return this.requiredAffinity.length > 0 || this.preferredAffinity.length > 0 || this.hasAntiAffinity;
  }

  get hasAntiAffinity(): boolean {
    return this.requiredAntiAffinity.length > 0 || this.preferredAntiAffinity.length > 0;
  }
}

const NO_PORTS: readonly HostPort[] = [];
const NO_TERMS: readonly never[] = [];

export function hostPortsOf({ containers, initContainers = [] }: PodSpec): readonly HostPort[] {
  let found: HostPort[] | undefined;
  const take = (container: PodSpec["containers"][number]): void => {
    for (const { hostPort, hostIP, protocol } of container.ports ?? []) {
      if (!hostPort) continue;
      found ??= [];
      found.push({ ip: hostIP || "0.0.0.0", protocol: protocol || "TCP", port: hostPort });
    }
  };
  for (const container of containers) take(container);
  for (const container of initContainers) if (container.restartPolicy === "Always") take(container);
  return found ?? NO_PORTS;
}

function terms(given: readonly PodAffinityTerm[] | undefined, pod: Pod): readonly AffinityTerm[] {
  return given ? given.map((term) => compiled(term, pod)) : NO_TERMS;
}

function weighted(
  given: readonly WeightedPodAffinityTerm[] | undefined,
  pod: Pod,
): readonly WeightedAffinityTerm[] {
  if (!given) return NO_TERMS;
  return given.map(({ weight, podAffinityTerm }) => ({ ...compiled(podAffinityTerm, pod), weight }));
}

/** matchLabelKeys are merged into the selector by the API server already. */
function compiled(term: PodAffinityTerm, { metadata }: Pod): AffinityTerm {
  const { topologyKey, labelSelector, namespaceSelector, namespaces = [] } = term;
  const own = namespaces.length === 0 && !namespaceSelector ? [metadata.namespace ?? ""] : namespaces;
  return {
    topologyKey,
    selector: labelSelector ? labelSelectorOf(labelSelector) : NOTHING,
    namespaces: new Set(own),
    namespaceSelector: namespaceSelector && labelSelectorOf(namespaceSelector),
  };
}
