/** Where a pod may run: node selectors, affinity, tolerations, spreading and gates. */
import {
  duplicate,
  type FieldError,
  forbiddenField,
  invalidValue,
  notSupported,
  required,
} from "../../../machinery/field/field-error.ts";
import type { FieldPath } from "../../../machinery/field/path.ts";
import {
  isDNS1123Label,
  isDNS1123Subdomain,
  isQualifiedName,
  isValidLabelValue,
} from "../../../machinery/names/names.ts";
import { validateLabelSelector } from "../../../machinery/selectors/validate.ts";
import type {
  Affinity,
  NodeAffinity,
  NodeSelector,
  NodeSelectorRequirement,
  NodeSelectorTerm,
  PodAffinityTerm,
  PodSchedulingGate,
  Toleration,
  TopologySpreadConstraint,
  WeightedPodAffinityTerm,
} from "../../schema/core.v1.generated.ts";
import type { LabelSelector } from "../../schema/meta.v1.generated.ts";
import { eachInvalid, maybeOneOf, type Rules } from "./checks.ts";

const EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"];
const NOT_POSITIVE = "must be greater than zero";
const REQUIRED_TERMS = "requiredDuringSchedulingIgnoredDuringExecution";
const PREFERRED_TERMS = "preferredDuringSchedulingIgnoredDuringExecution";

export function validateAffinity(affinity: Affinity, at: FieldPath, rules: Rules): void {
  if (affinity.nodeAffinity) validateNodeAffinity(affinity.nodeAffinity, at.child("nodeAffinity"), rules);
  for (const kind of ["podAffinity", "podAntiAffinity"] as const) {
    const terms = affinity[kind];
    if (!terms) continue;
    const path = at.child(kind);
    terms.requiredDuringSchedulingIgnoredDuringExecution?.forEach((term, i) => {
      validatePodTerm(term, path.child(REQUIRED_TERMS).index(i), rules);
    });
    terms.preferredDuringSchedulingIgnoredDuringExecution?.forEach((term, i) => {
      validateWeightedTerm(term, path.child(PREFERRED_TERMS).index(i), rules);
    });
  }
}

function validateNodeAffinity(affinity: NodeAffinity, at: FieldPath, rules: Rules): void {
  const hard = affinity.requiredDuringSchedulingIgnoredDuringExecution;
  if (hard) validateNodeSelector(hard, at.child(REQUIRED_TERMS), rules.errors);
  affinity.preferredDuringSchedulingIgnoredDuringExecution?.forEach((term, i) => {
    const path = at.child(PREFERRED_TERMS).index(i);
    validateWeight(term.weight, path, rules.errors);
    // A preference may name a value that no label can have: it then simply prefers nothing.
    validateNodeTerm(term.preference, false, path.child("preference"), rules.errors);
  });
}

export function validateNodeSelector(selector: NodeSelector, at: FieldPath, errors: FieldError[]): void {
  const terms = selector.nodeSelectorTerms;
  const path = at.child("nodeSelectorTerms");
  if (!terms || terms.length === 0) {
    errors.push(required(path, "must have at least one node selector term"));
    return;
  }
  terms.forEach((term, i) => {
    validateNodeTerm(term, true, path.index(i), errors);
  });
}

function validateNodeTerm(
  term: NodeSelectorTerm = {},
  values: boolean,
  at: FieldPath,
  errors: FieldError[],
): void {
  term.matchExpressions?.forEach((requirement, i) => {
    validateNodeRequirement(requirement, values, at.child("matchExpressions").index(i), errors);
  });
  term.matchFields?.forEach((requirement, i) => {
    validateNodeField(requirement, at.child("matchFields").index(i), errors);
  });
}

function validateNodeRequirement(
  { key, operator, values = [] }: NodeSelectorRequirement,
  checkValues: boolean,
  at: FieldPath,
  errors: FieldError[],
): void {
  const path = at.child("values");
  if (operator === "In" || operator === "NotIn") {
    if (values.length === 0) {
      errors.push(required(path, "must be specified when `operator` is 'In' or 'NotIn'"));
    }
  } else if (operator === "Exists" || operator === "DoesNotExist") {
    if (values.length > 0) {
      errors.push(forbiddenField(path, "may not be specified when `operator` is 'Exists' or 'DoesNotExist'"));
    }
  } else if (operator === "Gt" || operator === "Lt") {
    if (values.length !== 1) {
      errors.push(required(path, "must be specified single value when `operator` is 'Lt' or 'Gt'"));
    }
  } else errors.push(invalidValue(at.child("operator"), operator ?? "", "not a valid selector operator"));
  eachInvalid(errors, isQualifiedName(key), at.child("key"), key);
  if (!checkValues) return;
  values.forEach((value, i) => {
    eachInvalid(errors, isValidLabelValue(value), path.index(i), value);
  });
}

function validateNodeField(
  { key, operator, values = [] }: NodeSelectorRequirement,
  at: FieldPath,
  errors: FieldError[],
): void {
  if (operator === "In" || operator === "NotIn") {
    if (values.length !== 1) {
      const why = "must be only one value when `operator` is 'In' or 'NotIn' for node field selector";
      errors.push(required(at.child("values"), why));
    }
  } else errors.push(invalidValue(at.child("operator"), operator ?? "", "not a valid selector operator"));
  if (key !== "metadata.name") {
    errors.push(invalidValue(at.child("key"), key, "not a valid field selector key"));
    return;
  }
  values.forEach((value, i) => {
    eachInvalid(errors, isDNS1123Subdomain(value), at.child("values").index(i), value);
  });
}

function validateWeight(weight: number, at: FieldPath, errors: FieldError[]): void {
  if (weight > 0 && weight <= 100) return;
  errors.push(invalidValue(at.child("weight"), weight ?? 0, "must be in the range 1-100"));
}

function validateWeightedTerm(term: WeightedPodAffinityTerm, at: FieldPath, rules: Rules): void {
  validateWeight(term.weight, at, rules.errors);
  // The term is a value in upstream, which is empty where it is not given.
  validatePodTerm(term.podAffinityTerm ?? { topologyKey: "" }, at.child("podAffinityTerm"), rules);
}

function validatePodTerm(term: PodAffinityTerm, at: FieldPath, rules: Rules): void {
  const { errors } = rules;
  if (term.labelSelector)
    errors.push(...validateLabelSelector(term.labelSelector, at.child("labelSelector")));
  if (term.namespaceSelector) {
    errors.push(...validateLabelSelector(term.namespaceSelector, at.child("namespaceSelector")));
  }
  for (const name of term.namespaces ?? []) {
    eachInvalid(errors, isDNS1123Label(name), at.child("namespace"), name);
  }
  validateTermKeys(term, at, rules);
  if (!term.topologyKey) errors.push(required(at.child("topologyKey"), "can not be empty"));
  eachInvalid(
    errors,
    isQualifiedName(term.topologyKey ?? ""),
    at.child("topologyKey"),
    term.topologyKey ?? "",
  );
}

function validateTermKeys(term: PodAffinityTerm, at: FieldPath, { errors }: Rules): void {
  const match = term.matchLabelKeys ?? [];
  const mismatch = term.mismatchLabelKeys ?? [];
  for (const [name, keys] of [
    ["matchLabelKeys", match],
    ["mismatchLabelKeys", mismatch],
  ] as const) {
    if (keys.length === 0) continue;
    if (!term.labelSelector) {
      errors.push(forbiddenField(at.child(name), "must not be specified when labelSelector is not set"));
      continue;
    }
    keys.forEach((key, i) => {
      eachInvalid(errors, isQualifiedName(key), at.child(name).index(i), key);
    });
  }
  if (term.labelSelector) validateMergedKeys(term.labelSelector, match, at, errors);
  match.forEach((key, i) => {
    if (!mismatch.includes(key)) return;
    const why = "exists in both matchLabelKeys and mismatchLabelKeys";
    errors.push(invalidValue(at.child("matchLabelKeys").index(i), key, why));
  });
}

/** Creation has put an expression of each key into the selector; a second one is the user's own. */
function validateMergedKeys(
  { matchLabels, matchExpressions = [] }: LabelSelector,
  match: readonly string[],
  at: FieldPath,
  errors: FieldError[],
): void {
  if (match.length === 0) return;
  const seen = new Set(Object.keys(matchLabels ?? {}));
  for (const { key } of matchExpressions) {
    if (match.includes(key) && seen.has(key)) {
      const why = "exists in both matchLabelKeys and labelSelector";
      errors.push(invalidValue(at.index(match.lastIndexOf(key)), key, why));
    }
    seen.add(key);
  }
}

export function validateTolerations(tolerations: readonly Toleration[], at: FieldPath, rules: Rules): void {
  const { errors } = rules;
  for (let i = 0; i < tolerations.length; i++) {
    const { key, operator, value, effect, tolerationSeconds } = tolerations[i] as Toleration;
    if (key) {
      const messages = isQualifiedName(key);
      if (messages.length > 0) eachInvalid(errors, messages, at.index(i).child("key"), key);
    } else if (operator !== "Exists") {
      const why = 'operator must be Exists when `key` is empty, which means "match all values and all keys"';
      errors.push(invalidValue(at.index(i).child("operator"), operator ?? "", why));
    }
    if (tolerationSeconds !== undefined && effect !== "NoExecute") {
      const why = "effect must be 'NoExecute' when `tolerationSeconds` is set";
      errors.push(invalidValue(at.index(i).child("effect"), effect ?? "", why));
    }
    if (operator === "Equal" || !operator) {
      const messages = isValidLabelValue(value ?? "");
      if (messages.length > 0) {
        errors.push(invalidValue(at.index(i).child("operator"), value, messages.join(";")));
      }
    } else if (operator === "Exists") {
      if (value) {
        const why = "value must be empty when `operator` is 'Exists'";
        errors.push(invalidValue(at.index(i).child("operator"), value, why));
      }
    } else errors.push(notSupported(at.index(i).child("operator"), operator, ["Equal", "Exists"]));
    if (effect && !EFFECTS.includes(effect)) {
      errors.push(notSupported(at.index(i).child("effect"), effect, EFFECTS));
    }
  }
}

export function validateSpreading(
  constraints: readonly TopologySpreadConstraint[],
  at: FieldPath,
  rules: Rules,
): void {
  const { errors } = rules;
  const policies = ["Honor", "Ignore"];
  const pairOf = ({ topologyKey, whenUnsatisfiable }: TopologySpreadConstraint) =>
    `{${topologyKey}, ${whenUnsatisfiable}}`;
  const last = new Map(constraints.map((constraint, i) => [pairOf(constraint), i]));
  constraints.forEach((constraint, i) => {
    const path = at.index(i);
    const { maxSkew, minDomains, topologyKey, whenUnsatisfiable } = constraint;
    if (!(maxSkew > 0)) errors.push(invalidValue(path.child("maxSkew"), maxSkew ?? 0, NOT_POSITIVE));
    if (!topologyKey) errors.push(required(path.child("topologyKey"), "can not be empty"));
    if (whenUnsatisfiable !== "DoNotSchedule" && whenUnsatisfiable !== "ScheduleAnyway") {
      const words = ["DoNotSchedule", "ScheduleAnyway"];
      errors.push(notSupported(path.child("whenUnsatisfiable"), whenUnsatisfiable ?? "", words));
    }
    const pair = pairOf(constraint);
    if (last.get(pair) !== i) errors.push(duplicate(path.child("{topologyKey, whenUnsatisfiable}"), pair));
    if (minDomains !== undefined) {
      if (minDomains <= 0) errors.push(invalidValue(path.child("minDomains"), minDomains, NOT_POSITIVE));
      if (whenUnsatisfiable !== "DoNotSchedule") {
        const why = `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`;
        errors.push(invalidValue(path.child("minDomains"), minDomains, why));
      }
    }
    maybeOneOf(errors, constraint.nodeAffinityPolicy, policies, path, "nodeAffinityPolicy");
    maybeOneOf(errors, constraint.nodeTaintsPolicy, policies, path, "nodeTaintsPolicy");
    validateSpreadKeys(constraint, path.child("matchLabelKeys"), errors);
    if (constraint.labelSelector) {
      errors.push(...validateLabelSelector(constraint.labelSelector, path.child("labelSelector")));
    }
  });
}

function validateSpreadKeys(
  { matchLabelKeys, labelSelector }: TopologySpreadConstraint,
  at: FieldPath,
  errors: FieldError[],
): void {
  if (!matchLabelKeys || matchLabelKeys.length === 0) return;
  if (!labelSelector) errors.push(forbiddenField(at, "must not be specified when labelSelector is not set"));
  matchLabelKeys.forEach((key, i) => {
    eachInvalid(errors, isQualifiedName(key), at.index(i), key);
  });
  if (labelSelector) validateMergedKeys(labelSelector, matchLabelKeys, at, errors);
}

export function validateSchedulingGates(
  gates: readonly PodSchedulingGate[],
  at: FieldPath,
  { errors }: Rules,
): void {
  const seen = new Set<string>();
  gates.forEach(({ name }, i) => {
    eachInvalid(errors, isQualifiedName(name), at.index(i), name);
    if (seen.has(name)) errors.push(duplicate(at.index(i), name));
    seen.add(name);
  });
}
