import { POD_CLAIM_ANNOTATION } from "../../api/resource/pod-claims.ts";
import type { Pod, PodResourceClaim } from "../../api/schema/core.v1.generated.ts";
import type { ResourceClaim, ResourceClaimTemplate } from "../../api/schema/resource.v1.generated.ts";
import { controllerReference } from "../../machinery/meta/owner.ts";

/** Names of claims are names of hosts: 63 characters, of which five are random. */
const BASE_MAX = 57;

export function claimFromTemplate(
  pod: Pod,
  entry: PodResourceClaim,
  { spec: { metadata, spec } }: ResourceClaimTemplate,
): Pick<ResourceClaim, "metadata" | "spec"> {
  return {
    metadata: {
      generateName: generateNameOf(pod.metadata.name ?? "", entry.name),
      namespace: pod.metadata.namespace,
      labels: metadata?.labels,
      annotations: { ...metadata?.annotations, [POD_CLAIM_ANNOTATION]: entry.name },
      ownerReferences: [controllerReference(pod)],
    },
    spec,
  };
}

/** Where both names are too long together, each gives up its share. */
function generateNameOf(pod: string, entry: string): string {
  const whole = `${pod}-${entry}-`;
  if (whole.length <= BASE_MAX) return whole;
  const part = (name: string): string => name.slice(0, Math.floor((name.length * BASE_MAX) / whole.length));
  return `${part(pod)}-${part(entry)}`;
}
