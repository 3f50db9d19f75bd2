import { RuntimeClass } from "../api/node/runtime-class.ts";
import type { PodSpec, Toleration } from "../api/schema/core.v1.generated.ts";
import { deepEqual } from "../machinery/json/equal.ts";
import { defineAdmission } from "./plugin.ts";
import { refused } from "./refusal.ts";

/** Gives a pod what its runtime class costs and where it can run. */
export const runtimeClass = defineAdmission({
  name: "RuntimeClass",
  summary: "Sets overhead, node selector and tolerations from the pod's RuntimeClass.",
  on: [["pods", ["CREATE"]]],
  start: ({ reader }) => ({
    mutate(request) {
      const { spec } = request.object as { spec?: PodSpec };
      if (!spec?.runtimeClassName) return;
      const found = reader.get(RuntimeClass, "", spec.runtimeClassName);
      if (!found) throw refused(request, `pod rejected: RuntimeClass "${spec.runtimeClassName}" not found`);
      const overhead = found.overhead?.podFixed;
      if (overhead) {
        if (spec.overhead && !deepEqual(spec.overhead, overhead)) throw refused(request, MISMATCH);
        spec.overhead = { ...overhead };
      }
      const { nodeSelector, tolerations } = found.scheduling ?? {};
      for (const [key, value] of Object.entries(nodeSelector ?? {})) {
        if (Object.hasOwn(spec.nodeSelector ?? {}, key) && spec.nodeSelector?.[key] !== value) {
          throw refused(
            request,
            `conflict: runtimeClass.scheduling.nodeSelector[${key}] = ${value}; pod.spec.nodeSelector[${key}] = ${spec.nodeSelector?.[key]}`,
          );
        }
      }
      if (nodeSelector) spec.nodeSelector = { ...spec.nodeSelector, ...nodeSelector };
      for (const toleration of (tolerations ?? []) as Toleration[]) {
        if (spec.tolerations?.some((other) => deepEqual(other, toleration))) continue;
        spec.tolerations = [...(spec.tolerations ?? []), { ...toleration }];
      }
    },
    validate(request) {
      const { spec } = request.object as { spec?: PodSpec };
      if (!spec?.overhead || spec.runtimeClassName) return;
      throw refused(
        request,
        "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead",
      );
    },
  }),
});

const MISMATCH = "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead";
