import { type FieldError, invalidValue, notSupported, required } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { semanticEqual } from "../../machinery/json/equal.ts";
import {
  isLinkLocalMulticast,
  isLinkLocalUnicast,
  isLoopback,
  isUnspecified,
  parseIP,
} from "../../machinery/names/ip-address.ts";
import {
  isDNS1123Label,
  isDNS1123Subdomain,
  isQualifiedName,
  isValidIPForLegacyField,
  isValidPortNum,
  nameIsDNSSubdomain,
} from "../../machinery/names/names.ts";
import type { KubeObject } from "../object.ts";
import { defineResource } from "../resource.ts";
import { ageColumn, nameColumn } from "./columns.ts";
import type { ObjectReference } from "./references.ts";

export interface EndpointAddress {
  ip: string;
  hostname?: string;
  nodeName?: string;
  targetRef?: ObjectReference;
}

export interface EndpointPort {
  name?: string;
  port: number;
  protocol?: string;
  appProtocol?: string;
}

export interface EndpointSubset {
  addresses?: EndpointAddress[];
  notReadyAddresses?: EndpointAddress[];
  ports?: EndpointPort[];
}

export interface Endpoints extends KubeObject {
  subsets?: EndpointSubset[];
}

export const PROTOCOLS = ["SCTP", "TCP", "UDP"];

export const Endpoints = defineResource<Endpoints>({
  group: "",
  version: "v1",
  kind: "Endpoints",
  plural: "endpoints",
  scope: "Namespaced",
  shortNames: ["ep"],
  definition: "core.v1.Endpoints",
  storagePrefix: "services/endpoints",
  deprecated: "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice",
  allowCreateOnUpdate: true,
  validateName: nameIsDNSSubdomain,
  defaults(endpoints) {
    for (const subset of endpoints.subsets ?? []) {
      for (const port of subset.ports ?? []) port.protocol ||= "TCP";
    }
  },
  validate: (endpoints) => validateSubsets(endpoints.subsets ?? [], []),
  validateUpdate: (now, old) =>
    semanticEqual(now.subsets, old.subsets) ? [] : validateSubsets(now.subsets ?? [], old.subsets ?? []),
  validatesAll: true,
  columns: [nameColumn, { name: "Endpoints", type: "string", cell: formatEndpoints }, ageColumn],
});

function validateSubsets(subsets: EndpointSubset[], old: EndpointSubset[]): FieldError[] {
  const known = old.flatMap(({ addresses = [], notReadyAddresses = [] }) =>
    [...addresses, ...notReadyAddresses].map(({ ip }) => ip),
  );
  return subsets.flatMap((subset, i) => {
    const path = FieldPath.root("subsets").index(i);
    const { addresses = [], notReadyAddresses = [], ports = [] } = subset;
    const errors: FieldError[] = [];
    if (addresses.length === 0 && notReadyAddresses.length === 0) {
      errors.push(required(path, "must specify `addresses` or `notReadyAddresses`"));
    }
    for (const [j, address] of addresses.entries()) {
      errors.push(...validateAddress(address, path.child("addresses").index(j), known));
    }
    for (const [j, address] of notReadyAddresses.entries()) {
      errors.push(...validateAddress(address, path.child("notReadyAddresses").index(j), known));
    }
    for (const [j, port] of ports.entries()) {
      errors.push(...validatePort(port, ports.length > 1, path.child("ports").index(j)));
    }
    return errors;
  });
}

function validateAddress(address: EndpointAddress, path: FieldPath, known: string[]): FieldError[] {
  const { ip, hostname, nodeName } = address;
  const errors = isValidIPForLegacyField(ip, known).map((text) => invalidValue(path.child("ip"), ip, text));
  if (hostname) {
    errors.push(
      ...isDNS1123Label(hostname).map((text) => invalidValue(path.child("hostname"), hostname, text)),
    );
  }
  if (nodeName !== undefined) {
    errors.push(
      ...isDNS1123Subdomain(nodeName).map((text) => invalidValue(path.child("nodeName"), nodeName, text)),
    );
  }
  return [...errors, ...validateNonSpecialIP(ip, path.child("ip"))];
}

/** Addresses of one machine or one link only would let a Service reach what its user may not. */
export function validateNonSpecialIP(text: string, path: FieldPath): FieldError[] {
  const ip = parseIP(text);
  if (!ip) return [invalidValue(path, text, "must be a valid IP address")];
  const errors: FieldError[] = [];
  if (isUnspecified(ip)) errors.push(invalidValue(path, text, `may not be unspecified (${text})`));
  if (isLoopback(ip)) {
    errors.push(invalidValue(path, text, "may not be in the loopback range (127.0.0.0/8, ::1/128)"));
  }
  if (isLinkLocalUnicast(ip)) {
    errors.push(invalidValue(path, text, "may not be in the link-local range (169.254.0.0/16, fe80::/10)"));
  }
  if (isLinkLocalMulticast(ip)) {
    const why = "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)";
    errors.push(invalidValue(path, text, why));
  }
  return errors;
}

function validatePort(port: EndpointPort, requireName: boolean, path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const { name, protocol, appProtocol } = port;
  if (requireName && !name) errors.push(required(path.child("name")));
  else if (name)
    errors.push(...isDNS1123Label(name).map((text) => invalidValue(path.child("name"), name, text)));
  errors.push(...isValidPortNum(port.port).map((text) => invalidValue(path.child("port"), port.port, text)));
  if (!protocol) errors.push(required(path.child("protocol")));
  else if (!PROTOCOLS.includes(protocol)) {
    errors.push(notSupported(path.child("protocol"), protocol, PROTOCOLS));
  }
  if (appProtocol !== undefined) {
    for (const text of isQualifiedName(appProtocol)) {
      errors.push(invalidValue(path.child("appProtocol"), appProtocol, text));
    }
  }
  return errors;
}

/** The first three addresses with their ports, and how many more there are. */
function formatEndpoints({ subsets = [] }: Endpoints): string {
  const shown: string[] = [];
  let count = 0;
  for (const { addresses = [], ports = [] } of subsets) {
    for (const port of ports.length > 0 ? ports : [undefined]) {
      for (const { ip } of addresses) {
        count++;
        if (shown.length < 3) shown.push(port ? hostPort(ip, port.port) : ip);
      }
    }
  }
  if (count === 0) return "<none>";
  return count > shown.length ? `${shown.join(",")} + ${count - shown.length} more...` : shown.join(",");
}

function hostPort(ip: string, port: number): string {
  return ip.includes(":") ? `[${ip}]:${port}` : `${ip}:${port}`;
}
