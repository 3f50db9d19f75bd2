/**
 * Brings the default roles and bindings into being, and up to date after an upgrade: what is missing is added, nothing
 * that an operator added is taken away, and objects that say `autoupdate: "false"` are left alone.
 */

import type { KubeObject } from "../../../api/object.ts";
import type { ObjectReader, ObjectWriter } from "../../../api/ports.ts";
import type { Resource } from "../../../api/resource.ts";
import { StatusError } from "../../../machinery/status/status-error.ts";
import { compactRules, missingRules } from "../policy-rule.ts";
import type { RBACKinds, StoredBinding, StoredClusterRole, StoredRole, Subject } from "../rbac.ts";
import { AUTOUPDATE, type BootstrapPolicy, makeBootstrapPolicy } from "./bootstrap-policy.ts";

export interface Reconciled {
  created: number;
  updated: number;
}

/** The namespaces that the policy names (kube-system, kube-public) must exist. */
export async function reconcileBootstrapPolicy(
  { reader, writer }: { reader: ObjectReader; writer: ObjectWriter },
  kinds: RBACKinds,
  policy: BootstrapPolicy = makeBootstrapPolicy(),
): Promise<Reconciled> {
  const done: Reconciled = { created: 0, updated: 0 };
  const ensure = <T extends KubeObject>(
    resource: Resource<T>,
    wanted: readonly T[],
    complete: (stored: T, wanted: T) => T | undefined,
  ) => wanted.map((object) => ensureOne(reader, writer, resource, object, complete, done));
  await Promise.all([
    ...ensure(kinds.clusterRoles, policy.clusterRoles, completeClusterRole),
    ...ensure(kinds.roles, policy.roles, completeRole),
    ...ensure(kinds.clusterRoleBindings, policy.clusterRoleBindings, completeBinding),
    ...ensure(kinds.roleBindings, policy.roleBindings, completeBinding),
  ]);
  return done;
}

/** `complete` gives the object to store instead, or undefined where nothing is missing. */
async function ensureOne<T extends KubeObject>(
  reader: ObjectReader,
  writer: ObjectWriter,
  resource: Resource<T>,
  wanted: T,
  complete: (stored: T, wanted: T) => T | undefined,
  done: Reconciled,
): Promise<void> {
  const { namespace = "", name = "" } = wanted.metadata;
  let stored = reader.get(resource, namespace, name);
  if (!stored) {
    try {
      await writer.create(resource, wanted);
      done.created++;
      return;
    } catch (error) {
      // Another server may be starting on the same store.
      if (!(error instanceof StatusError && error.reason === "AlreadyExists")) throw error;
      stored = reader.get(resource, namespace, name);
      if (!stored) return;
    }
  }
  if (!mayUpdate(stored)) return;
  if (replacesRole(stored, wanted)) {
    // A binding's role cannot be changed, only the binding replaced.
    await writer.delete(resource, namespace, name, { preconditions: { uid: stored.metadata.uid } });
    await writer.create(resource, wanted);
    done.updated++;
    return;
  }
  if (!complete(stored, wanted)) return;
  await writer.update(resource, namespace, name, (copy) => {
    const next = mayUpdate(copy) ? complete(copy, wanted) : undefined;
    if (!next) return false;
    Object.assign(copy, next);
  });
  done.updated++;
}

function mayUpdate({ metadata }: KubeObject): boolean {
  return metadata.annotations?.[AUTOUPDATE] !== "false";
}

function replacesRole(stored: KubeObject, wanted: KubeObject): boolean {
  const { roleRef: now } = stored as Partial<StoredBinding>;
  const { roleRef: next } = wanted as Partial<StoredBinding>;
  return now !== undefined && next !== undefined && (now.kind !== next.kind || now.name !== next.name);
}

function completeRole<T extends StoredRole>(stored: T, wanted: T): T | undefined {
  const metadata = completeMetadata(stored, wanted);
  const missing = compactRules(missingRules(stored.rules ?? [], wanted.rules ?? []));
  if (!metadata && missing.length === 0) return undefined;
  return { ...stored, metadata: metadata ?? stored.metadata, rules: [...(stored.rules ?? []), ...missing] };
}

/** An aggregated role's rules are the aggregation controller's; only its selectors are completed. */
function completeClusterRole(
  stored: StoredClusterRole,
  wanted: StoredClusterRole,
): StoredClusterRole | undefined {
  if (!wanted.aggregationRule) return completeRole(stored, wanted);
  const metadata = completeMetadata(stored, wanted);
  const has = stored.aggregationRule?.clusterRoleSelectors ?? [];
  const known = new Set(has.map((selector) => JSON.stringify(selector)));
  const missing = (wanted.aggregationRule.clusterRoleSelectors ?? []).filter(
    (s) => !known.has(JSON.stringify(s)),
  );
  const empty = (stored.rules ?? []).length === 0;
  if (!metadata && missing.length === 0 && !empty) return undefined;
  return {
    ...stored,
    metadata: metadata ?? stored.metadata,
    aggregationRule: { clusterRoleSelectors: [...has, ...missing] },
    rules: empty ? wanted.rules : stored.rules,
  };
}

function completeBinding(stored: StoredBinding, wanted: StoredBinding): StoredBinding | undefined {
  const metadata = completeMetadata(stored, wanted);
  const has = new Set((stored.subjects ?? []).map(subjectKey));
  const missing = (wanted.subjects ?? []).filter((subject) => !has.has(subjectKey(subject)));
  if (!metadata && missing.length === 0) return undefined;
  return {
    ...stored,
    metadata: metadata ?? stored.metadata,
    subjects: [...(stored.subjects ?? []), ...missing],
  };
}

function subjectKey({ kind, name, namespace = "" }: Subject): string {
  return `${kind} ${namespace}/${name}`;
}

/** Labels and annotations that are missing; those that are there keep their values. */
function completeMetadata(stored: KubeObject, wanted: KubeObject): KubeObject["metadata"] | undefined {
  const labels = { ...wanted.metadata.labels, ...stored.metadata.labels };
  const annotations = { ...wanted.metadata.annotations, ...stored.metadata.annotations };
  const count = (map: object | undefined) => Object.keys(map ?? {}).length;
  const grew =
    count(labels) > count(stored.metadata.labels) || count(annotations) > count(stored.metadata.annotations);
  return grew ? { ...stored.metadata, labels, annotations } : undefined;
}
