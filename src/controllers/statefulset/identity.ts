/** What makes a pod of a StatefulSet itself: its ordinal, the names that follow from it, and its claims. */

import type { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import type { StatefulSet } from "../../api/schema/apps.v1.generated.ts";
import type { Pod, PodTemplateSpec, Volume } from "../../api/schema/core.v1.generated.ts";
import { REVISION_HASH_LABEL } from "../workloads/history/revision.ts";
import { podFromTemplate } from "../workloads/pod-from-template.ts";

const POD_NAME_LABEL = "statefulset.kubernetes.io/pod-name";
const POD_INDEX_LABEL = "apps.kubernetes.io/pod-index";

/** A pod before it is created. */
export type NewPod = ReturnType<typeof podFromTemplate>;

/** `web-3` is the fourth of `web`; undefined of names that end in no ordinal. */
export function parentAndOrdinal(name: string): { parent: string; ordinal: number } | undefined {
  const dash = name.lastIndexOf("-");
  const digits = name.slice(dash + 1);
  if (dash < 0 || digits === "" || digits.length > 10) return undefined;
  for (let i = 0; i < digits.length; i++) {
    const code = digits.charCodeAt(i);
    if (code < 48 || code > 57) return undefined;
  }
  return { parent: name.slice(0, dash), ordinal: Number(digits) };
}

/** Of a pod whose name ends in none, -1. */
export function ordinalOf({ metadata }: Pod): number {
  return parentAndOrdinal(metadata.name ?? "")?.ordinal ?? -1;
}

export function isMemberOf(set: StatefulSet, { metadata }: Pod): boolean {
  return parentAndOrdinal(metadata.name ?? "")?.parent === set.metadata.name;
}

/** The ordinals that a set is to have: from `start` to before `end`. */
export function ordinalRange({ spec }: StatefulSet): { start: number; end: number } {
  const start = spec?.ordinals?.start ?? 0;
  return { start, end: start + (spec?.replicas ?? 1) };
}

export function isInRange(set: StatefulSet, ordinal: number): boolean {
  const { start, end } = ordinalRange(set);
  return ordinal >= start && ordinal < end;
}

export function revisionOf({ metadata }: Pod): string {
  return metadata.labels?.[REVISION_HASH_LABEL] ?? "";
}

export function newPod(
  set: StatefulSet,
  template: PodTemplateSpec,
  ordinal: number,
  revision: string,
): NewPod {
  const pod = podFromTemplate(template, set);
  const name = `${set.metadata.name}-${ordinal}`;
  const labels = {
    ...pod.metadata.labels,
    ...identityLabels(name, ordinal),
    [REVISION_HASH_LABEL]: revision,
  };
  const spec = { ...pod.spec!, hostname: name, volumes: volumesOf(set, ordinal, pod.spec?.volumes) };
  if (set.spec?.serviceName) spec.subdomain = set.spec.serviceName;
  return { ...pod, metadata: { ...pod.metadata, name, labels }, spec };
}

function identityLabels(name: string, ordinal: number): Record<string, string> {
  return { [POD_NAME_LABEL]: name, [POD_INDEX_LABEL]: String(ordinal) };
}

/** The claims' volumes stand in for those of the template that have their names. */
function volumesOf(set: StatefulSet, ordinal: number, volumes: readonly Volume[] = []): Volume[] {
  const templates = set.spec?.volumeClaimTemplates ?? [];
  const claimed = templates.map(({ metadata: { name = "" } }) => ({
    name,
    persistentVolumeClaim: { claimName: claimName(set, name, ordinal) },
  }));
  const names = new Set(claimed.map(({ name }) => name));
  return [...claimed, ...volumes.filter(({ name }) => !names.has(name))];
}

function claimName(set: StatefulSet, template: string, ordinal: number): string {
  return `${template}-${set.metadata.name}-${ordinal}`;
}

/** What a pod needs of storage, before it is created. */
export function claimsOf(set: StatefulSet, ordinal: number): PersistentVolumeClaim[] {
  return (set.spec?.volumeClaimTemplates ?? []).map((template) => ({
    apiVersion: "v1",
    kind: "PersistentVolumeClaim",
    metadata: {
      ...template.metadata,
      name: claimName(set, template.metadata.name ?? "", ordinal),
      namespace: set.metadata.namespace,
      labels: { ...template.metadata.labels, ...set.spec?.selector.matchLabels },
    },
    spec: template.spec ?? {},
  }));
}

/** Whether a claim, by its name, might be of a pod of the set. */
export function mayClaim(set: StatefulSet, claim: string): boolean {
  return (set.spec?.volumeClaimTemplates ?? []).some(({ metadata }) =>
    claim.startsWith(`${metadata.name}-${set.metadata.name}-`),
  );
}

/** The pod as its identity and storage want it, or undefined where it is so already. */
export function repaired(set: StatefulSet, pod: Pod): Pod | undefined {
  const { name = "", labels = {} } = pod.metadata;
  const ordinal = ordinalOf(pod);
  const wanted = identityLabels(name, ordinal);
  const isNamed = Object.entries(wanted).every(([key, value]) => labels[key] === value);
  const isStored = claimsOf(set, ordinal).every(({ metadata }, i) => {
    const volume = set.spec?.volumeClaimTemplates?.[i]?.metadata.name;
    return pod.spec?.volumes?.some(
      (each) => each.name === volume && each.persistentVolumeClaim?.claimName === metadata.name,
    );
  });
  if (isNamed && isStored) return undefined;
  const metadata = { ...pod.metadata, labels: { ...labels, ...wanted } };
  if (isStored || !pod.spec) return { ...pod, metadata };
  return { ...pod, metadata, spec: { ...pod.spec, volumes: volumesOf(set, ordinal, pod.spec.volumes) } };
}
