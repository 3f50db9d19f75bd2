/** What controllers find the objects they manage by; the names are shared by all controllers of a resource. */
import type { KubeObject } from "../../api/object.ts";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import { controllerOf } from "../../machinery/meta/owner.ts";

/** By the uid of the owner that manages the object. */
export function controllerUID(object: KubeObject): readonly string[] {
  const owner = controllerOf(object);
  return owner ? [owner.uid] : [];
}

/** By namespace: what nobody manages and might be adopted. */
export function orphans(object: KubeObject): readonly string[] {
  return controllerOf(object) ? [] : [object.metadata.namespace ?? ""];
}

/** By the node that a pod was bound to. */
export function nodeName({ spec }: Pod): readonly string[] {
  return spec?.nodeName ? [spec.nodeName] : [];
}
