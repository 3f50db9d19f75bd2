/** Projected volumes: several sources in one folder. */
import {
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from "../../../machinery/field/field-error.ts";
import type { FieldPath } from "../../../machinery/field/path.ts";
import { isDNS1123Subdomain } from "../../../machinery/names/names.ts";
import { validateLabelSelector } from "../../../machinery/selectors/validate.ts";
import type {
  ClusterTrustBundleProjection,
  DownwardAPIVolumeFile,
  PodCertificateProjection,
  ProjectedVolumeSource,
  ServiceAccountTokenProjection,
  VolumeProjection,
} from "../../schema/core.v1.generated.ts";
import { eachInvalid, localNonReservedPath, needs, type Rules } from "./checks.ts";
import { validateFieldRef, validateResourceFieldRef } from "./validate-env.ts";
import { validateKeyToPath, validateMode } from "./validate-files.ts";

const VOLUME_FIELD_PATHS = [
  "metadata.name",
  "metadata.namespace",
  "metadata.labels",
  "metadata.annotations",
  "metadata.uid",
];
const KEY_TYPES = ["ECDSAP256", "ECDSAP384", "ECDSAP521", "ED25519", "RSA3072", "RSA4096"];
const MIN_CERTIFICATE_SECONDS = 3600;
const MAX_CERTIFICATE_SECONDS = 91 * 86400;
const KUBERNETES_CERTIFICATE_SECONDS = 86400;

/** The files that sources so far put into the volume; the second to claim one is refused. */
type Paths = Set<string>;

function claim(
  paths: Paths,
  path: string | undefined,
  said: unknown,
  at: FieldPath,
  { errors }: Rules,
): void {
  if (!path) return;
  if (paths.has(path)) errors.push(invalidValue(at, said, "conflicting duplicate paths"));
  else paths.add(path);
}

export function validateProjected(projected: ProjectedVolumeSource, at: FieldPath, rules: Rules): void {
  validateMode(projected.defaultMode, at, "defaultMode", rules);
  const paths: Paths = new Set();
  projected.sources?.forEach((source, i) => {
    validateProjection(source, paths, at, i, rules);
  });
}

function validateProjection(
  source: VolumeProjection,
  paths: Paths,
  at: FieldPath,
  i: number,
  rules: Rules,
): void {
  const path = at.child("sources").index(i);
  let sources = 0;
  for (const kind of ["secret", "configMap"] as const) {
    const files = source[kind];
    if (!files) continue;
    sources++;
    needs(rules.errors, files.name, path.child(kind), "name");
    files.items?.forEach((item, j) => {
      validateKeyToPath(item, path.child(kind, "items").index(j), rules);
      claim(paths, item.path, files.name, at, rules);
    });
  }
  if (source.downwardAPI) {
    sources++;
    for (const item of source.downwardAPI.items ?? []) {
      validateDownwardAPIFile(item, path.child("downwardAPI"), rules);
      claim(paths, item.path, item.path, at, rules);
    }
  }
  if (source.serviceAccountToken) {
    sources++;
    validateToken(source.serviceAccountToken, at, path.child("serviceAccountToken"), rules);
  }
  if (source.clusterTrustBundle) {
    sources++;
    validateTrustBundle(source.clusterTrustBundle, path.child("clusterTrustBundle"), rules);
    claim(paths, source.clusterTrustBundle.path, source.clusterTrustBundle.path, at, rules);
  }
  if (source.podCertificate) {
    sources++;
    validateCertificate(source.podCertificate, paths, at, path.child("podCertificate"), rules);
  }
  if (sources > 1) {
    rules.errors.push(forbiddenField(path, "may not specify more than 1 volume type per source"));
  }
}

/** Upstream says the token's path at the volume, not at the source. */
function validateToken(
  token: ServiceAccountTokenProjection,
  volume: FieldPath,
  at: FieldPath,
  { errors }: Rules,
): void {
  const seconds = token.expirationSeconds ?? 0;
  if (seconds < 600) {
    const why = "may not specify a duration less than 10 minutes";
    errors.push(invalidValue(at.child("expirationSeconds"), seconds, why));
  }
  if (seconds > 2 ** 32) {
    const why = "may not specify a duration larger than 2^32 seconds";
    errors.push(invalidValue(at.child("expirationSeconds"), seconds, why));
  }
  if (!token.path) errors.push(required(volume.child("path")));
  else localNonReservedPath(errors, token.path, volume.child("path"));
}

function validateTrustBundle(bundle: ClusterTrustBundleProjection, at: FieldPath, { errors }: Rules): void {
  const { name, signerName, labelSelector, path } = bundle;
  if (name !== undefined && signerName !== undefined) {
    errors.push(invalidValue(at, bundle, "only one of name and signerName may be used"));
  } else if (name !== undefined) {
    if (name === "") errors.push(required(at.child("name"), "must be a valid object name"));
    // A bundle of a signer is named `<signer with colons>:<name>`.
    const last = name.slice(name.lastIndexOf(":") + 1);
    for (const message of isDNS1123Subdomain(last)) {
      errors.push(invalidValue(at.child("name"), name, `not a valid clustertrustbundlename: ${message}`));
    }
    if (labelSelector) {
      const why = "labelSelector must be unset if name is specified";
      errors.push(invalidValue(at.child("labelSelector"), labelSelector, why));
    }
  } else if (signerName !== undefined) {
    if (signerName === "") errors.push(required(at.child("signerName"), "must be a valid signer name"));
    validateSignerName(signerName, at.child("signerName"), errors);
    if (labelSelector) errors.push(...validateLabelSelector(labelSelector, at.child("labelSelector")));
  } else errors.push(required(at, "either name or signerName must be specified"));
  if (!path) errors.push(required(at.child("path")));
  localNonReservedPath(errors, path ?? "", at.child("path"));
}

const FULLY_QUALIFIED = "must be a fully qualified domain and path of the form 'example.com/signer-name'";

function validateSignerName(name: string, at: FieldPath, errors: Rules["errors"]): void {
  if (name === "") {
    errors.push(required(at));
    return;
  }
  const parts = name.split("/");
  if (parts.length !== 2) {
    errors.push(invalidValue(at, name, FULLY_QUALIFIED));
    return;
  }
  const [domain = "", path = ""] = parts;
  eachInvalid(errors, isDNS1123Subdomain(domain), at, domain);
  if (!domain.includes("."))
    errors.push(invalidValue(at, domain, "should be a domain with at least two segments separated by dots"));
  eachInvalid(errors, isDNS1123Subdomain(path), at, path);
}

/** A key and a certificate for the pod, which the kubelet asks a signer for. */
function validateCertificate(
  certificate: PodCertificateProjection,
  paths: Paths,
  volume: FieldPath,
  at: FieldPath,
  rules: Rules,
): void {
  const { errors } = rules;
  validateSignerName(certificate.signerName ?? "", at.child("signerName"), errors);
  if (!KEY_TYPES.includes(certificate.keyType)) {
    errors.push(notSupported(at.child("keyType"), certificate.keyType ?? "", KEY_TYPES));
  }
  const seconds = certificate.maxExpirationSeconds;
  if (seconds !== undefined) {
    const most = certificate.signerName?.startsWith("kubernetes.io/")
      ? KUBERNETES_CERTIFICATE_SECONDS
      : MAX_CERTIFICATE_SECONDS;
    if (seconds < MIN_CERTIFICATE_SECONDS || seconds > most) {
      const why = `if provided, maxExpirationSeconds must be between ${MIN_CERTIFICATE_SECONDS} and ${most}`;
      errors.push(invalidValue(at.child("maxExpirationSeconds"), seconds, why));
    }
  }
  let files = 0;
  for (const name of ["credentialBundlePath", "keyPath", "certificateChainPath"] as const) {
    const path = certificate[name];
    if (!path) continue;
    files++;
    localNonReservedPath(errors, path, at.child(name));
    claim(paths, path, path, volume, rules);
  }
  if (files === 0) {
    errors.push(
      required(at, "specify at least one of credentialBundlePath, keyPath, and certificateChainPath"),
    );
  }
}

export function validateDownwardAPIFile(file: DownwardAPIVolumeFile, at: FieldPath, rules: Rules): void {
  const { errors } = rules;
  needs(errors, file.path, at, "path");
  localNonReservedPath(errors, file.path ?? "", at.child("path"));
  if (file.fieldRef) {
    validateFieldRef(file.fieldRef, VOLUME_FIELD_PATHS, at.child("fieldRef"), rules);
    if (file.resourceFieldRef) {
      const why = "fieldRef and resourceFieldRef can not be specified simultaneously";
      errors.push(invalidValue(at, "resource", why));
    }
  } else if (file.resourceFieldRef) {
    validateResourceFieldRef(file.resourceFieldRef, true, at.child("resourceFieldRef"), rules);
  } else errors.push(required(at, "one of fieldRef and resourceFieldRef is required"));
  validateMode(file.mode, at, "mode", rules);
}
