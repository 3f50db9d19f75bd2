import { type FieldError, invalidValue, notSupported, required } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { parseIP } from "../../machinery/names/ip-address.ts";
import {
  isDNS1035Label,
  isDNS1123Subdomain,
  isPathSegmentName,
  isValidIPForLegacyField,
  isValidPortName,
  isValidPortNum,
  isWildcardDNS1123Subdomain,
} from "../../machinery/names/names.ts";
import type {
  HTTPIngressPath,
  Ingress,
  IngressBackend,
  IngressRule,
  IngressTLS,
} from "../schema/networking.v1.generated.ts";

const CLASS_ANNOTATION = "kubernetes.io/ingress.class";
const PATH_TYPES = ["Exact", "ImplementationSpecific", "Prefix"];

export function validateIngress({ metadata, spec = {} }: Ingress): FieldError[] {
  const errors: FieldError[] = [];
  const path = FieldPath.root("spec");
  const { rules = [], defaultBackend, ingressClassName } = spec;
  if (rules.length === 0 && !defaultBackend) {
    errors.push(invalidValue(path, rules, "either `defaultBackend` or `rules` must be specified"));
  }
  if (defaultBackend) validateBackend(defaultBackend, path.child("defaultBackend"), errors);
  for (const [i, rule] of rules.entries()) validateRule(rule, path.child("rules").index(i), errors);
  validateTLS(spec.tls ?? [], path.child("tls"), errors);
  if (ingressClassName !== undefined) {
    for (const text of isDNS1123Subdomain(ingressClassName)) {
      errors.push(invalidValue(path.child("ingressClassName"), ingressClassName, text));
    }
    const annotations = metadata.annotations ?? {};
    if (Object.hasOwn(annotations, CLASS_ANNOTATION) && annotations[CLASS_ANNOTATION] !== ingressClassName) {
      const why = "must match `ingressClassName` when both are specified";
      const at = FieldPath.root("metadata", "annotations").child(CLASS_ANNOTATION);
      errors.push(invalidValue(at, annotations[CLASS_ANNOTATION], why));
    }
  }
  return errors;
}

function hostWrong(host: string): string[] {
  return host.includes("*") ? isWildcardDNS1123Subdomain(host) : isDNS1123Subdomain(host);
}

function validateTLS(entries: readonly IngressTLS[], path: FieldPath, errors: FieldError[]): void {
  for (const [i, { hosts = [], secretName = "" }] of entries.entries()) {
    for (const [j, host] of hosts.entries()) {
      for (const text of hostWrong(host))
        errors.push(invalidValue(path.index(i).child("hosts").index(j), host, text));
    }
    if (secretName === "") continue;
    for (const text of isDNS1123Subdomain(secretName)) {
      errors.push(invalidValue(path.index(i).child("secretName"), secretName, text));
    }
  }
}

function validateRule({ host = "", http }: IngressRule, path: FieldPath, errors: FieldError[]): void {
  if (host !== "") {
    const at = path.child("host");
    if (parseIP(host)) errors.push(invalidValue(at, host, "must be a DNS name, not an IP address"));
    for (const text of hostWrong(host)) errors.push(invalidValue(at, host, text));
  }
  if (!http) return;
  const paths = http.paths ?? [];
  if (paths.length === 0) errors.push(required(path.child("http", "paths")));
  for (const [i, one] of paths.entries()) validatePath(one, path.child("http", "paths").index(i), errors);
}

const BAD_SEQUENCES = ["//", "/./", "/../", "%2f", "%2F"];
const BAD_SUFFIXES = ["/..", "/."];

function validatePath(
  { path: text = "", pathType, backend }: HTTPIngressPath,
  at: FieldPath,
  errors: FieldError[],
): void {
  if (pathType === undefined) {
    errors.push(required(at.child("pathType"), "pathType must be specified"));
    return;
  }
  const path = at.child("path");
  if (pathType === "Exact" || pathType === "Prefix") {
    if (!text.startsWith("/")) errors.push(invalidValue(path, text, "must be an absolute path"));
    else {
      for (const bad of BAD_SEQUENCES) {
        if (text.includes(bad)) errors.push(invalidValue(path, text, `must not contain '${bad}'`));
      }
      for (const bad of BAD_SUFFIXES) {
        if (text.endsWith(bad)) errors.push(invalidValue(path, text, `cannot end with '${bad}'`));
      }
    }
  } else if (pathType === "ImplementationSpecific") {
    if (text !== "" && !text.startsWith("/"))
      errors.push(invalidValue(path, text, "must be an absolute path"));
  } else errors.push(notSupported(at.child("pathType"), pathType, PATH_TYPES));
  validateBackend(backend ?? {}, at.child("backend"), errors);
}

function validateBackend({ service, resource }: IngressBackend, path: FieldPath, errors: FieldError[]): void {
  if (service && resource) {
    errors.push(invalidValue(path, "", "cannot set both resource and service backends"));
    return;
  }
  if (resource) {
    const { apiGroup, kind = "", name = "" } = resource;
    const at = path.child("resource");
    if (apiGroup !== undefined) {
      for (const text of isDNS1123Subdomain(apiGroup))
        errors.push(invalidValue(at.child("apiGroup"), apiGroup, text));
    }
    if (kind === "") errors.push(required(at.child("kind")));
    else for (const text of isPathSegmentName(kind)) errors.push(invalidValue(at.child("kind"), kind, text));
    if (name === "") errors.push(required(at.child("name")));
    else for (const text of isPathSegmentName(name)) errors.push(invalidValue(at.child("name"), name, text));
    return;
  }
  if (!service) {
    errors.push(required(path, "port name or number is required"));
    return;
  }
  const at = path.child("service");
  const { name = "", port = {} } = service;
  if (name === "") errors.push(required(at.child("name")));
  else for (const text of isDNS1035Label(name)) errors.push(invalidValue(at.child("name"), name, text));
  const { name: portName = "", number = 0 } = port;
  if (portName !== "" && number !== 0)
    errors.push(invalidValue(path, "", "cannot set both port name & port number"));
  else if (portName !== "") {
    for (const text of isValidPortName(portName))
      errors.push(invalidValue(at.child("port", "name"), portName, text));
  } else if (number !== 0) {
    for (const text of isValidPortNum(number))
      errors.push(invalidValue(at.child("port", "number"), number, text));
  } else errors.push(required(path, "port name or number is required"));
}

export function validateIngressStatus({ status }: Ingress, old: Ingress): FieldError[] {
  const errors: FieldError[] = [];
  const path = FieldPath.root("status", "loadBalancer", "ingress");
  const known = (old.status?.loadBalancer?.ingress ?? []).map(({ ip = "" }) => ip);
  for (const [i, { ip = "", hostname = "" }] of (status?.loadBalancer?.ingress ?? []).entries()) {
    const at = path.index(i);
    if (ip !== "") {
      for (const text of isValidIPForLegacyField(ip, known))
        errors.push(invalidValue(at.child("ip"), ip, text));
    }
    if (hostname === "") continue;
    for (const text of isDNS1123Subdomain(hostname))
      errors.push(invalidValue(at.child("hostname"), hostname, text));
    if (parseIP(hostname)) {
      errors.push(invalidValue(at.child("hostname"), hostname, "must be a DNS name, not an IP address"));
    }
  }
  return errors;
}
