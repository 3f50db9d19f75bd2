/** What of a pod endpoints show. */
import { hasPodEnded, isPodReady, podCondition } from "../../api/core/pod/state.ts";
import type { Pod } from "../../api/core/pods.ts";
import type { Service } from "../../api/core/services.ts";
import type { ServicePort } from "../../api/schema/core.v1.generated.ts";

export interface PublishedPort {
  name: string;
  port: number;
  protocol: string;
  appProtocol?: string;
}

export type IPFamily = "IPv4" | "IPv6";

/** Whether a change is worth looking at the pod's services again; labels are looked at elsewhere. */
export function isPublishedOtherwise(now: Pod, was: Pod): boolean {
  if (now.metadata.deletionTimestamp !== was.metadata.deletionTimestamp) return true;
  if (now.spec !== was.spec && now.spec?.nodeName !== was.spec?.nodeName) return true;
  const { status: after } = now;
  const { status: before } = was;
  if (after?.phase !== before?.phase || after?.podIP !== before?.podIP) return true;
  if (isPodReady(now) !== isPodReady(was)) return true;
  const [ips = [], ipsBefore = []] = [after?.podIPs, before?.podIPs];
  if (ips.length !== ipsBefore.length || ips.some(({ ip }, i) => ip !== ipsBefore[i]?.ip)) return true;
  const { hostname, subdomain } = now.spec ?? {};
  return hostname !== was.spec?.hostname || subdomain !== was.spec?.subdomain;
}

/** Pods that ended or have no address are no endpoints. */
export function isPublished(pod: Pod, terminatingToo: boolean): boolean {
  if (hasPodEnded(pod) || addressesOf(pod).length === 0) return false;
  return terminatingToo || pod.metadata.deletionTimestamp === undefined;
}

function addressesOf({ status }: Pod): readonly string[] {
  if (status?.podIPs && status.podIPs.length > 0) return status.podIPs.map(({ ip }) => ip);
  return status?.podIP ? [status.podIP] : [];
}

export function familyOf(address: string): IPFamily {
  return address.includes(":") ? "IPv6" : "IPv4";
}

export function addressesOfFamily(pod: Pod, family: string): string[] {
  return addressesOf(pod).filter((address) => familyOf(address) === family);
}

/** The families that a service serves. Old headless services do not say. */
export function familiesOf({ spec }: Service): IPFamily[] {
  const families = (spec?.ipFamilies ?? []).filter((family) => family === "IPv4" || family === "IPv6");
  if (families.length > 0) return families;
  const { clusterIP } = spec ?? {};
  return [clusterIP && clusterIP !== "None" ? familyOf(clusterIP) : "IPv4"];
}

/** The ports of a service that the pod has. */
export function portsOf(pod: Pod, { spec }: Service): PublishedPort[] {
  const ports: PublishedPort[] = [];
  for (const servicePort of spec?.ports ?? []) {
    const port = targetPort(pod, servicePort);
    if (port === undefined) continue;
    const { name = "", protocol = "TCP", appProtocol } = servicePort;
    ports.push({ name, port, protocol, ...(appProtocol !== undefined && { appProtocol }) });
  }
  return ports;
}

function targetPort(
  { spec }: Pod,
  { port, targetPort: target, protocol = "TCP" }: ServicePort,
): number | undefined {
  if (target === undefined || target === 0 || target === "") return port;
  if (typeof target === "number") return target;
  const sidecars = spec?.initContainers?.filter(({ restartPolicy }) => restartPolicy === "Always") ?? [];
  for (const { ports = [] } of [...(spec?.containers ?? []), ...sidecars]) {
    const found = ports.find(
      (candidate) => candidate.name === target && (candidate.protocol ?? "TCP") === protocol,
    );
    if (found) return found.containerPort;
  }
  return undefined;
}

/** The name under which a pod of a headless service is found in DNS. */
export function hostnameOf({ spec, metadata }: Pod, service: Service): string | undefined {
  if (!spec?.hostname || spec.subdomain !== service.metadata.name) return undefined;
  return metadata.namespace === service.metadata.namespace ? spec.hostname : undefined;
}

export function targetReference({ metadata }: Pod): {
  kind: string;
  namespace?: string;
  name?: string;
  uid?: string;
} {
  return { kind: "Pod", namespace: metadata.namespace, name: metadata.name, uid: metadata.uid };
}

/** Whether its pods are its endpoints. One that is another name for something has none, whatever it selects. */
export function isSelecting({ spec }: Service): boolean {
  return spec?.selector !== undefined && spec.type !== "ExternalName";
}

export function isHeadless({ spec }: Service): boolean {
  return spec?.clusterIP === undefined || spec.clusterIP === "" || spec.clusterIP === "None";
}

/** When the pod last became ready or unready, in milliseconds since 1970. */
export function readyChangedAt(pod: Pod): number | undefined {
  const time = podCondition(pod, "Ready")?.lastTransitionTime;
  return time ? Date.parse(time) : undefined;
}
