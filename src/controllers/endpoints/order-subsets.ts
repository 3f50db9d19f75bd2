/**
 * The order of ports and subsets in Endpoints. Upstream sorts them by the MD5 of how Go prints their structures
 * (pkg/api/v1/endpoints SortSubsets, go-spew's "%#v"): any fixed order would do, but by this one clients see the same
 * first port from both.
 */
import { createHash } from "node:crypto";
import type { EndpointAddress, EndpointPort, EndpointSubset } from "../../api/core/endpoints.ts";

/** Sorts addresses, ports and subsets in place. */
export function orderSubsets(subsets: EndpointSubset[]): EndpointSubset[] {
  for (const { addresses, notReadyAddresses, ports } of subsets) {
    addresses?.sort(compareAddresses);
    notReadyAddresses?.sort(compareAddresses);
    if (ports) sortByHash(ports, (port) => `(v1.EndpointPort)${printedPort(port)}`);
  }
  sortByHash(subsets, printedSubset);
  return subsets;
}

export function compareAddresses(a: EndpointAddress, b: EndpointAddress): number {
  return compare(a.ip, b.ip) || compare(a.targetRef?.uid ?? "", b.targetRef?.uid ?? "");
}

function sortByHash<T extends object>(items: T[], printed: (item: T) => string): void {
  if (items.length < 2) return;
  const hashes = new Map(
    items.map((item) => [item, createHash("md5").update(printed(item)).digest("hex")] as const),
  );
  items.sort((a, b) => compare(hashes.get(a)!, hashes.get(b)!));
}

function printedSubset({ addresses, notReadyAddresses, ports }: EndpointSubset): string {
  const ready = list("v1.EndpointAddress", addresses?.map(printedAddress));
  const notReady = list("v1.EndpointAddress", notReadyAddresses?.map(printedAddress));
  const offered = list("v1.EndpointPort", ports?.map(printedPort));
  return `(v1.EndpointSubset){Addresses:${ready} NotReadyAddresses:${notReady} Ports:${offered}}`;
}

function printedAddress({ ip, hostname = "", nodeName, targetRef }: EndpointAddress): string {
  let target = "<nil>";
  if (targetRef) {
    const { kind, namespace, name, uid, apiVersion, resourceVersion, fieldPath } = targetRef;
    const fields = [
      text("Kind", kind),
      text("Namespace", namespace),
      text("Name", name),
      `UID:(types.UID)${uid ?? ""}`,
      text("APIVersion", apiVersion),
      text("ResourceVersion", resourceVersion),
      text("FieldPath", fieldPath),
    ];
    target = `{${fields.join(" ")}}`;
  }
  const node = `NodeName:(*string)${nodeName ?? "<nil>"}`;
  return `{${text("IP", ip)} ${text("Hostname", hostname)} ${node} TargetRef:(*v1.ObjectReference)${target}}`;
}

function printedPort({ name, port, protocol = "TCP", appProtocol = "<nil>" }: EndpointPort): string {
  const number = `Port:(int32)${port} Protocol:(v1.Protocol)${protocol}`;
  return `{${text("Name", name)} ${number} AppProtocol:(*string)${appProtocol}}`;
}

function text(field: string, value: string | undefined): string {
  return `${field}:(string)${value ?? ""}`;
}

function list(type: string, items: readonly string[] | undefined): string {
  return `([]${type})${items ? `[${items.join(" ")}]` : "<nil>"}`;
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
