import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { semanticEqual } from "../../machinery/json/equal.ts";
import {
  isQualifiedName,
  isValidCIDRForLegacyField,
  isValidLabelValue,
} from "../../machinery/names/names.ts";
import type { Node, Taint } from "./node.ts";

const EFFECTS = ["NoExecute", "NoSchedule", "PreferNoSchedule"];

export function validateNode(node: Node): FieldError[] {
  const errors = validateTaints(node.spec?.taints ?? [], FieldPath.root("spec", "taints"));
  const path = FieldPath.root("spec", "podCIDRs");
  const cidrs = node.spec?.podCIDRs ?? [];
  for (const [i, cidr] of cidrs.entries()) {
    errors.push(...isValidCIDRForLegacyField(cidr).map((text) => invalidValue(path.index(i), cidr, text)));
  }
  if (cidrs.length > 1 && errors.length === 0) {
    const sixes = cidrs.filter((cidr) => cidr.includes(":")).length;
    if (cidrs.length > 2 || sixes !== 1) {
      errors.push(invalidValue(path, cidrs, "may specify no more than one CIDR for each IP family"));
    }
  }
  return errors;
}

function validateTaints(taints: Taint[], path: FieldPath): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [i, taint] of taints.entries()) {
    const at = path.index(i);
    const { key = "", value = "", effect } = taint;
    errors.push(...isQualifiedName(key).map((text) => invalidValue(at.child("key"), key, text)));
    const wrong = isValidLabelValue(value);
    if (wrong.length > 0) errors.push(invalidValue(at.child("value"), value, wrong.join(";")));
    if (!effect) errors.push(required(at.child("effect")));
    else if (!EFFECTS.includes(effect)) {
      errors.push(notSupported(at.child("effect"), effect, ["NoSchedule", "PreferNoSchedule", "NoExecute"]));
    }
    const id = `${effect} ${key}`;
    if (effect && seen.has(id)) {
      const found = duplicate(at, taint);
      errors.push({ ...found, body: `${found.body}: taints must be unique by key and effect pair` });
    }
    seen.add(id);
  }
  return errors;
}

export function validateNodeUpdate(node: Node, old: Node): FieldError[] {
  const errors: FieldError[] = [];
  const [now, was] = [node.spec ?? {}, old.spec ?? {}];
  if (was.podCIDRs?.length && !semanticEqual(now.podCIDRs, was.podCIDRs)) {
    const why = 'node updates may not change podCIDR except from "" to valid';
    errors.push(forbiddenField(FieldPath.root("spec", "podCIDRs"), why));
  }
  if (was.providerID && now.providerID !== was.providerID) {
    const why = 'node updates may not change providerID except from "" to valid';
    errors.push(forbiddenField(FieldPath.root("spec", "providerID"), why));
  }
  if (now.externalID !== was.externalID || !semanticEqual(now.configSource, was.configSource)) {
    const why = "node updates may only change labels, taints, or capacity";
    errors.push(forbiddenField(FieldPath.root(""), why));
  }
  return errors;
}

export function validateNodeStatus({ status }: Node): FieldError[] {
  const errors: FieldError[] = [];
  const seen = new Set<string>();
  for (const [i, address] of (status?.addresses ?? []).entries()) {
    const id = `${address.type} ${address.address}`;
    if (seen.has(id)) errors.push(duplicate(FieldPath.root("status", "addresses").index(i), address));
    seen.add(id);
  }
  return errors;
}
