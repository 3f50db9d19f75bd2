import type { Container, ObjectReference, Pod } from "../../api/schema/core.v1.generated.ts";
import { referenceTo } from "../../client/events/event-recorder.ts";
import type { PodContext } from "./pod-context.ts";

type Recorder = Pick<PodContext, "events">;

export function recordOfPod(
  { events }: Recorder,
  pod: Pod,
  type: "Normal" | "Warning",
  reason: string,
  message: string,
): void {
  events.record(podReference(pod), type, reason, message);
}

export function recordOfContainer(
  { events }: Recorder,
  pod: Pod,
  container: Pick<Container, "name">,
  type: "Normal" | "Warning",
  reason: string,
  message: string,
): void {
  const fieldPath = `spec.${listOf(pod, container.name)}{${container.name}}`;
  events.record({ ...podReference(pod), fieldPath }, type, reason, message);
}

function podReference(pod: Pod): ObjectReference {
  return { ...referenceTo({ ...pod, kind: "Pod", apiVersion: "v1" }) };
}

function listOf({ spec }: Pod, container: string): string {
  if (spec?.initContainers?.some(({ name }) => name === container)) return "initContainers";
  if (spec?.ephemeralContainers?.some(({ name }) => name === container)) return "ephemeralContainers";
  return "containers";
}
