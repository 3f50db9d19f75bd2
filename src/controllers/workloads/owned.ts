/** How controllers find what they own among all objects of a kind, and what a change of one is worth looking at for. */
import type { KubeObject } from "../../api/object.ts";
import type { Change } from "../../client/informer/informer.ts";
import type { Lister } from "../../client/informer/object-store.ts";
import { deepEqual } from "../../machinery/json/equal.ts";
import { controllerOf } from "../../machinery/meta/owner.ts";
import { controllerUID, orphans } from "./indexes.ts";

const NONE: readonly string[] = Object.freeze([]);

/** The indexes that `claimable` needs of an input. */
export const ownedIndexes = { controllerUID, orphans };

/** What an owner may claim: what it controls, and what nobody does in its namespace. */
export function claimable<T extends KubeObject>(lister: Lister<T>, owner: KubeObject): T[] {
  const { uid = "", namespace = "" } = owner.metadata;
  const own = lister.by("controllerUID", uid);
  for (const orphan of lister.by("orphans", namespace)) own.push(orphan);
  return own;
}

/** Keys of the owners of that kind that control the object, or did before the change. */
export function ownerKeys(
  { now, was }: Change<KubeObject>,
  { kind, group }: { kind: string; group: string },
): readonly string[] {
  const key = keyOfOwner(now, kind, group);
  const before = keyOfOwner(was, kind, group);
  if (key === undefined || before === key) return before === undefined ? NONE : [before];
  return before === undefined ? [key] : [key, before];
}

function keyOfOwner(object: KubeObject | undefined, kind: string, group: string): string | undefined {
  const owner = object && controllerOf(object);
  if (owner?.kind !== kind || !isOfGroup(owner.apiVersion, group)) return undefined;
  return `${object!.metadata.namespace}/${owner.name}`;
}

function isOfGroup(apiVersion: string, group: string): boolean {
  if (group === "") return !apiVersion.includes("/");
  return apiVersion.startsWith(group) && apiVersion[group.length] === "/";
}

/** Whether the change makes an object that nobody controls one that somebody may adopt now and did not before. */
export function isNewOrphan({ now, was }: Change<KubeObject>): boolean {
  if (!now || controllerOf(now) || now.metadata.deletionTimestamp !== undefined) return false;
  return !was || controllerOf(was) !== undefined || !deepEqual(now.metadata.labels, was.metadata.labels);
}
