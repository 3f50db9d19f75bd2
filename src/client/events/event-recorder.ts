/** Tells users what a component did or could not do, as Events of the object concerned. */
import type { KubeObject } from "../../api/object.ts";
import type { ObjectReference } from "../../api/schema/core.v1.generated.ts";

export interface EventDetails {
  /** What was done or failed, such as `Scheduling`; only events.k8s.io/v1 shows it. */
  action?: string;
  /** A second object that the event is about. */
  related?: KubeObject | ObjectReference;
}

export interface EventRecorder {
  /**
   * Returns at once and never throws: events are sent in the background, repeated ones are counted together, and those
   * of an object that tells too much, or that the server does not take, are dropped. `reason` is one CamelCase word.
   */
  record(
    regarding: KubeObject | ObjectReference,
    type: "Normal" | "Warning",
    reason: string,
    note: string,
    details?: EventDetails,
  ): void;
}

/** Where Events of cluster-scoped objects are kept. */
export const DEFAULT_NAMESPACE = "default";

/** The longest note that the server takes, in characters. */
export const LONGEST_NOTE = 1024;

export function referenceTo(object: KubeObject | ObjectReference): ObjectReference {
  if (!("metadata" in object)) return object;
  const { apiVersion, kind, metadata } = object;
  const { namespace, name, uid, resourceVersion } = metadata;
  return { kind, namespace, name, uid, apiVersion, resourceVersion };
}

/** Tells nobody: for components that run without a recorder, such as in tests. */
export const silentRecorder: EventRecorder = { record() {} };
