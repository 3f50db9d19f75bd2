/** Whether the node takes a pod, and who makes room for it. */
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import type { PodEviction } from "../ports.ts";
import { type Admission, objectionsTo, type Refusal, shortageText } from "./admit-pod.ts";
import { ownGrace } from "./pod-ending.ts";
import { isCriticalPod } from "./pod-name.ts";
import { preemption } from "./preemption.ts";

export interface AdmissionFacts extends Admission {
  /** Why the node, being short of something, takes no such pods now. */
  pressure: string | undefined;
}

/** Neither of both: it is taken. */
export interface Decision {
  refusal?: Refusal | undefined;
  /** It is taken as soon as these are gone. */
  victims?: readonly Pod[];
}

export function decideAdmission(pod: Pod, facts: AdmissionFacts): Decision {
  if (facts.pressure !== undefined) return { refusal: { reason: "Evicted", message: facts.pressure } };
  const { unsupported, shortages, misplaced } = objectionsTo(pod, facts);
  const [first] = shortages;
  if (unsupported) return { refusal: unsupported };
  if (!first) return { refusal: misplaced };
  if (!isCriticalPod(pod)) return { refusal: shortageText(first) };
  if (misplaced) return { refusal: misplaced };
  const lacking = shortages.map(({ resource, requested, used, capacity }) => ({
    resource,
    amount: requested - (capacity - used),
  }));
  const victims = preemption(pod, facts.others, lacking);
  if (typeof victims !== "string") return { victims };
  const message = `Unexpected error while attempting to recover from admission failure: ${victims}`;
  return { refusal: { reason: "UnexpectedAdmissionError", message } };
}

export const PREEMPTING = "Preempting";
export const PREEMPTED = "Preempted in order to admit critical pod";

export function evictionFor(victim: Pod): PodEviction {
  return {
    reason: PREEMPTING,
    message: PREEMPTED,
    disruption: "TerminationByKubelet",
    disruptionMessage: "Pod was preempted by Kubelet to accommodate a critical pod.",
    graceSeconds: ownGrace(victim),
  };
}
