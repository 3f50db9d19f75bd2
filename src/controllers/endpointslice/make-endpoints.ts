/** The endpoints that the pods of a service are, those with the same ports together. */
import type { Node } from "../../api/core/node.ts";
import { isPodReady } from "../../api/core/pod/state.ts";
import type { Pod } from "../../api/core/pods.ts";
import type { Service } from "../../api/core/services.ts";
import type { Endpoint } from "../../api/schema/discovery.v1.generated.ts";
import {
  addressesOfFamily,
  hostnameOf,
  type IPFamily,
  isPublished,
  portsOf,
  targetReference,
} from "../services/published-pod.ts";
import { type PortGroup, portKey } from "../services/slices/pack-slices.ts";

export const ZONE = "topology.kubernetes.io/zone";

export function makeEndpoints(
  service: Service,
  pods: readonly Pod[],
  family: IPFamily,
  nodeOf: (name: string) => Node | undefined,
): PortGroup[] {
  const groups = new Map<string, { ports: PortGroup["ports"]; endpoints: Endpoint[] }>();
  for (const pod of pods) {
    if (!isPublished(pod, true)) continue;
    const addresses = addressesOfFamily(pod, family);
    if (addresses.length === 0) continue;
    const node = nodeOf(pod.spec?.nodeName ?? "");
    // A pod of a node that is not there (yet, or any more) is no endpoint, unless its user wants all to be.
    if (!node && !service.spec?.publishNotReadyAddresses) continue;
    const ports = portsOf(pod, service);
    const key = portKey(ports);
    const group = groups.get(key) ?? { ports, endpoints: [] };
    groups.set(key, group);
    group.endpoints.push(endpointOf(service, pod, addresses, node));
  }
  return [...groups.values()];
}

function endpointOf(service: Service, pod: Pod, addresses: string[], node: Node | undefined): Endpoint {
  const serving = isPodReady(pod);
  const terminating = pod.metadata.deletionTimestamp !== undefined;
  const ready = service.spec?.publishNotReadyAddresses === true || (serving && !terminating);
  const hostname = hostnameOf(pod, service);
  const zone = node?.metadata.labels?.[ZONE];
  return {
    addresses,
    conditions: { ready, serving, terminating },
    ...(hostname !== undefined && { hostname }),
    ...(pod.spec?.nodeName && { nodeName: pod.spec.nodeName }),
    ...(zone && { zone }),
    targetRef: targetReference(pod),
  };
}
