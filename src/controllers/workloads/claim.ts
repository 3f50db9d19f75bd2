/**
 * Which objects a controller may count as its own: those that it owns and selects. Of the others, it releases what it
 * owns but no longer selects, and adopts what it selects and nobody owns (upstream: controller_ref_manager.go).
 */
import type { KubeObject } from "../../api/object.ts";
import type { Client } from "../../client/client.ts";
import type { ResourceKind } from "../../client/resource-client.ts";
import { isReason } from "../../client/status.ts";
import { controllerOf, controllerReference } from "../../machinery/meta/owner.ts";
import type { LabelSelector } from "../../machinery/selectors/labels.ts";

export interface ClaimRequest<T extends KubeObject> {
  client: Client;
  resource: ResourceKind;
  owner: KubeObject;
  selector: LabelSelector;
  /** All of the owner's namespace that might be meant: owned by it, or owned by none. */
  candidates: readonly T[];
  /** What the owner wants of its own beyond their labels; by default nothing. */
  isWanted?: (candidate: T) => boolean;
  /** Put on what is adopted, and taken off what is released. */
  finalizer?: string;
}

export async function claim<T extends KubeObject>(request: ClaimRequest<T>): Promise<T[]> {
  const { owner, selector, candidates, isWanted = () => true } = request;
  const leaving = owner.metadata.deletionTimestamp !== undefined;
  const own: T[] = [];
  /** A cache may be late: only an owner that the server still has, as it is, adopts. */
  let alive: Promise<boolean> | undefined;
  for (const candidate of candidates) {
    const controller = controllerOf(candidate);
    const selected = selector.matches(candidate.metadata.labels) && isWanted(candidate);
    if (controller) {
      if (controller.uid !== owner.metadata.uid) continue;
      if (selected) own.push(candidate);
      else if (!leaving) await release(request, candidate);
      continue;
    }
    if (leaving || !selected || candidate.metadata.deletionTimestamp !== undefined) continue;
    alive ??= isAlive(request);
    if (!(await alive)) continue;
    const adopted = await adopt(request, candidate);
    if (adopted) own.push(adopted);
  }
  return own;
}

async function isAlive<T extends KubeObject>({ client, owner }: ClaimRequest<T>): Promise<boolean> {
  const { name = "", namespace, uid } = owner.metadata;
  try {
    const fresh = await client.resource(kindOf(owner), namespace).get(name);
    return fresh.metadata.uid === uid && fresh.metadata.deletionTimestamp === undefined;
  } catch (error) {
    if (isReason(error, "NotFound")) return false;
    throw error;
  }
}

function kindOf(owner: KubeObject): ResourceKind {
  const slash = owner.apiVersion.indexOf("/");
  return {
    group: slash < 0 ? "" : owner.apiVersion.slice(0, slash),
    version: owner.apiVersion.slice(slash + 1),
    kind: owner.kind,
    plural: `${owner.kind.toLowerCase()}s`,
    scope: "Namespaced",
  };
}

async function adopt<T extends KubeObject>(request: ClaimRequest<T>, object: T): Promise<T | undefined> {
  const { client, resource, owner, finalizer } = request;
  const { name = "", namespace, uid } = object.metadata;
  const finalizers = finalizer === undefined ? undefined : [finalizer];
  // The uid makes the server refuse where the name is another object's by now.
  const patch = { metadata: { uid, ownerReferences: [controllerReference(owner)], finalizers } };
  try {
    return await client.resource<T>(resource, namespace).patch(name, patch, { type: "strategic" });
  } catch (error) {
    if (isReason(error, "NotFound", "Conflict", "Invalid")) return undefined;
    throw error;
  }
}

async function release<T extends KubeObject>(request: ClaimRequest<T>, object: T): Promise<void> {
  const { client, resource, owner, finalizer } = request;
  const { name = "", namespace, uid } = object.metadata;
  const ownerReferences = [{ $patch: "delete", uid: owner.metadata.uid }];
  const finalizers = finalizer !== undefined && { "$deleteFromPrimitiveList/finalizers": [finalizer] };
  try {
    const patch = { metadata: { uid, ownerReferences, ...finalizers } };
    await client.resource<T>(resource, namespace).patch(name, patch, { type: "strategic" });
  } catch (error) {
    if (!isReason(error, "NotFound", "Conflict", "Invalid")) throw error;
  }
}
