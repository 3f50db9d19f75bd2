/** A pod as its controller makes it from a template. */
import type { KubeObject } from "../../api/object.ts";
import type { Pod, PodTemplateSpec } from "../../api/schema/core.v1.generated.ts";
import { controllerReference } from "../../machinery/meta/owner.ts";

export function podFromTemplate(
  template: PodTemplateSpec,
  owner: KubeObject,
): Pick<Pod, "metadata" | "spec"> & Partial<KubeObject> {
  const { labels, annotations, finalizers } = template.metadata ?? {};
  const { name = "", namespace } = owner.metadata;
  return {
    metadata: {
      generateName: generateNameOf(name),
      namespace,
      labels: { ...labels },
      annotations: { ...annotations },
      ...(finalizers && { finalizers: [...finalizers] }),
      ownerReferences: [controllerReference(owner)],
    },
    spec: template.spec,
  };
}

/** The dash is left out where it would make the name longer than names may be. */
function generateNameOf(owner: string): string {
  return owner.length < 253 ? `${owner}-` : owner;
}
