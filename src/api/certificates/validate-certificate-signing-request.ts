import { readCertificateRequest } from "../../base/x509/certificate-request.ts";
import { DerError } from "../../base/x509/der.ts";
import { derOfPEM } from "../../base/x509/pem.ts";
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
  tooLong,
} from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { semanticEqual } from "../../machinery/json/equal.ts";
import { byteLength, isDNS1123Label, isDNS1123Subdomain } from "../../machinery/names/names.ts";
import type {
  CertificateSigningRequest,
  CertificateSigningRequestCondition,
} from "../schema/certificates.v1.generated.ts";

const USAGES = [
  "any",
  "cert sign",
  "client auth",
  "code signing",
  "content commitment",
  "crl sign",
  "data encipherment",
  "decipher only",
  "digital signature",
  "email protection",
  "encipher only",
  "ipsec end system",
  "ipsec tunnel",
  "ipsec user",
  "key agreement",
  "key encipherment",
  "microsoft sgc",
  "netscape sgc",
  "ocsp signing",
  "s/mime",
  "server auth",
  "signing",
  "timestamping",
];
const MUST_BE_TRUE = new Set(["Approved", "Denied", "Failed"]);
const STATUSES = ["False", "True", "Unknown"];
/** A domain, a slash, and the path as a subdomain of labels. */
const SIGNER_NAME_MAX = 253 + 1 + 253 + 64;
const SHORTEST_SECONDS = 600;

const REQUEST = "CERTIFICATE REQUEST";

const SPEC = FieldPath.root("spec");
const CONDITIONS = FieldPath.root("status", "conditions");
const CERTIFICATE = FieldPath.root("status", "certificate");

/** The text that base64 stands for, or undefined where it is none. */
function decoded(base64: string): string | undefined {
  try {
    return atob(base64);
  } catch {
    return undefined;
  }
}

function isPEM(base64: string, type: string): boolean {
  const text = decoded(base64)?.trim() ?? "";
  return text.includes(`-----BEGIN ${type}-----`) && text.endsWith(`-----END ${type}-----`);
}

function whyNoRequest(base64: string): string | undefined {
  const der = isPEM(base64, REQUEST) ? derOfPEM(REQUEST, atob(base64)) : undefined;
  if (!der) return `PEM block type must be ${REQUEST}`;
  try {
    readCertificateRequest(der);
    return undefined;
  } catch (error) {
    if (error instanceof DerError) return error.message;
    throw error;
  }
}

export function validateCertificateSigningRequest({ spec }: CertificateSigningRequest): FieldError[] {
  const errors: FieldError[] = [];
  const unreadable = whyNoRequest(spec.request ?? "");
  if (unreadable) errors.push(invalidValue(SPEC.child("request"), spec.request ?? "", unreadable));
  const { usages = [], expirationSeconds } = spec;
  if (usages.length === 0) errors.push(required(SPEC.child("usages"), "usages must be provided"));
  for (const [i, usage] of usages.entries()) {
    const path = SPEC.child("usages").index(i);
    if (!USAGES.includes(usage)) errors.push(notSupported(path, usage, USAGES));
    else if (usages.indexOf(usage) !== i) errors.push(duplicate(path, usage));
  }
  const signerName = spec.signerName ?? "";
  if (signerName === "kubernetes.io/legacy-unknown") {
    const why = "the legacy signerName is not allowed via this API version";
    errors.push(invalidValue(SPEC.child("signerName"), signerName, why));
  } else errors.push(...validateSignerName(signerName, SPEC.child("signerName")));
  if (expirationSeconds !== undefined && expirationSeconds < SHORTEST_SECONDS) {
    const why = "may not specify a duration less than 600 seconds (10 minutes)";
    errors.push(invalidValue(SPEC.child("expirationSeconds"), expirationSeconds, why));
  }
  return errors;
}

function validateSignerName(name: string, path: FieldPath): FieldError[] {
  if (name === "") return [required(path)];
  const segments = name.split("/");
  const [domain = "", rest = ""] = segments;
  if (segments.length !== 2) {
    const why = "must be a fully qualified domain and path of the form 'example.com/signer-name'";
    return [invalidValue(path, name, why)];
  }
  const errors: FieldError[] = [];
  const labels = domain.split(".");
  if (labels.length < 2) {
    errors.push(
      invalidValue(path, domain, "should be a domain with at least two segments separated by dots"),
    );
  }
  for (const label of labels) {
    for (const text of isDNS1123Label(label)) {
      errors.push(invalidValue(path, domain, `validating label ${JSON.stringify(label)}: ${text}`));
    }
  }
  for (const label of rest.split(".")) {
    for (const text of isDNS1123Subdomain(label)) {
      errors.push(invalidValue(path, rest, `validating label ${JSON.stringify(label)}: ${text}`));
    }
  }
  if (byteLength(name) > SIGNER_NAME_MAX) errors.push(tooLong(path, SIGNER_NAME_MAX));
  return errors;
}

type Conditions = readonly CertificateSigningRequestCondition[];

function validateConditions(conditions: Conditions): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [i, { type = "", status = "" }] of conditions.entries()) {
    const path = CONDITIONS.index(i);
    if (type === "") errors.push(required(path.child("type")));
    if (status === "") errors.push(required(path.child("status")));
    else if (MUST_BE_TRUE.has(type)) {
      if (status !== "True") errors.push(notSupported(path.child("status"), status, ["True"]));
    } else if (!STATUSES.includes(status)) errors.push(notSupported(path.child("status"), status, STATUSES));
    const opposite = type === "Approved" ? "Denied" : type === "Denied" ? "Approved" : undefined;
    if (opposite !== undefined && seen.has(opposite)) {
      const why = "Approved and Denied conditions are mutually exclusive";
      errors.push(invalidValue(path.child("type"), type, why));
    }
    if (seen.has(type)) errors.push(duplicate(path.child("type"), type));
    seen.add(type);
  }
  return errors;
}

/** Decisions are final, and only `mayAdd` may come new. */
function validateDecisions(now: Conditions, old: Conditions, mayAdd: boolean): FieldError[] {
  const errors: FieldError[] = [];
  const of = (conditions: Conditions, type: string) =>
    conditions.filter((condition) => condition.type === type);
  for (const type of ["Approved", "Denied", "Failed"]) {
    const [is, was] = [of(now, type), of(old, type)];
    if (was.length > 0 && is.length === 0) {
      errors.push(
        forbiddenField(CONDITIONS, `updates may not remove a condition of type ${JSON.stringify(type)}`),
      );
    } else if (was.length > 0 && type !== "Failed" && !semanticEqual(is, was)) {
      errors.push(
        forbiddenField(CONDITIONS, `updates may not modify a condition of type ${JSON.stringify(type)}`),
      );
    } else if (was.length === 0 && is.length > 0 && type !== "Failed" && !mayAdd) {
      errors.push(
        forbiddenField(CONDITIONS, `updates may not add a condition of type ${JSON.stringify(type)}`),
      );
    }
  }
  return errors;
}

/** The approval subresource: conditions only. */
export function validateApproval(
  now: CertificateSigningRequest,
  old: CertificateSigningRequest,
): FieldError[] {
  const conditions = now.status?.conditions ?? [];
  return [
    ...validateConditions(conditions),
    ...validateDecisions(conditions, old.status?.conditions ?? [], true),
  ];
}

/** The status subresource: the certificate, once, and conditions that decide nothing. */
export function validateSigned(now: CertificateSigningRequest, old: CertificateSigningRequest): FieldError[] {
  const conditions = now.status?.conditions ?? [];
  const errors = validateConditions(conditions);
  errors.push(...validateDecisions(conditions, old.status?.conditions ?? [], false));
  const { certificate = "" } = now.status ?? {};
  const { certificate: was = "" } = old.status ?? {};
  if (was !== "" && certificate !== was) {
    errors.push(forbiddenField(CERTIFICATE, "updates may not modify existing certificate content"));
  } else if (certificate !== was && !isPEM(certificate, "CERTIFICATE")) {
    errors.push(
      invalidValue(CERTIFICATE, "<certificate data>", "must contain at least one CERTIFICATE PEM block"),
    );
  }
  return errors;
}
