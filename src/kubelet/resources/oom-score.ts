/** How soon the kernel ends a container's processes where memory runs out: from -1000, never, to 1000, first. */
import { qosClassOf } from "../../api/core/pod/qos.ts";
import { aggregateContainerRequests } from "../../api/core/pod/requests.ts";
import type { Container, Pod, PodSpec } from "../../api/schema/core.v1.generated.ts";
import { unitsOf } from "./pod-resources.ts";

const GUARANTEED = -997;
const BEST_EFFORT = 1000;
/** Pods of this priority and more are the system's own. */
const SYSTEM_CRITICAL = 2_000_000_000;

/**
 * Containers between guaranteed and best effort go by the share of the machine's memory that they did not ask for: who
 * uses more than that share scores highest. `memoryCapacity` is the machine's, in bytes.
 */
export function oomScoreOf({ spec }: Pod, container: Container, memoryCapacity: number): number {
  if (!spec) return BEST_EFFORT;
  if (isNodeCritical(spec)) return GUARANTEED;
  const qos = qosClassOf(spec);
  if (qos === "Guaranteed") return GUARANTEED;
  if (qos === "BestEffort") return BEST_EFFORT;
  const share = unclaimedShare(spec);
  const scoreOf = ({ resources }: Container): number =>
    1000 - Math.floor((1000 * (unitsOf(resources?.requests, "memory") + share)) / memoryCapacity);
  let score = scoreOf(container);
  if (isSidecar(spec, container)) {
    // It may not go before every container that it is there for.
    score = Math.min(score, Math.max(...spec.containers.map(scoreOf)));
  }
  return Math.min(Math.max(score, 1000 + GUARANTEED), BEST_EFFORT - 1);
}

/** Whether a container of spec.initContainers goes on running beside the others. */
export function isSidecar({ initContainers = [] }: PodSpec, { name, restartPolicy }: Container): boolean {
  return restartPolicy === "Always" && initContainers.some((other) => other.name === name);
}

/** What the pod asks for beyond what its containers do, in even parts. */
function unclaimedShare(spec: PodSpec): number {
  const asked = unitsOf(spec.resources?.requests, "memory");
  const claimed = unitsOf(aggregateContainerRequests(spec), "memory");
  const containers = spec.containers.length + (spec.initContainers?.length ?? 0);
  return asked > claimed ? Math.floor((asked - claimed) / containers) : 0;
}

function isNodeCritical({ priority = 0, priorityClassName }: PodSpec): boolean {
  return priority >= SYSTEM_CRITICAL && priorityClassName === "system-node-critical";
}
