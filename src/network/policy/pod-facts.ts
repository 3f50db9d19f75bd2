/** What policies see of a pod. */
import type { Pod } from "../../api/core/pods.ts";
import { canonicalIP } from "../addresses.ts";

export interface PodFacts {
  namespace: string;
  labels: Readonly<Record<string, string>> | undefined;
  ips: readonly string[];
  /** On this node, where its own policies are enforced. */
  local: boolean;
  ports: readonly NamedPort[];
}

export interface NamedPort {
  name: string;
  /** `tcp`, `udp` or `sctp`. */
  protocol: string;
  port: number;
}

/**
 * Undefined of pods that have no address of their own: those of the host's network, those that have ended, and those
 * that do not have one yet, unless `admitted` tells.
 */
export function podFacts(
  { metadata, spec, status }: Pod,
  nodeName: string,
  admitted: readonly string[] = [],
): PodFacts | undefined {
  if (!spec || spec.hostNetwork || status?.phase === "Succeeded" || status?.phase === "Failed")
    return undefined;
  const told = status?.podIPs?.length ? status.podIPs.map(({ ip }) => ip) : admitted;
  const ips = told.flatMap((ip) => canonicalIP(ip) ?? []);
  if (ips.length === 0) return undefined;
  const sidecars = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  const ports = [...sidecars, ...spec.containers].flatMap((container) =>
    (container.ports ?? []).flatMap(({ name, protocol = "TCP", containerPort }) =>
      name ? [{ name, protocol: protocol.toLowerCase(), port: containerPort }] : [],
    ),
  );
  const { namespace = "", labels } = metadata;
  return { namespace, labels, ips, local: spec.nodeName === nodeName, ports };
}
