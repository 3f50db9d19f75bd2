/** What fieldRef and resourceFieldRef of the downward API stand for. */
import type { Container, Pod, ResourceRequirements } from "../../../api/schema/core.v1.generated.ts";
import { Quantity } from "../../../machinery/quantity/quantity.ts";

export interface PodAddresses {
  hostIPs: readonly string[];
  podIPs: readonly string[];
}

/** The value of `metadata.name`, `metadata.labels['key']`, `status.podIP` …; undefined for a path that is none. */
export function podFieldValue(
  { metadata, spec }: Pod,
  path: string,
  { hostIPs, podIPs }: PodAddresses,
): string | undefined {
  switch (path) {
    case "metadata.name":
      return metadata.name ?? "";
    case "metadata.namespace":
      return metadata.namespace ?? "";
    case "metadata.uid":
      return metadata.uid ?? "";
    case "spec.nodeName":
      return spec?.nodeName ?? "";
    case "spec.serviceAccountName":
      return spec?.serviceAccountName ?? "";
    case "status.hostIP":
      return hostIPs[0] ?? "";
    case "status.hostIPs":
      return hostIPs.join(",");
    case "status.podIP":
      return podIPs[0] ?? "";
    case "status.podIPs":
      return podIPs.join(",");
  }
  const subscript = /^metadata\.(labels|annotations)\['(.*)'\]$/s.exec(path);
  if (!subscript) return undefined;
  const values = subscript[1] === "labels" ? metadata.labels : metadata.annotations;
  const key = subscript[2] as string;
  return values && Object.hasOwn(values, key) ? (values[key] ?? "") : "";
}

/**
 * The value of `limits.cpu`, `requests.memory` … in units of `divisor`, rounded up. A limit that is not set is that of the
 * whole pod, or else what the node can give. Undefined for a resource that is none.
 */
export function resourceFieldValue(
  { spec }: Pod,
  { resources }: Pick<Container, "resources">,
  resource: string,
  divisor: string | undefined,
  allocatable: Readonly<Record<string, string>>,
): string | undefined {
  const dot = resource.indexOf(".");
  const list = resource.slice(0, dot);
  const name = resource.slice(dot + 1);
  if ((list !== "limits" && list !== "requests") || !isKnown(name)) return undefined;
  const said = amount(resources, list, name);
  const open =
    list === "limits" ? (amount(spec?.resources, list, name) ?? own(allocatable, name)) : undefined;
  const quantity = said ?? open ?? "0";
  const unit = divisor === undefined || Quantity.parse(divisor).sign() === 0 ? "1" : divisor;
  return String(inUnits(quantity, unit, name === "cpu"));
}

function isKnown(name: string): boolean {
  return name === "cpu" || name === "memory" || name === "ephemeral-storage" || name.startsWith("hugepages-");
}

function amount(
  resources: ResourceRequirements | undefined,
  list: "limits" | "requests",
  name: string,
): string | undefined {
  const value = own(resources?.[list], name);
  return value !== undefined && Quantity.parse(value).sign() === 0 ? undefined : value;
}

function own(values: Readonly<Record<string, string>> | undefined, name: string): string | undefined {
  return values && Object.hasOwn(values, name) ? values[name] : undefined;
}

function inUnits(quantity: string, unit: string, milli: boolean): number {
  const [value, one] = [Quantity.parse(quantity), Quantity.parse(unit)];
  return milli ? Math.ceil(value.milliValue() / one.milliValue()) : Math.ceil(value.value() / one.value());
}
