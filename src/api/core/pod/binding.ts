/** The scheduler's decision: a pod is given its node, once. */
import { type FieldError, invalid, notSupported, required } from "../../../machinery/field/field-error.ts";
import { FieldPath } from "../../../machinery/field/path.ts";
import { badRequest, conflict, type StatusError } from "../../../machinery/status/status-error.ts";
import type { KubeObject } from "../../object.ts";
import type { ActionSubresource, RequestContext, Resource } from "../../resource.ts";
import type { Binding, Pod, PodCondition } from "../../schema/core.v1.generated.ts";

const PODS = { group: "", resource: "pods" };

export function validateBinding(binding: Binding): FieldError[] {
  const errors: FieldError[] = [];
  const { kind, name } = binding.target ?? {};
  if (kind && kind !== "Node") {
    errors.push(notSupported(FieldPath.root("target", "kind"), kind, ["Node", "<empty>"]));
  }
  if (!name) errors.push(required(FieldPath.root("target", "name")));
  return errors;
}

/**
 * Sets the pod's node, by POST to its `binding` subresource or to `bindings`. Answers the Status of success; throws
 * Conflict where the pod has a node, is being deleted or still waits at a gate.
 */
export async function bindPod(
  pods: Resource<Pod>,
  namespace: string,
  binding: Binding,
  { ports, dryRun, now }: Pick<RequestContext, "ports" | "dryRun" | "now">,
): Promise<KubeObject> {
  const errors = validateBinding(binding);
  const name = binding.metadata?.name ?? "";
  if (errors.length > 0) throw invalid({ group: "", kind: "Binding" }, name, errors);
  if (binding.metadata.namespace && binding.metadata.namespace !== namespace) {
    throw badRequest("the namespace of the provided object does not match the namespace sent on the request");
  }
  const node = binding.target.name as string;
  await ports.writer.update(pods, namespace, name, (pod) => assign(pod, binding, node, now), {
    dryRun,
    subresource: "binding",
  });
  return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 } as KubeObject;
}

function assign(pod: Pod, binding: Binding, node: string, now: string): void {
  const name = pod.metadata.name ?? "";
  const { uid, resourceVersion } = binding.metadata;
  if (uid && uid !== pod.metadata.uid) {
    const why = `Precondition failed: UID in precondition: ${uid}, UID in object meta: ${pod.metadata.uid}`;
    throw conflict(PODS, name, why);
  }
  if (resourceVersion && resourceVersion !== pod.metadata.resourceVersion) {
    const why = `Precondition failed: ResourceVersion in precondition: ${resourceVersion}, ResourceVersion in object meta: ${pod.metadata.resourceVersion}`;
    throw conflict(PODS, name, why);
  }
  if (pod.metadata.deletionTimestamp) {
    throw bindingConflict(name, `pod ${name} is being deleted, cannot be assigned to a host`);
  }
  if (pod.spec?.nodeName) {
    throw bindingConflict(
      name,
      `pod ${name} is already assigned to node ${JSON.stringify(pod.spec.nodeName)}`,
    );
  }
  if (pod.spec?.schedulingGates && pod.spec.schedulingGates.length > 0) {
    throw bindingConflict(name, `pod ${name} has non-empty .spec.schedulingGates`);
  }
  if (pod.spec) pod.spec.nodeName = node;
  // It said where the pod was expected to go, and now that is known.
  delete pod.status?.nominatedNodeName;
  const annotations = binding.metadata.annotations;
  if (annotations) pod.metadata.annotations = { ...pod.metadata.annotations, ...annotations };
  for (const key of ["topology.kubernetes.io/zone", "topology.kubernetes.io/region"]) {
    const value = binding.metadata.labels?.[key];
    if (value !== undefined) pod.metadata.labels = { ...pod.metadata.labels, [key]: value };
  }
  setScheduled(pod, now);
}

function bindingConflict(name: string, why: string): StatusError {
  return conflict({ group: "", resource: "pods/binding" }, name, why);
}

function setScheduled(pod: Pod, now: string): void {
  pod.status ??= {};
  const conditions: PodCondition[] = pod.status.conditions ?? [];
  const had = conditions.find(({ type }) => type === "PodScheduled");
  if (had?.status === "True") return;
  const scheduled: PodCondition = { type: "PodScheduled", status: "True", lastTransitionTime: now };
  if (pod.metadata.generation !== undefined) scheduled.observedGeneration = pod.metadata.generation;
  pod.status.conditions = [...conditions.filter((each) => each !== had), scheduled];
}

/** `pods` is asked for late: the pod's own declaration names this. */
export function bindingSubresource(pods: () => Resource<Pod>): ActionSubresource {
  return {
    acts: "create",
    kind: { group: "", version: "v1", kind: "Binding" },
    definition: "core.v1.Binding",
    validate: (body) => validateBinding(body as Binding),
    create(parent, body, context) {
      const binding = body as Binding;
      if (binding.metadata.name && binding.metadata.name !== parent.name) {
        throw badRequest(`name in URL does not match name in Binding object`);
      }
      const named = { ...binding, metadata: { ...binding.metadata, name: parent.name } };
      return bindPod(pods(), parent.namespace, named, context);
    },
  };
}
