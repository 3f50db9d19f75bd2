/** What is written into a claim's status for the devices that were chosen. */
import type { NodeSelector, NodeSelectorRequirement } from "../../schema/core.v1.generated.ts";
import type {
  AllocationResult,
  DeviceAllocationConfiguration,
  DeviceRequestAllocationResult,
  ResourceClaim,
} from "../../schema/resource.v1.generated.ts";
import type { PoolDevice } from "./pools.ts";
import type { Alternative } from "./requests.ts";

export interface Pick {
  alternative: Alternative;
  entry: PoolDevice;
}

export function resultOf(claim: ResourceClaim, picks: readonly Pick[]): AllocationResult {
  const results = picks.map(deviceResult);
  const config = configOf(claim, picks);
  const nodeSelector = nodeSelectorOf(picks);
  return {
    devices: { results, ...(config.length > 0 && { config }) },
    ...(nodeSelector && { nodeSelector }),
  };
}

function deviceResult({ alternative, entry }: Pick): DeviceRequestAllocationResult {
  const { bindingConditions, bindingFailureConditions } = entry.device;
  return {
    request: alternative.name,
    driver: entry.pool.driver,
    pool: entry.pool.name,
    device: entry.device.name,
    ...(alternative.adminAccess && { adminAccess: true }),
    ...(alternative.tolerations.length > 0 && { tolerations: [...alternative.tolerations] }),
    ...(bindingConditions && { bindingConditions }),
    ...(bindingFailureConditions && { bindingFailureConditions }),
  };
}

/** First what the classes say, then what the claim says, which drivers put above it. */
function configOf({ spec }: ResourceClaim, picks: readonly Pick[]): DeviceAllocationConfiguration[] {
  const chosen = new Map(picks.map(({ alternative }) => [alternative.name, alternative]));
  const config: DeviceAllocationConfiguration[] = [];
  for (const { name, deviceClass } of chosen.values()) {
    for (const { opaque } of deviceClass.spec.config ?? []) {
      config.push({ source: "FromClass", requests: [name], opaque });
    }
  }
  const requests = new Set([...chosen.values()].map(({ request }) => request));
  for (const { opaque, requests: meant } of spec.devices?.config ?? []) {
    // Configuration of an alternative that was not chosen is nobody's.
    if (meant && meant.length > 0 && !meant.some((name) => chosen.has(name) || requests.has(name))) continue;
    config.push({ source: "FromClaim", ...(meant && { requests: meant }), opaque });
  }
  return config;
}

/** Where pods with the claim can run: a single device of one node decides. Undefined: anywhere. */
function nodeSelectorOf(picks: readonly Pick[]): NodeSelector | undefined {
  const expressions: NodeSelectorRequirement[] = [];
  const fields: NodeSelectorRequirement[] = [];
  for (const { entry } of picks) {
    const place = entry.slice.spec.perDeviceNodeSelection ? entry.device : entry.slice.spec;
    if (place.nodeName) {
      const requirement = { key: "metadata.name", operator: "In", values: [place.nodeName] };
      return { nodeSelectorTerms: [{ matchFields: [requirement] }] };
    }
    // Validation sees to it that there is one term.
    const term = place.nodeSelector?.nodeSelectorTerms[0];
    addNew(expressions, term?.matchExpressions);
    addNew(fields, term?.matchFields);
  }
  if (expressions.length === 0 && fields.length === 0) return undefined;
  const matchExpressions = expressions.length > 0 ? { matchExpressions: expressions } : undefined;
  const matchFields = fields.length > 0 ? { matchFields: fields } : undefined;
  return { nodeSelectorTerms: [{ ...matchExpressions, ...matchFields }] };
}

function addNew(known: NodeSelectorRequirement[], more: readonly NodeSelectorRequirement[] = []): void {
  const texts = new Set(known.map((requirement) => JSON.stringify(requirement)));
  for (const requirement of more) if (!texts.has(JSON.stringify(requirement))) known.push(requirement);
}
