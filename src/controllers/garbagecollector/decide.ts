/** What becomes of an object whose owners were looked up. */
import type { OwnerReference } from "../../api/object.ts";
import type { Graph, Item } from "./graph.ts";
import { deletesDependents, FOREGROUND, isDeleting, mayOwn, ORPHAN, ownersOf } from "./graph.ts";

/**
 * `absent`: the server has no such object. `waiting`: it is being deleted and waits for its dependents. `unknown`: it
 * can be neither found nor missed, as that of a namespace from outside of all namespaces.
 */
export type OwnerState = "present" | "absent" | "waiting" | "unknown";

export type Policy = "Background" | "Foreground" | "Orphan";

export type Decision =
  | { do: "keep" }
  /** Some owners stay: the references to the others go. */
  | { do: "disown"; owners: readonly OwnerReference[] }
  /** `unblock`: before it, its owners stop waiting for it, since they wait in a circle. */
  | { do: "delete"; policy: Policy; unblock: boolean };

export function decide(graph: Graph, item: Item, states: readonly OwnerState[]): Decision {
  const owners = ownersOf(item.known);
  if (owners.length === 0 || states.includes("unknown")) return { do: "keep" };
  const staying = owners.filter((_, i) => states[i] === "present");
  if (staying.length === owners.length) return { do: "keep" };
  if (staying.length > 0) return { do: "disown", owners: staying };
  const dependents = graph.dependentsOf(item.uid);
  if (!states.includes("waiting") || dependents.length === 0) {
    return { do: "delete", policy: policyOf(item), unblock: false };
  }
  const unblock = dependents.some(({ known }) => deletesDependents(known));
  return { do: "delete", policy: "Foreground", unblock };
}

/** Who deleted it before, or made it, may have said what is to become of its dependents. */
function policyOf({ known: { metadata } }: Item): Policy {
  if (metadata.finalizers?.includes(ORPHAN)) return "Orphan";
  return metadata.finalizers?.includes(FOREGROUND) ? "Foreground" : "Background";
}

/** Dependents that an owner waits for. */
export function blockers(graph: Graph, owner: Item): Item[] {
  return graph
    .dependentsOf(owner.uid)
    .filter(
      (item) =>
        mayOwn(owner, item) &&
        ownersOf(item.known).some((reference) => reference.uid === owner.uid && reference.blockOwnerDeletion),
    );
}

/** Whether there is anything to find out: what is on its way out already goes by itself. */
export function isSettled({ known }: Item): boolean {
  return isDeleting(known) && !deletesDependents(known);
}
