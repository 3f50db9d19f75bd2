import { PriorityClass } from "../api/scheduling/priority-class.ts";
import type { PodSpec } from "../api/schema/core.v1.generated.ts";
import { defineAdmission } from "./plugin.ts";
import { refused } from "./refusal.ts";

/** Turns a pod's priorityClassName into the number that the scheduler sorts by. */
export const priority = defineAdmission({
  name: "Priority",
  summary: "Sets the priority and preemption policy of pods; allows one default class.",
  on: [
    ["pods", ["CREATE", "UPDATE"]],
    ["priorityclasses.scheduling.k8s.io", ["CREATE", "UPDATE"]],
  ],
  start({ reader }) {
    /** Of several defaults, which only a race can bring, the lowest. */
    function defaultClass(): PriorityClass | undefined {
      let found: PriorityClass | undefined;
      for (const one of reader.list(PriorityClass)) {
        if (one.globalDefault && (!found || (one.value ?? 0) < (found.value ?? 0))) found = one;
      }
      return found;
    }
    return {
      mutate(request) {
        if (request.resource.plural !== "pods") return;
        const spec = (request.object as { spec?: PodSpec }).spec;
        if (!spec) return;
        if (request.operation === "UPDATE") return keep(spec, (request.old as { spec?: PodSpec }).spec);
        const name = spec.priorityClassName ?? "";
        const chosen = name === "" ? defaultClass() : reader.get(PriorityClass, "", name);
        if (name !== "" && !chosen) throw refused(request, `no PriorityClass with name ${name} was found`);
        const value = chosen?.value ?? 0;
        const policy = chosen?.preemptionPolicy ?? "PreemptLowerPriority";
        if ((spec.priority ?? value) !== value) {
          throw refused(
            request,
            `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission controller computed ${value} from the given PriorityClass name`,
          );
        }
        if ((spec.preemptionPolicy ?? policy) !== policy) {
          throw refused(
            request,
            `the string value of PreemptionPolicy (${spec.preemptionPolicy}) must not be provided in pod spec; priority admission controller computed ${policy} from the given PriorityClass name`,
          );
        }
        if (chosen) spec.priorityClassName = chosen.metadata.name;
        spec.priority = value;
        spec.preemptionPolicy = policy;
      },
      validate(request) {
        if (request.resource.plural !== "priorityclasses") return;
        if (!(request.object as PriorityClass).globalDefault) return;
        const other = defaultClass()?.metadata.name;
        if (other === undefined || other === request.object?.metadata.name) return;
        throw refused(
          request,
          `PriorityClass ${other} is already marked as default. Only one default can exist`,
        );
      },
    };
  },
});

/** Clients that do not know the computed fields send none. */
function keep(spec: PodSpec, old: PodSpec | undefined): void {
  spec.priority ??= old?.priority;
  spec.preemptionPolicy ??= old?.preemptionPolicy;
}
