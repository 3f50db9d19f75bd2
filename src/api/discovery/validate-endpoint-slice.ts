import {
  duplicate,
  type FieldError,
  invalidValue,
  notSupported,
  required,
  tooMany,
} from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import {
  isDNS1123Label,
  isDNS1123Subdomain,
  isFullyQualifiedDomainName,
  isQualifiedName,
  isValidIPv4Address,
  isValidIPv6Address,
  isValidPortNum,
} from "../../machinery/names/names.ts";
import { validateLabels } from "../../machinery/selectors/validate.ts";
import { validateNonSpecialIP } from "../core/endpoints.ts";
import type { Endpoint, EndpointPort, EndpointSlice } from "../schema/discovery.v1.generated.ts";

const ADDRESS_TYPES = ["FQDN", "IPv4", "IPv6"];
const PROTOCOLS = ["SCTP", "TCP", "UDP"];
const MOST_ENDPOINTS = 1000;
const MOST_ADDRESSES = 100;
const MOST_TOPOLOGY_LABELS = 16;
const MOST_PORTS = 20000;
const MOST_ZONES = 8;

export function validateEndpointSlice(slice: EndpointSlice): FieldError[] {
  const errors: FieldError[] = [];
  const { addressType = "", endpoints = [], ports = [] } = slice;
  if (addressType === "") errors.push(required(FieldPath.root("addressType")));
  else if (!ADDRESS_TYPES.includes(addressType)) {
    errors.push(notSupported(FieldPath.root("addressType"), addressType, ADDRESS_TYPES));
  }
  const path = FieldPath.root("endpoints");
  if (endpoints.length > MOST_ENDPOINTS) errors.push(tooMany(path, endpoints.length, MOST_ENDPOINTS));
  else {
    for (const [i, endpoint] of endpoints.entries()) {
      validateEndpoint(endpoint, addressType, path.index(i), errors);
    }
  }
  validatePorts(ports, errors);
  return errors;
}

function validateEndpoint(
  endpoint: Endpoint,
  addressType: string,
  path: FieldPath,
  errors: FieldError[],
): void {
  const { addresses = [], nodeName, hostname, deprecatedTopology = {}, hints } = endpoint;
  const at = path.child("addresses");
  if (addresses.length === 0) errors.push(required(at, "must contain at least 1 address"));
  else if (addresses.length > MOST_ADDRESSES) errors.push(tooMany(at, addresses.length, MOST_ADDRESSES));
  else {
    for (const [i, address] of addresses.entries()) {
      errors.push(...validateAddress(address, addressType, at.index(i)));
    }
  }
  if (nodeName !== undefined) {
    for (const text of isDNS1123Subdomain(nodeName)) {
      errors.push(invalidValue(path.child("nodeName"), nodeName, text));
    }
  }
  const labels = Object.keys(deprecatedTopology).length;
  if (labels > MOST_TOPOLOGY_LABELS) {
    errors.push(tooMany(path.child("deprecatedTopology"), labels, MOST_TOPOLOGY_LABELS));
  }
  errors.push(...validateLabels(deprecatedTopology, path.child("deprecatedTopology")));
  if (hostname !== undefined) {
    for (const text of isDNS1123Label(hostname)) {
      errors.push(invalidValue(path.child("hostname"), hostname, text));
    }
  }
  validateHints("forZones", hints?.forZones ?? [], path, errors);
  validateHints("forNodes", hints?.forNodes ?? [], path, errors);
}

function validateHints(
  list: "forZones" | "forNodes",
  hints: readonly { name: string }[],
  path: FieldPath,
  errors: FieldError[],
): void {
  const at = path.child("hints", list);
  if (hints.length > MOST_ZONES) {
    errors.push(tooMany(at, hints.length, MOST_ZONES));
    return;
  }
  const seen = new Set<string>();
  for (const [i, { name }] of hints.entries()) {
    const where = at.index(i).child("name");
    if (seen.has(name)) errors.push(duplicate(where, name));
    seen.add(name);
    for (const text of isQualifiedName(name)) errors.push(invalidValue(where, name, text));
  }
}

function validateAddress(address: string, addressType: string, path: FieldPath): FieldError[] {
  if (addressType === "FQDN") return isFullyQualifiedDomainName(path, address);
  const wrong =
    addressType === "IPv4"
      ? isValidIPv4Address(address)
      : addressType === "IPv6"
        ? isValidIPv6Address(address)
        : [];
  if (wrong.length > 0) return wrong.map((text) => invalidValue(path, address, text));
  return addressType === "IPv4" || addressType === "IPv6" ? validateNonSpecialIP(address, path) : [];
}

function validatePorts(ports: readonly EndpointPort[], errors: FieldError[]): void {
  const path = FieldPath.root("ports");
  if (ports.length > MOST_PORTS) {
    errors.push(tooMany(path, ports.length, MOST_PORTS));
    return;
  }
  const names = new Set<string>();
  for (const [i, { name = "", protocol, port, appProtocol }] of ports.entries()) {
    const at = path.index(i);
    if (name !== "")
      for (const text of isDNS1123Label(name)) errors.push(invalidValue(at.child("name"), name, text));
    if (names.has(name)) errors.push(duplicate(at.child("name"), name));
    names.add(name);
    if (protocol === undefined) errors.push(required(at.child("protocol")));
    else if (!PROTOCOLS.includes(protocol))
      errors.push(notSupported(at.child("protocol"), protocol, PROTOCOLS));
    if (port !== undefined) {
      for (const text of isValidPortNum(port)) errors.push(invalidValue(at.child("port"), port, text));
    }
    if (appProtocol !== undefined) {
      for (const text of isQualifiedName(appProtocol)) {
        errors.push(invalidValue(at.child("appProtocol"), appProtocol, text));
      }
    }
  }
}
