/** Hints by which clients reach endpoints near them, as a service's trafficDistribution asks for. */
import type { Endpoint, EndpointHints } from "../../api/schema/discovery.v1.generated.ts";

const SAME_ZONE = new Set(["PreferClose", "PreferSameZone"]);
const SAME_NODE = "PreferSameNode";

/** Only endpoints that are ready get hints. */
export function withHints(endpoints: readonly Endpoint[], distribution: string | undefined): Endpoint[] {
  const node = distribution === SAME_NODE;
  if (!node && !SAME_ZONE.has(distribution ?? "")) return [...endpoints];
  return endpoints.map((endpoint) => {
    const hints: EndpointHints = {
      ...(endpoint.zone && { forZones: [{ name: endpoint.zone }] }),
      ...(node && endpoint.nodeName && { forNodes: [{ name: endpoint.nodeName }] }),
    };
    if (!endpoint.conditions?.ready || (!hints.forZones && !hints.forNodes)) return endpoint;
    return { ...endpoint, hints };
  });
}
