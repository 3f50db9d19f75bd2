/** The pod and what stands nearest to it; the index of the core group lists them. */
import { Pod } from "./pod/pod.ts";
import { PodTemplate } from "./pod-template.ts";
import { ReplicationController } from "./replication-controller.ts";

export { bindPod } from "./pod/binding.ts";
export { Pod, PodTemplate, ReplicationController };

export const podResources = [Pod, PodTemplate, ReplicationController];
