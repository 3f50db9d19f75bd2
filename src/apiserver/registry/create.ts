/** POST: a new object. */
import type { AdmissionRequest } from "../../admission/plugin.ts";
import type { KubeObject } from "../../api/object.ts";
import type { Reservation } from "../../api/resource.ts";
import { updateManagedFields } from "../../machinery/apply/update-managed-fields.ts";
import { generateName } from "../../machinery/meta/generate-name.ts";
import { alreadyExists, badRequest, StatusError } from "../../machinery/status/status-error.ts";
import { type CachedObject, cacheKey } from "../watch-cache/cached-object.ts";
import { type Call, contextOf, groupResource, type Registry, type Served } from "./registry.ts";
import { validateNew } from "./validate.ts";
import { cachedFrom, encodeStored, writeObject } from "./write.ts";

/** How often a generated name that is taken is replaced by another, as upstream does. */
const NAME_ATTEMPTS = 8;

export interface CreateOptions {
  /** Server-side apply has tracked the fields already. */
  managed?: boolean;
}

/**
 * Stores `object`, which is the caller's own copy in the stored version, and returns it as clients read it.
 * `namespace` is that of the request ("" for cluster scope).
 */
export async function create(
  registry: Registry,
  call: Call,
  served: Served,
  namespace: string,
  object: KubeObject,
  options: CreateOptions = {},
): Promise<CachedObject> {
  const { resource } = served;
  const { metadata } = object;
  takeNamespace(served, metadata, namespace);
  if (metadata.resourceVersion) {
    throw new StatusError("", "resourceVersion should not be set on objects to be created", undefined, 500);
  }
  const generated = !metadata.name && !!metadata.generateName;
  // As upstream: what admission adds is nobody's.
  if (!options.managed) track(registry, call, served, object);
  const request = admissionRequest(call, served, namespace, metadata.name ?? "", object);
  const waited = registry.admission.mutate(request);
  if (waited) await waited;
  begin(registry, call, object);
  if (generated) metadata.name = generateName(metadata.generateName!, registry.ports.random.suffix);
  const context = contextOf(registry, call);
  resource.prepareForCreate?.(object, context);
  if (resource.generationOf) metadata.generation = 1;
  validateNew(served, object, context);
  for (const text of resource.warnings?.(object, undefined) ?? []) call.warn(text);
  request.name = metadata.name ?? "";
  const checked = registry.admission.validate(request);
  if (checked) await checked;
  return store(registry, call, served, object, generated);
}

async function store(
  registry: Registry,
  call: Call,
  served: Served,
  object: KubeObject,
  generated: boolean,
): Promise<CachedObject> {
  const { resource } = served;
  const { metadata } = object;
  const cache = registry.cache.cache(resource);
  for (let attempt = 1; ; attempt++) {
    const key = cacheKey(metadata.namespace ?? "", metadata.name!);
    const taken = cache.get(key) !== undefined;
    if (!taken) {
      const stored = await attemptStore(registry, call, served, object, key);
      if (stored) return stored;
    }
    if (!generated || attempt === NAME_ATTEMPTS) throw nameTaken(served, metadata);
    metadata.name = generateName(metadata.generateName!, registry.ports.random.suffix);
  }
}

/** Where the server chooses names, what is left to the client is to try again. */
function nameTaken(served: Served, { name = "", generateName = "" }: KubeObject["metadata"]): StatusError {
  const error = alreadyExists(groupResource(served), name);
  if (generateName === "") return error;
  const text = `${error.message}, the server was not able to generate a unique name for the object`;
  return new StatusError("AlreadyExists", text, { ...error.details, retryAfterSeconds: 1 });
}

/** Undefined where the name is taken. */
async function attemptStore(
  registry: Registry,
  call: Call,
  served: Served,
  object: KubeObject,
  key: string,
): Promise<CachedObject | undefined> {
  const { resource } = served;
  let reservation: Reservation | undefined;
  if (resource.begin?.create) reservation = await resource.begin.create(object, contextOf(registry, call));
  try {
    const bytes = encodeStored(resource, object);
    if (call.dryRun) {
      await reservation?.rollback();
      return cachedFrom(resource, key, bytes, object, 0);
    }
    const written = await writeObject(registry, resource, object, bytes, 0);
    if (!written.won) {
      await reservation?.rollback();
      return undefined;
    }
    await reservation?.commit?.();
    return written.object;
  } catch (error) {
    await reservation?.rollback();
    throw error;
  }
}

function takeNamespace(served: Served, metadata: KubeObject["metadata"], namespace: string): void {
  if (served.resource.scope === "Cluster") {
    if (metadata.namespace) metadata.namespace = undefined;
    return;
  }
  if (!metadata.namespace) metadata.namespace = namespace;
  else if (metadata.namespace !== namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
}

/** What the server alone decides of a new object. */
function begin(registry: Registry, call: Call, object: KubeObject): void {
  const { metadata } = object;
  metadata.uid = registry.ports.random.uuid();
  metadata.creationTimestamp = call.now;
  if (metadata.deletionTimestamp !== undefined) metadata.deletionTimestamp = undefined;
  if (metadata.deletionGracePeriodSeconds !== undefined) metadata.deletionGracePeriodSeconds = undefined;
  if (metadata.selfLink !== undefined) metadata.selfLink = undefined;
}

function track(registry: Registry, call: Call, served: Served, object: KubeObject): void {
  const { alternate, definition, apiVersion } = served;
  object.metadata.managedFields = updateManagedFields({
    schemas: registry.schemas,
    id: definition,
    live: undefined,
    updated: alternate ? alternate.fromStored(object) : object,
    manager: call.manager,
    apiVersion,
    subresource: "",
    time: call.now,
    resets: served.resource.resets,
  });
}

export function admissionRequest(
  call: Call,
  served: Served,
  namespace: string,
  name: string,
  object: KubeObject | undefined,
  old?: KubeObject,
  subresource = "",
): AdmissionRequest {
  const operation = old === undefined ? "CREATE" : object === undefined ? "DELETE" : "UPDATE";
  const { user, verb, dryRun, now, warn, annotate } = call;
  const { resource } = served;
  return {
    operation,
    resource,
    subresource,
    namespace,
    name,
    object,
    old,
    user,
    verb,
    dryRun,
    now,
    warn,
    annotate,
  };
}
