/** Which of its endpoints a service's port leads to from this node: policies, topology, and those that terminate. */
import { isExternallyAccessible, type ServiceSpec } from "../../api/core/service/types.ts";
import type { Endpoint } from "./endpoints.ts";

export interface Place {
  nodeName: string;
  /** Of the node's label topology.kubernetes.io/zone. */
  zone: string | undefined;
}

export interface ChosenEndpoints {
  /** For traffic under the policy Cluster. */
  cluster: readonly Endpoint[];
  /** On this node, for traffic under the policy Local. */
  local: readonly Endpoint[];
  /** Whether somewhere is any: else traffic is refused rather than dropped. */
  any: boolean;
}

export const isInternalLocal = ({ internalTrafficPolicy }: ServiceSpec): boolean =>
  internalTrafficPolicy === "Local";

export const isExternalLocal = (spec: ServiceSpec): boolean =>
  isExternallyAccessible(spec) && spec.externalTrafficPolicy === "Local";

export function chooseEndpoints(
  spec: ServiceSpec,
  endpoints: readonly Endpoint[],
  place: Place,
): ChosenEndpoints {
  const ready = endpoints.filter((endpoint) => endpoint.ready);
  const leaving = endpoints.filter(({ serving, terminating }) => serving && terminating);
  const usesLocal = isInternalLocal(spec) || isExternalLocal(spec);
  const near = nearest(ready, place);
  const cluster = near.length > 0 ? near : leaving;
  if (!usesLocal) return { cluster, local: [], any: cluster.length > 0 };
  const localReady = ready.filter(({ local }) => local);
  const local = localReady.length > 0 ? localReady : leaving.filter((endpoint) => endpoint.local);
  return { cluster, local, any: cluster.length > 0 || local.length > 0 };
}

/**
 * Hints hold only where every endpoint has some and one of them is meant for this place: otherwise the whole list, as
 * part of it would be overloaded while the controller still writes hints.
 */
function nearest(ready: readonly Endpoint[], { nodeName, zone }: Place): readonly Endpoint[] {
  if (ready.every(({ nodes }) => nodes !== undefined)) {
    const own = ready.filter(({ nodes }) => nodes!.includes(nodeName));
    if (own.length > 0) return own;
  }
  if (zone !== undefined && zone !== "" && ready.every(({ zones }) => zones !== undefined)) {
    const own = ready.filter(({ zones }) => zones!.includes(zone));
    if (own.length > 0) return own;
  }
  return ready;
}
