import type { Service } from "../../api/core/services.ts";

export interface ServiceChange {
  reason: string;
  note: string;
}

/**
 * What upstream tells of a change of a Service with a load balancer: the first difference of these, in this order. Others
 * change the load balancer as well and are not told of. `wanted` says who has one.
 */
export function toldChange(
  was: Service,
  now: Service,
  wanted: (service: Service) => boolean,
): ServiceChange | undefined {
  if (!wanted(was) && !wanted(now)) return undefined;
  if (wanted(was) !== wanted(now)) return changed("Type", was.spec.type, now.spec.type);
  const [before, after] = [was.spec, now.spec];
  const ranges = [before, after].map(({ loadBalancerSourceRanges: list = [] }) => `[${list.join(" ")}]`);
  if (ranges[0] !== ranges[1]) return changed("LoadBalancerSourceRanges", ranges[0], ranges[1]);
  if (before.loadBalancerIP !== after.loadBalancerIP) {
    return changed("LoadbalancerIP", before.loadBalancerIP, after.loadBalancerIP);
  }
  const [had = [], has = []] = [before.externalIPs, after.externalIPs];
  if (had.length !== has.length) {
    return { reason: "ExternalIP", note: `Count: ${had.length} -> ${has.length}` };
  }
  const added = has.find((address, i) => address !== had[i]);
  if (added !== undefined) return { reason: "ExternalIP", note: `Added: ${added}` };
  if (before.externalTrafficPolicy !== after.externalTrafficPolicy) {
    return changed("ExternalTrafficPolicy", before.externalTrafficPolicy, after.externalTrafficPolicy);
  }
  if (before.healthCheckNodePort !== after.healthCheckNodePort) {
    return changed("HealthCheckNodePort", before.healthCheckNodePort ?? 0, after.healthCheckNodePort ?? 0);
  }
  return undefined;
}

function changed(reason: string, was: string | number = "", now: string | number = ""): ServiceChange {
  return { reason, note: `${was} -> ${now}` };
}
