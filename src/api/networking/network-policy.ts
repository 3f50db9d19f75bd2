import {
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { type CIDR, contains, parseCIDR } from "../../machinery/names/ip-address.ts";
import {
  isValidCIDRForLegacyField,
  isValidPortName,
  isValidPortNum,
  nameIsDNSSubdomain,
} from "../../machinery/names/names.ts";
import { formatLabelSelector } from "../../machinery/selectors/labels.ts";
import { validateLabelSelector } from "../../machinery/selectors/validate.ts";
import { ageColumn, nameColumn } from "../core/columns.ts";
import { defineResource } from "../resource.ts";
import type {
  IPBlock,
  NetworkPolicyPeer,
  NetworkPolicyPort,
  NetworkPolicy as NetworkPolicyType,
} from "../schema/networking.v1.generated.ts";

export type NetworkPolicy = NetworkPolicyType;

/** Which traffic the pods that it selects take and make. */
export const NetworkPolicy = defineResource<NetworkPolicy>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "NetworkPolicy",
  plural: "networkpolicies",
  scope: "Namespaced",
  shortNames: ["netpol"],
  definition: "networking.v1.NetworkPolicy",
  validateName: nameIsDNSSubdomain,
  defaults,
  validate: (policy) => validate(policy, []),
  validateUpdate: (policy, old) => validate(policy, cidrsOf(old)),
  validatesAll: true,
  generationOf: ({ spec }) => spec,
  columns: [
    nameColumn,
    {
      name: "Pod-Selector",
      type: "string",
      cell: ({ spec }) => formatLabelSelector(spec?.podSelector ?? {}),
    },
    ageColumn,
  ],
});

function peersAndPorts({
  spec,
}: NetworkPolicy): { peers?: NetworkPolicyPeer[]; ports?: NetworkPolicyPort[] }[] {
  const ingress = (spec?.ingress ?? []).map(({ from, ports }) => ({ peers: from, ports }));
  const egress = (spec?.egress ?? []).map(({ to, ports }) => ({ peers: to, ports }));
  return [...ingress, ...egress];
}

function defaults(policy: NetworkPolicy): void {
  const { spec } = policy;
  if (!spec) return;
  spec.podSelector ??= {};
  if (!spec.policyTypes?.length) {
    spec.policyTypes = spec.egress?.length ? ["Ingress", "Egress"] : ["Ingress"];
  }
  for (const { ports = [] } of peersAndPorts(policy)) for (const port of ports) port.protocol ??= "TCP";
}

/** Values that were stored before CIDRs were read strictly stay valid. */
function cidrsOf(policy: NetworkPolicy): string[] {
  const cidrs: string[] = [];
  for (const { peers = [] } of peersAndPorts(policy)) {
    for (const { ipBlock } of peers) if (ipBlock) cidrs.push(ipBlock.cidr, ...(ipBlock.except ?? []));
  }
  return cidrs;
}

function validate({ spec = {} }: NetworkPolicy, known: readonly string[]): FieldError[] {
  const path = FieldPath.root("spec");
  const errors = validateLabelSelector(spec.podSelector, path.child("podSelector"));
  for (const [i, { from = [], ports = [] }] of (spec.ingress ?? []).entries()) {
    const at = path.child("ingress").index(i);
    validatePorts(ports, at.child("ports"), errors);
    validatePeers(from, at.child("from"), known, errors);
  }
  for (const [i, { to = [], ports = [] }] of (spec.egress ?? []).entries()) {
    const at = path.child("egress").index(i);
    validatePorts(ports, at.child("ports"), errors);
    validatePeers(to, at.child("to"), known, errors);
  }
  const types = spec.policyTypes ?? [];
  if (types.length > 2) {
    const why = "may not specify more than two policyTypes";
    errors.push(invalidValue(path.child("policyTypes"), types, why));
    return errors;
  }
  for (const [i, type] of types.entries()) {
    if (type === "Ingress" || type === "Egress") continue;
    errors.push(notSupported(path.child("policyTypes").index(i), type, ["Egress", "Ingress"]));
  }
  return errors;
}

const PROTOCOLS = ["SCTP", "TCP", "UDP"];

function validatePorts(ports: readonly NetworkPolicyPort[], path: FieldPath, errors: FieldError[]): void {
  for (const [i, { protocol, port, endPort }] of ports.entries()) {
    const at = path.index(i);
    if (protocol !== undefined && !PROTOCOLS.includes(protocol)) {
      errors.push(notSupported(at.child("protocol"), protocol, PROTOCOLS));
    }
    if (typeof port === "string") {
      if (endPort !== undefined) {
        const why = "may not be specified when `port` is non-numeric";
        errors.push(forbiddenField(at.child("endPort"), why));
      }
      for (const text of isValidPortName(port)) errors.push(invalidValue(at.child("port"), port, text));
      continue;
    }
    if (port === undefined) {
      if (endPort !== undefined) {
        errors.push(required(at.child("port"), "must be specified when `endPort` is set"));
      }
      continue;
    }
    for (const text of isValidPortNum(port)) errors.push(invalidValue(at.child("port"), port, text));
    if (endPort === undefined) continue;
    for (const text of isValidPortNum(endPort)) errors.push(invalidValue(at.child("endPort"), endPort, text));
    if (endPort < port) {
      errors.push(invalidValue(at.child("endPort"), endPort, "must be greater than or equal to `port`"));
    }
  }
}

function validatePeers(
  peers: readonly NetworkPolicyPeer[],
  path: FieldPath,
  known: readonly string[],
  errors: FieldError[],
): void {
  for (const [i, { podSelector, namespaceSelector, ipBlock }] of peers.entries()) {
    const at = path.index(i);
    errors.push(...validateLabelSelector(podSelector, at.child("podSelector")));
    errors.push(...validateLabelSelector(namespaceSelector, at.child("namespaceSelector")));
    if (ipBlock) validateIPBlock(ipBlock, at.child("ipBlock"), known, errors);
    if (!podSelector && !namespaceSelector && !ipBlock) errors.push(required(at, "must specify a peer"));
    else if (ipBlock && (podSelector || namespaceSelector)) {
      errors.push(forbiddenField(at, "may not specify both ipBlock and another peer"));
    }
  }
}

function validateIPBlock(
  { cidr = "", except = [] }: IPBlock,
  path: FieldPath,
  known: readonly string[],
  errors: FieldError[],
): void {
  if (cidr === "") {
    errors.push(required(path.child("cidr")));
    return;
  }
  const wrong = isValidCIDRForLegacyField(cidr, known);
  for (const text of wrong) errors.push(invalidValue(path.child("cidr"), cidr, text));
  const block = parseCIDR(cidr);
  if (!block) return;
  for (const [i, text] of except.entries()) {
    const at = path.child("except").index(i);
    for (const why of isValidCIDRForLegacyField(text, known)) errors.push(invalidValue(at, text, why));
    const hole = parseCIDR(text);
    if (hole && !isStrictlyWithin(block, hole)) {
      errors.push(invalidValue(at, text, "must be a strict subset of `cidr`"));
    }
  }
}

function isStrictlyWithin(outer: CIDR, inner: CIDR): boolean {
  return contains(outer, inner.address) && outer.length < inner.length;
}
