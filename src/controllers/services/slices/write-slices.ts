/** Carries out what was planned for the slices of one service. */
import { EndpointSlice } from "../../../api/discovery/endpoint-slice.ts";
import type { KubeObject } from "../../../api/object.ts";
import type { Client } from "../../../client/client.ts";
import { isNamespaceTerminating, isReason } from "../../../client/status.ts";
import { controllerReference } from "../../../machinery/meta/owner.ts";
import { TRIGGER_TIME } from "../trigger-times.ts";
import type { SlicePlan } from "./pack-slices.ts";

export interface SliceWrites {
  client: Client;
  owner: KubeObject;
  plan: SlicePlan;
  labels: Readonly<Record<string, string>>;
  annotations?: Readonly<Record<string, string>>;
  trigger: string | undefined;
  /** The slices as they were written: their events tell nothing new. */
  wrote: (slice: EndpointSlice) => void;
}

/** Throws the first failure after all was tried. */
export async function writeSlices(writes: SliceWrites): Promise<void> {
  const { client, owner, plan, labels, wrote } = writes;
  const { name, namespace } = owner.metadata;
  const slices = client.resource(EndpointSlice, namespace);
  const annotationsOf = (before: Readonly<Record<string, string>> = {}): Record<string, string> => {
    const { [TRIGGER_TIME]: _, ...kept } = before;
    return { ...kept, ...writes.annotations, ...(writes.trigger && { [TRIGGER_TIME]: writes.trigger }) };
  };
  const done: Promise<unknown>[] = [];
  for (const content of plan.create) {
    const metadata = {
      namespace,
      generateName: `${name}-`,
      labels: { ...labels },
      annotations: annotationsOf(),
      ownerReferences: [controllerReference(owner)],
    };
    const created = slices.create({ metadata, ...content }).then(wrote, (error) => {
      if (!isNamespaceTerminating(error)) throw error;
    });
    done.push(created);
  }
  for (const { slice, content } of plan.update) {
    const annotations = annotationsOf(slice.metadata.annotations);
    const metadata = { ...slice.metadata, labels: { ...labels }, annotations };
    done.push(slices.update({ ...slice, ...content, metadata }).then(wrote));
  }
  for (const { metadata } of plan.remove) {
    const removed = slices.delete(metadata.name ?? "", { preconditions: { uid: metadata.uid } });
    done.push(
      removed.catch((error) => {
        if (!isReason(error, "NotFound", "Conflict")) throw error;
      }),
    );
  }
  const failed = (await Promise.allSettled(done)).find(({ status }) => status === "rejected");
  if (failed) throw (failed as PromiseRejectedResult).reason;
}
