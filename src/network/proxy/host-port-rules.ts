/** From a pod of this node to what the table holds for its host ports. Pure. */
import type { Pod } from "../../api/core/pods.ts";
import { PartsBuilder } from "../../host/nftables/parts-builder.ts";
import type { TableParts } from "../../host/nftables/table-state.ts";
import { canonicalIP, familyOf } from "../addresses.ts";
import { endpointText } from "./endpoints.ts";
import type { DatagramFrontend } from "./service-rules.ts";

export interface HostPortPlan {
  parts: TableParts;
  datagrams: readonly DatagramFrontend[];
  /** Whether a client on the loopback may use one: the kernel has to be told to route that. */
  fromLoopback: boolean;
}

const ANY = new Set(["", "0.0.0.0", "::"]);

/** Undefined where the pod has none now. */
export function planHostPorts({ spec, status }: Pod): HostPortPlan | undefined {
  if (!spec || spec.hostNetwork || status?.phase === "Succeeded" || status?.phase === "Failed")
    return undefined;
  const sidecars = (spec.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  const ports = [...sidecars, ...spec.containers].flatMap((container) => container.ports ?? []);
  const published = ports.filter(({ hostPort }) => hostPort);
  const podIPs = (status?.podIPs ?? []).flatMap(({ ip }) => canonicalIP(ip) ?? []);
  if (published.length === 0 || podIPs.length === 0) return undefined;
  const parts = new PartsBuilder();
  const datagrams: DatagramFrontend[] = [];
  let fromLoopback = false;
  for (const address of podIPs) {
    const family = familyOf(address);
    for (const { hostPort = 0, hostIP: said, containerPort, protocol = "TCP" } of published) {
      const hostIP = canonicalIP(said) ?? "";
      const anywhere = ANY.has(hostIP);
      if (hostIP !== "" && familyOf(hostIP) !== family) continue;
      const key = `${protocol.toLowerCase()} . ${hostPort}`;
      const place = endpointText({ address, port: containerPort });
      if (anywhere) parts.element(`host-ports${family}`, key, place);
      else parts.element(`host-port-ips${family}`, `${hostIP} . ${key}`, place);
      parts.element(`hairpin${family}`, `${address} . ${address}`);
      fromLoopback ||= anywhere || hostIP.startsWith("127.");
      if (protocol !== "UDP") continue;
      datagrams.push({
        address: anywhere ? undefined : hostIP,
        port: hostPort,
        family,
        endpoints: new Set([place]),
      });
    }
  }
  return { parts, datagrams, fromLoopback };
}
