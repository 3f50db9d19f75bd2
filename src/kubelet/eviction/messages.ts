/** What users are told of an eviction. Texts are upstream's, their last blank too. */
import { Quantity } from "../../machinery/quantity/quantity.ts";
import type { Observations } from "./pressure.ts";
import type { PodUse } from "./rank.ts";
import { RESOURCES, type Resource, type Threshold, unitsOf } from "./thresholds.ts";

export function nodeLowMessage(
  threshold: Threshold,
  observations: Observations,
  use: PodUse | undefined,
): string {
  const resource = RESOURCES[threshold.signal];
  let message = `The node was low on resource: ${resource}. `;
  const observed = observations.get(threshold.signal);
  if (observed) {
    const needed = quantity(unitsOf(threshold.value, observed.capacity), resource);
    message += `Threshold quantity: ${needed}, available: ${quantity(observed.available, resource)}. `;
  }
  if (resource !== "memory" && resource !== "ephemeral-storage") return message;
  if (!use) return message;
  const { metadata, spec } = use.pod;
  const podRequest = spec?.resources?.requests?.[resource];
  if (resource === "memory" && podRequest !== undefined) {
    message += consumption(`Pod ${metadata.name}`, use.memory, podRequest, resource);
  }
  const containers = [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])];
  for (const { name, memory, layer, logs } of use.containers) {
    const container = containers.find((each) => each.name === name);
    const request = container?.resources?.requests?.[resource] ?? "0";
    const used = resource === "memory" ? memory : layer.bytes + logs.bytes;
    if (!container || used <= Quantity.parse(request).value()) continue;
    message += consumption(`Container ${name}`, used, request, resource);
  }
  return message;
}

function consumption(who: string, used: number, request: string, resource: Resource): string {
  return `${who} was using ${quantity(used, resource)}, request is ${request}, has larger consumption of ${resource}. `;
}

export function emptyDirMessage(volume: string, limit: string): string {
  return `Usage of EmptyDir volume "${volume}" exceeds the limit "${limit}". `;
}

export function podStorageMessage(limit: string): string {
  return `Pod ephemeral local storage usage exceeds the total limit of containers ${limit}. `;
}

export function containerStorageMessage(container: string, limit: string): string {
  return `Container ${container} exceeded its local ephemeral storage limit "${limit}". `;
}

function quantity(units: number, resource: Resource): string {
  const isBytes = resource === "memory" || resource === "ephemeral-storage";
  return Quantity.ofValue(units, isBytes ? "BinarySI" : "DecimalSI").toString();
}
