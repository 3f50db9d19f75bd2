/** Writes of revisions. */
import { ControllerRevision } from "../../../api/apps/controller-revision.ts";
import type { KubeObject } from "../../../api/object.ts";
import type { ControllerRevision as Revision } from "../../../api/schema/apps.v1.generated.ts";
import type { Client } from "../../../client/client.ts";
import type { Lister } from "../../../client/informer/object-store.ts";
import { isReason } from "../../../client/status.ts";
import { semanticEqual } from "../../../machinery/json/equal.ts";
import type { LabelSelector } from "../../../machinery/selectors/labels.ts";
import { claim } from "../claim.ts";
import { claimable } from "../owned.ts";
import { inOrder, newRevision, type RevisionDraft } from "./revision.ts";

/** Those of an owner, adopted where nobody managed them, from the oldest to the latest wanted. */
export async function revisionsOf(
  client: Client,
  lister: Lister<Revision>,
  owner: KubeObject,
  selector: LabelSelector,
): Promise<Revision[]> {
  const candidates = claimable(lister, owner);
  return inOrder(await claim({ client, resource: ControllerRevision, owner, selector, candidates }));
}

/** The revision, and how many names had to be passed over since `collisions` because other data has them. */
export async function createRevision(
  client: Client,
  draft: RevisionDraft,
  collisions: number,
): Promise<{ revision: Revision; collisions: number }> {
  const revisions = client.resource<Revision>(ControllerRevision, draft.owner.metadata.namespace);
  for (let count = collisions; ; count++) {
    const wanted = newRevision(draft, count);
    try {
      return { revision: await revisions.create(wanted), collisions: count };
    } catch (error) {
      if (!isReason(error, "AlreadyExists")) throw error;
      const existing = await revisions.get(wanted.metadata.name!);
      if (semanticEqual(existing.data, wanted.data)) return { revision: existing, collisions: count };
    }
  }
}

/** Makes an old revision the latest: its template is wanted again. */
export function renumber(client: Client, revision: Revision, number: number): Promise<Revision> {
  const revisions = client.resource<Revision>(ControllerRevision, revision.metadata.namespace);
  return revisions.update({ ...revision, revision: number });
}

export async function deleteRevisions(client: Client, revisions: readonly Revision[]): Promise<void> {
  for (const { metadata } of revisions) {
    const { name = "", namespace, uid } = metadata;
    try {
      await client.resource(ControllerRevision, namespace).delete(name, { preconditions: { uid } });
    } catch (error) {
      if (!isReason(error, "NotFound", "Conflict")) throw error;
    }
  }
}
