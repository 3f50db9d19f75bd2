/** PUT, PATCH and apply: from the object that stands there to the one that shall. */

import { take } from "../../api/core/take.ts";
import type { KubeObject } from "../../api/object.ts";
import type { RequestContext, Reservation, Resource, UpdateSubresource } from "../../api/resource.ts";
import { forbiddenError } from "../../auth/authorization/forbidden-message.ts";
import { updateManagedFields } from "../../machinery/apply/update-managed-fields.ts";
import { invalid, invalidValue } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { deepEqual } from "../../machinery/json/equal.ts";
import { successor } from "../../machinery/json/exact-integer.ts";
import {
  badRequest,
  conflict,
  notFound,
  OPTIMISTIC_LOCK,
  type StatusError,
} from "../../machinery/status/status-error.ts";
import { type CachedObject, cacheKey } from "../watch-cache/cached-object.ts";
import { admissionRequest, create } from "./create.ts";
import { type Call, contextOf, groupResource, type Registry, type Served, storeKey } from "./registry.ts";
import { validateChanged } from "./validate.ts";
import { cachedFrom, deleteStored, encodeStored, isUnchanged, writeObject } from "./write.ts";

/** A lost race is run again this often where the client did not name a revision. */
const ATTEMPTS = 30;

export interface Target {
  served: Served;
  namespace: string;
  name: string;
  /** "" for the object itself. */
  subresource: string;
  strategy?: UpdateSubresource<KubeObject>;
}

/**
 * Makes the new object of the old one, which is frozen and in the stored version; called again after a lost race.
 * `undefined` as old means there is none: only asked where the target may be created.
 */
export type Produce = (
  old: KubeObject | undefined,
  context: RequestContext,
) => { object: KubeObject; managed?: boolean } | Promise<{ object: KubeObject; managed?: boolean }>;

export interface UpdateOptions {
  /** Whether a missing object is created (PUT of some kinds, server-side apply). */
  mayCreate: boolean;
  /** A PUT: the new object does not come of the old one. */
  replaces?: true;
  /** A PUT without resourceVersion is refused where the kind says so; a patch always has one. */
  unconditional: boolean;
}

export interface Updated {
  object: CachedObject;
  created: boolean;
}

export function update(
  registry: Registry,
  call: Call,
  target: Target,
  produce: Produce,
  options: UpdateOptions,
): Promise<Updated> {
  const key = storeKey(target.served.resource, target.namespace, target.name);
  return registry.turns.run(key, () => updateNow(registry, call, target, produce, options));
}

async function updateNow(
  registry: Registry,
  call: Call,
  target: Target,
  produce: Produce,
  options: UpdateOptions,
): Promise<Updated> {
  const { served, namespace, name } = target;
  const cache = registry.cache.cache(served.resource);
  const waited = registry.cache.fresh();
  if (waited) await waited;
  let current = cache.get(cacheKey(namespace, name));
  for (let attempt = 1; ; attempt++) {
    if (!current) {
      if (!options.mayCreate || target.subresource !== "") {
        if (options.replaces) await refuseOtherUID(registry, call, target, produce);
        throw notFound(groupResource(served), name);
      }
      return createInstead(registry, call, target, produce);
    }
    const result = await once(registry, call, target, current, produce, options);
    if (result.won) return { object: result.object, created: false };
    if (attempt === ATTEMPTS) throw conflict(groupResource(served), name, OPTIMISTIC_LOCK);
    current = result.now;
  }
}

async function createInstead(
  registry: Registry,
  call: Call,
  target: Target,
  produce: Produce,
): Promise<Updated> {
  const { served, namespace, name } = target;
  await authorizeCreate(registry, call, target);
  const { object, managed } = await produce(undefined, contextOf(registry, call));
  object.metadata.name ||= name;
  const { uid } = object.metadata;
  if (uid && managed) {
    const why = `uid mismatch: the provided object specified uid ${uid}, and no existing object was found`;
    throw conflict(groupResource(served), name, why);
  }
  if (uid) throw wrongUID(target, uid, "");
  object.metadata.resourceVersion = undefined;
  return { object: await create(registry, call, served, namespace, object, { managed }), created: true };
}

/** Who may update or patch may not therefore create. */
async function authorizeCreate(
  { ports }: Registry,
  { user }: Call,
  { served, namespace, name }: Target,
): Promise<void> {
  const { group, version, resource } = served;
  const attributes = {
    user,
    verb: "create",
    namespace,
    group,
    version,
    resource: resource.plural,
    subresource: "",
    name,
    path: "",
    isResource: true,
  };
  const { decision, reason } = await ports.authorizer.authorize(attributes);
  if (decision !== "allow") throw forbiddenError(attributes, reason);
}

/** As upstream: who writes a uid meant that very object, which is a conflict even where nothing stands there. */
async function refuseOtherUID(
  registry: Registry,
  call: Call,
  target: Target,
  produce: Produce,
): Promise<void> {
  const { object } = await produce(undefined, contextOf(registry, call));
  if (object.metadata.uid) throw wrongUID(target, object.metadata.uid, "");
}

type Attempt = { won: true; object: CachedObject } | { won: false; now: CachedObject | undefined };

async function once(
  registry: Registry,
  call: Call,
  target: Target,
  current: CachedObject,
  produce: Produce,
  options: UpdateOptions,
): Promise<Attempt> {
  const { served, namespace, name, subresource, strategy } = target;
  const { resource } = served;
  const old = current.object;
  const context = contextOf(registry, call);
  const { object, managed } = await produce(old, context);
  agree(target, object, old, options);
  if (!managed) track(registry, call, target, object, old);
  const request = admissionRequest(call, served, namespace, name, object, old, subresource);
  const waited = registry.admission.mutate(request);
  if (waited) await waited;
  if (strategy) strategy.prepare(object, old, context);
  else resource.prepareForUpdate?.(object, old, context);
  carryOver(target, object, old);
  validateChanged(
    served,
    object,
    old,
    context,
    strategy && (strategy.validate?.bind(strategy) ?? (() => [])),
  );
  for (const text of (subresource === "" && resource.warnings?.(object, old)) || []) call.warn(text);
  const checked = registry.admission.validate(request);
  if (checked) await checked;
  return store(registry, call, target, current, object, context);
}

async function store(
  registry: Registry,
  call: Call,
  { served, subresource, strategy }: Target,
  current: CachedObject,
  object: KubeObject,
  context: RequestContext,
): Promise<Attempt> {
  const { resource } = served;
  if (isDone(resource, object)) return remove(registry, call, served, current, object);
  let reservation: Reservation | undefined;
  const begin = resource.begin?.update;
  if (begin && (subresource === "" || strategy?.begins)) {
    reservation = await begin(object, current.object, context);
  }
  try {
    const bytes = encodeStored(resource, object);
    if (isUnchanged(current, bytes, object)) {
      await reservation?.rollback();
      return { won: true, object: current };
    }
    if (call.dryRun) {
      await reservation?.rollback();
      return { won: true, object: cachedFrom(resource, current.key, bytes, object, current.revision) };
    }
    const written = await writeObject(registry, resource, object, bytes, current.revision);
    if (written.won) await reservation?.commit?.();
    else await reservation?.rollback();
    return written;
  } catch (error) {
    await reservation?.rollback();
    throw error;
  }
}

/** The last finalizer of an object that is being deleted is gone: so is the object. */
function isDone(resource: Resource, object: KubeObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds = 0, finalizers = [] } = object.metadata;
  if (!deletionTimestamp || finalizers.length > 0 || deletionGracePeriodSeconds > 0) return false;
  return !resource.deletion?.held(object);
}

async function remove(
  registry: Registry,
  call: Call,
  { resource }: Served,
  current: CachedObject,
  object: KubeObject,
): Promise<Attempt> {
  const bytes = encodeStored(resource, object);
  if (call.dryRun) {
    return { won: true, object: cachedFrom(resource, current.key, bytes, object, current.revision) };
  }
  const gone = await deleteStored(registry, resource, current);
  if (!gone.won) return gone;
  await resource.begin?.deleted?.(current.object, { ports: registry.ports, now: call.now });
  return { won: true, object: cachedFrom(resource, current.key, bytes, object, gone.at) };
}

/** The request's names, uid and resourceVersion must be those of the object that stands there. */
function agree(
  { served, namespace, name }: Target,
  object: KubeObject,
  old: KubeObject,
  options: UpdateOptions,
): void {
  const { metadata } = object;
  if (served.resource.scope === "Namespaced") {
    if (!metadata.namespace) metadata.namespace = namespace;
    else if (metadata.namespace !== namespace) {
      throw badRequest(
        "the namespace of the provided object does not match the namespace sent on the request",
      );
    }
  }
  if (!metadata.name) {
    throw badRequest(
      `the name of the object (${name} based on URL) was undeterminable: name must be provided`,
    );
  }
  if (metadata.name !== name) {
    throw badRequest(
      `the name of the object (${metadata.name}) does not match the name on the URL (${name})`,
    );
  }
  if (metadata.uid && metadata.uid !== old.metadata.uid) {
    throw wrongUID({ served, namespace, name }, metadata.uid, old.metadata.uid ?? "");
  }
  const version = metadata.resourceVersion;
  if (!version || version === "0") {
    if (!options.unconditional) {
      const path = FieldPath.root("metadata", "resourceVersion");
      const error = {
        ...invalidValue(path, 0, "must be specified for an update"),
        body: "Invalid value: 0x0: must be specified for an update",
      };
      // As upstream, which has only the resource at hand there.
      throw invalid({ group: served.group, kind: served.resource.plural }, name, [error]);
    }
    metadata.resourceVersion = old.metadata.resourceVersion;
  } else if (version !== old.metadata.resourceVersion) {
    if (!/^[0-9]+$/.test(version)) {
      throw badRequest(`unable to convert resourceVersion ${JSON.stringify(version)} to a number`);
    }
    throw conflict(groupResource(served), name, OPTIMISTIC_LOCK);
  }
}

/** The object that was meant is gone, and perhaps another has its name; upstream's storage says it in these words. */
function wrongUID(
  { served, namespace, name }: Pick<Target, "served" | "namespace" | "name">,
  asked: string,
  there: string,
): StatusError {
  const key = storeKey(served.resource, namespace, name);
  return conflict(
    groupResource(served),
    name,
    `StorageError: invalid object, Code: 4, Key: ${key}, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${asked}, UID in object meta: ${there}`,
  );
}

/** What a client cannot change: taken from the old object. */
function carryOver({ served, subresource, strategy }: Target, object: KubeObject, old: KubeObject): void {
  const { metadata } = object;
  const before = old.metadata;
  take(metadata, before, "uid");
  take(metadata, before, "creationTimestamp");
  if (metadata.selfLink !== undefined) metadata.selfLink = undefined;
  take(metadata, before, "deletionTimestamp");
  take(metadata, before, "deletionGracePeriodSeconds");
  take(metadata, before, "generation");
  const { generationOf } = served.resource;
  // What is observed is never what is wanted, not even where annotations count as that.
  if (!generationOf || subresource === "status") return;
  if (strategy && object === old) return;
  if (!deepEqual(generationOf(object), generationOf(old)))
    metadata.generation = successor(before.generation ?? 0);
}

function track(registry: Registry, call: Call, target: Target, object: KubeObject, old: KubeObject): void {
  const { served, subresource, strategy } = target;
  const { alternate, definition, apiVersion, resource } = served;
  object.metadata.managedFields = updateManagedFields({
    schemas: registry.schemas,
    id: definition,
    live: alternate ? alternate.fromStored(old) : old,
    updated: alternate ? alternate.fromStored(object) : object,
    manager: call.manager,
    apiVersion,
    subresource,
    time: call.now,
    resets: strategy ? strategy.resets : resource.resets,
  });
}
