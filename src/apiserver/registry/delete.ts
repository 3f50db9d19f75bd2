/** DELETE of one object: at once, after a grace period, or once its finalizers are done. */
import type { KubeObject } from "../../api/object.ts";
import type { DeleteRequest } from "../../api/ports.ts";
import { isBelow, successor } from "../../machinery/json/exact-integer.ts";
import {
  conflict,
  forbidden,
  notFound,
  OPTIMISTIC_LOCK,
  type StatusError,
} from "../../machinery/status/status-error.ts";
import { atRevision } from "../watch-cache/cache-event.ts";
import { type CachedObject, cacheKey } from "../watch-cache/cached-object.ts";
import { admissionRequest } from "./create.ts";
import { type Call, groupResource, type Registry, type Served, storeKey, timestamp } from "./registry.ts";
import { cachedFrom, deleteStored, encodeStored, isUnchanged, writeObject } from "./write.ts";

const ORPHAN = "orphan";
const FOREGROUND = "foregroundDeletion";
const ATTEMPTS = 30;
/** Seconds: 68 years. */
const LONGEST_GRACE = 2 ** 31 - 1;

export interface Deleted {
  object: CachedObject;
  /** False: it is marked, and goes later. */
  gone: boolean;
}

export function deleteObject(
  registry: Registry,
  call: Call,
  served: Served,
  namespace: string,
  name: string,
  options: DeleteRequest,
): Promise<Deleted> {
  const key = storeKey(served.resource, namespace, name);
  return registry.turns.run(key, () => deleteNow(registry, call, served, namespace, name, options));
}

async function deleteNow(
  registry: Registry,
  call: Call,
  served: Served,
  namespace: string,
  name: string,
  options: DeleteRequest,
): Promise<Deleted> {
  const { resource } = served;
  const waited = registry.cache.fresh();
  if (waited) await waited;
  let current = registry.cache.cache(resource).get(cacheKey(namespace, name));
  for (let attempt = 1; ; attempt++) {
    if (!current) throw notFound(groupResource(served), name);
    const old = current.object;
    checkPreconditions(served, name, old, options);
    const refusal = resource.mayDelete?.(old);
    if (refusal) throw forbidden(groupResource(served), name, refusal);
    const request = admissionRequest(call, served, namespace, name, undefined, old);
    const mutated = registry.admission.mutate(request);
    if (mutated) await mutated;
    const checked = registry.admission.validate(request);
    if (checked) await checked;
    const result = await once(registry, call, served, current, options);
    if (result.won) return result;
    if (attempt === ATTEMPTS) throw conflict(groupResource(served), name, OPTIMISTIC_LOCK);
    current = result.now;
  }
}

type Attempt = (Deleted & { won: true }) | { won: false; now: CachedObject | undefined };

async function once(
  registry: Registry,
  call: Call,
  served: Served,
  current: CachedObject,
  options: DeleteRequest,
): Promise<Attempt> {
  const { resource } = served;
  // Once the cache has seen it go, it would have to be read from its bytes again.
  const old = current.object;
  const marked = markDeleted(registry, served, old, options);
  if (marked) {
    const bytes = encodeStored(resource, marked);
    if (isUnchanged(current, bytes, marked)) return { won: true, object: current, gone: false };
    if (call.dryRun || options.dryRun) {
      return {
        won: true,
        object: cachedFrom(resource, current.key, bytes, marked, current.revision),
        gone: false,
      };
    }
    const written = await writeObject(registry, resource, marked, bytes, current.revision);
    return written.won ? { won: true, object: written.object, gone: false } : written;
  }
  if (call.dryRun || options.dryRun) return { won: true, object: current, gone: true };
  const gone = await deleteStored(registry, resource, current);
  if (!gone.won) return gone;
  await resource.begin?.deleted?.(old, { ports: registry.ports, now: call.now });
  return { won: true, object: atRevision(current, gone.at, old), gone: true };
}

/** The object as it stands while it waits for its end, or undefined where it can go now. */
function markDeleted(
  registry: Registry,
  { resource }: Served,
  old: KubeObject,
  options: DeleteRequest,
): KubeObject | undefined {
  const finalizers = withDependents(
    old.metadata.finalizers ?? [],
    options,
    resource.orphansByDefault === true,
  );
  const grace = bounded(resource.gracePeriod?.(old, options.gracePeriodSeconds) ?? 0);
  if (finalizers.length === 0 && grace === 0 && !resource.deletion?.held(old)) return undefined;
  const metadata = { ...old.metadata, finalizers: finalizers.length > 0 ? finalizers : undefined };
  const marked: KubeObject = { ...old, metadata };
  const already = old.metadata.deletionTimestamp;
  const earlier = old.metadata.deletionGracePeriodSeconds ?? 0;
  if (already && grace >= earlier) {
    // A graceful deletion that is under way can be shortened and not otherwise changed.
    if (resource.gracePeriod) metadata.finalizers = old.metadata.finalizers;
    return marked;
  }
  const start = already ? Date.parse(already) - earlier * 1000 : registry.now();
  metadata.deletionTimestamp = timestamp(start + grace * 1000);
  metadata.deletionGracePeriodSeconds = grace;
  if (!already && metadata.generation) metadata.generation = successor(metadata.generation);
  if (!already) resource.deletion?.begin(marked);
  return marked;
}

/** What an int64 says may be later than any date. */
function bounded(seconds: number): number {
  if (isBelow(seconds, 0)) return 0;
  return isBelow(seconds, LONGEST_GRACE) ? seconds : LONGEST_GRACE;
}

/** The garbage collector acts on these two finalizers; at most one stands at a time. */
function withDependents(
  finalizers: readonly string[],
  { propagationPolicy }: DeleteRequest,
  orphans: boolean,
): string[] {
  const others = finalizers.filter((f) => f !== ORPHAN && f !== FOREGROUND);
  if (propagationPolicy === "Orphan") return [...others, ORPHAN];
  if (propagationPolicy === "Foreground") return [...others, FOREGROUND];
  if (propagationPolicy === "Background") return others;
  if (finalizers.length > others.length) return [...finalizers];
  return orphans ? [...others, ORPHAN] : others;
}

function checkPreconditions(
  served: Served,
  name: string,
  { metadata }: KubeObject,
  { preconditions }: DeleteRequest,
): void {
  if (!preconditions) return;
  const { uid, resourceVersion } = preconditions;
  // As upstream, this one Conflict names the kind where all others name the resource.
  const subject = { group: served.resource.group, resource: served.resource.kind };
  const fail = (what: string, asked: string, there: string | undefined, how: string): StatusError =>
    conflict(
      subject,
      name,
      `the ${what} in the precondition (${asked}) does not match the ${what} in record (${there}). The object might have been ${how}`,
    );
  if (uid !== undefined && uid !== metadata.uid) {
    throw fail("UID", uid, metadata.uid, "deleted and then recreated");
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata.resourceVersion) {
    throw fail("ResourceVersion", resourceVersion, metadata.resourceVersion, "modified");
  }
}
