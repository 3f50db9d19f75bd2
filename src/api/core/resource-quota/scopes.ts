/** Which objects a quota is about. */
import type { KubeObject } from "../../object.ts";
import type { PersistentVolumeClaimSpec, PodSpec } from "../../schema/core.v1.generated.ts";
import { qosClassOf } from "../pod/qos.ts";
import type { ResourceQuota } from "../resource-quota.ts";
import type { CountedKind } from "./counted-kinds.ts";

interface Term {
  scopeName: string;
  operator: string;
  values?: string[];
}

export function matchesScopes({ spec }: ResourceQuota, resource: CountedKind, object: KubeObject): boolean {
  if (!spec?.scopes && !spec?.scopeSelector) return true;
  const terms: Term[] = (spec?.scopes ?? []).map((scopeName) => ({ scopeName, operator: "Exists" }));
  terms.push(...(spec?.scopeSelector?.matchExpressions ?? []));
  return terms.every((term) => matches(term, resource, object));
}

function matches(term: Term, { plural, group }: CountedKind, object: KubeObject): boolean {
  if (group !== "") return false;
  if (plural === "persistentvolumeclaims") {
    const { spec } = object as { spec?: PersistentVolumeClaimSpec };
    return term.scopeName === "VolumeAttributesClass" && named(term, spec?.volumeAttributesClassName ?? "");
  }
  const spec = plural === "pods" ? (object as { spec?: PodSpec }).spec : undefined;
  if (!spec) return false;
  switch (term.scopeName) {
    case "Terminating":
      return (spec.activeDeadlineSeconds ?? -1) >= 0;
    case "NotTerminating":
      return (spec.activeDeadlineSeconds ?? -1) < 0;
    case "BestEffort":
      return qosClassOf(spec) === "BestEffort";
    case "NotBestEffort":
      return qosClassOf(spec) !== "BestEffort";
    case "PriorityClass":
      return named(term, spec.priorityClassName ?? "");
    case "CrossNamespacePodAffinity":
      return reachesOtherNamespaces(spec);
    default:
      return false;
  }
}

function named({ operator, values = [] }: Term, name: string): boolean {
  if (operator === "Exists") return name !== "";
  if (operator === "DoesNotExist") return name === "";
  if (operator === "In") return values.includes(name);
  return operator === "NotIn" && !values.includes(name);
}

function reachesOtherNamespaces({ affinity }: PodSpec): boolean {
  return [affinity?.podAffinity, affinity?.podAntiAffinity].some((side) => {
    const terms = [
      ...(side?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
      ...(side?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((w) => w.podAffinityTerm),
    ];
    return terms.some((term) => (term.namespaces?.length ?? 0) > 0 || term.namespaceSelector !== undefined);
  });
}
