import type { KubeObject } from "../object.ts";

/** Takes back the metadata that clients write, for a status subresource that may change none of it. */
export function keepMetadata(object: KubeObject, { metadata: old }: KubeObject): void {
  object.metadata = {
    ...object.metadata,
    annotations: old.annotations,
    finalizers: old.finalizers,
    labels: old.labels,
    ownerReferences: old.ownerReferences,
  };
}
