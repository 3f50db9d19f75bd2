/** clusterIP, clusterIPs, ipFamilies and ipFamilyPolicy must tell one story. */
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
} from "../../../machinery/field/field-error.ts";
import { FieldPath } from "../../../machinery/field/path.ts";
import { isValidIPForLegacyField } from "../../../machinery/names/names.ts";
import { familyOf, isHeadless, needsClusterIP, type ServiceSpec } from "./types.ts";

const ips = FieldPath.root("spec", "clusterIPs");
const familiesPath = FieldPath.root("spec", "ipFamilies");
const policyPath = FieldPath.root("spec", "ipFamilyPolicy");
const POLICIES = ["PreferDualStack", "RequireDualStack", "SingleStack"];

export function validateClusterIPs(
  spec: ServiceSpec,
  served: readonly string[],
  old?: ServiceSpec,
): FieldError[] {
  const { clusterIP = "", clusterIPs = [], ipFamilies = [], ipFamilyPolicy } = spec;
  const errors: FieldError[] = [];
  if (!needsClusterIP(spec)) {
    const why = "may not be set for ExternalName services";
    if (clusterIPs.length > 0 || clusterIP !== "") errors.push(forbiddenField(ips, why));
    if (ipFamilies.length > 0) errors.push(forbiddenField(familiesPath, why));
    if (ipFamilyPolicy !== undefined) errors.push(forbiddenField(policyPath, why));
    return errors;
  }
  validateFamilies(spec, served, errors);
  if (clusterIP === "" && clusterIPs.length > 0) {
    errors.push(forbiddenField(ips, "must be empty when `clusterIP` is not specified"));
  } else if (clusterIPs.length > 0 && clusterIPs[0] !== clusterIP) {
    errors.push(invalidValue(ips, clusterIPs, "first value must match `clusterIP`"));
  }
  if (clusterIPs.length > 2) errors.push(invalidValue(ips, clusterIPs, "may only hold up to 2 values"));
  if (clusterIPs.includes("None")) {
    if (clusterIPs.length > 1) {
      errors.push(invalidValue(ips, clusterIPs, "'None' must be the first and only value"));
    }
    return errors;
  }
  for (const [i, ip] of clusterIPs.entries()) {
    const texts = isValidIPForLegacyField(ip, old?.clusterIPs);
    errors.push(...texts.map((text) => invalidValue(ips.index(i), ip, text)));
    const wanted = ipFamilies[i];
    if (texts.length === 0 && wanted !== undefined && familyOf(ip) !== wanted) {
      const why = `expected an ${wanted} value as indicated by \`ipFamilies[${i}]\``;
      errors.push(invalidValue(ips.index(i), ip, why));
    }
  }
  if (clusterIPs.length === 2 && familyOf(clusterIPs[0] as string) === familyOf(clusterIPs[1] as string)) {
    errors.push(invalidValue(ips, clusterIPs, "may specify no more than one IP for each IP family"));
  }
  return errors;
}

function validateFamilies(spec: ServiceSpec, served: readonly string[], errors: FieldError[]): void {
  const { clusterIPs = [], ipFamilies = [], ipFamilyPolicy } = spec;
  const manual = isHeadless(spec) && Object.keys(spec.selector ?? {}).length === 0;
  if (ipFamilyPolicy !== undefined && !POLICIES.includes(ipFamilyPolicy)) {
    errors.push(notSupported(policyPath, ipFamilyPolicy, POLICIES));
  }
  if (ipFamilyPolicy === undefined || ipFamilyPolicy === "SingleStack") {
    const what = clusterIPs.length > 1 ? "clusterIPs" : ipFamilies.length > 1 ? "ipFamilies" : undefined;
    if (what) {
      const why = `must be RequireDualStack or PreferDualStack when multiple ${what} are specified`;
      errors.push(invalidValue(policyPath, ipFamilyPolicy, why));
    }
  }
  if (ipFamilyPolicy === "RequireDualStack" && served.length < 2 && !manual) {
    const why = "this cluster is not configured for dual-stack services";
    errors.push(invalidValue(policyPath, ipFamilyPolicy, why));
  }
  const seen = new Set<string>();
  for (const [i, family] of ipFamilies.entries()) {
    const path = familiesPath.index(i);
    if (family !== "IPv4" && family !== "IPv6") errors.push(notSupported(path, family, ["IPv4", "IPv6"]));
    else if (!served.includes(family) && !manual) {
      errors.push(invalidValue(path, family, "not configured on this cluster"));
    }
    if (seen.has(family)) errors.push(duplicate(path, family));
    seen.add(family);
  }
}

export function validateClusterIPsUpdate(now: ServiceSpec, was: ServiceSpec): FieldError[] {
  if (!needsClusterIP(now) || !needsClusterIP(was)) return [];
  const errors: FieldError[] = [];
  const why = "may not change once set";
  const [newIPs, oldIPs] = [now.clusterIPs ?? [], was.clusterIPs ?? []];
  const [newFamilies, oldFamilies] = [now.ipFamilies ?? [], was.ipFamilies ?? []];
  if (oldIPs[0] && newIPs[0] !== oldIPs[0]) errors.push(invalidValue(ips.index(0), newIPs, why));
  if (oldFamilies[0] && newFamilies[0] !== oldFamilies[0]) {
    errors.push(invalidValue(familiesPath.index(0), newFamilies, why));
  }
  // The second goes with the step to SingleStack only.
  if (now.ipFamilyPolicy === "SingleStack") return errors;
  if (oldIPs[1] && newIPs[1] !== oldIPs[1]) errors.push(invalidValue(ips.index(1), newIPs, why));
  if (oldFamilies[1] && newFamilies[1] !== oldFamilies[1]) {
    errors.push(invalidValue(familiesPath.index(1), newFamilies, why));
  }
  return errors;
}
