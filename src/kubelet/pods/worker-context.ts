import type { Pod } from "../../api/schema/core.v1.generated.ts";
import type { ProbeCounts } from "../probes/probe-counts.ts";
import type { StatusWriter } from "../status/status-writer.ts";
import type { ResizeContext } from "./pod-resizer.ts";

export interface WorkerContext extends ResizeContext {
  writer: StatusWriter;
  counts: ProbeCounts;
  /** The pod of the API that stands for it: itself, or the mirror of a static pod; undefined while there is none. */
  apiPod(pod: Pod): Pod | undefined;
  /** Removes the pod from the API, once nothing of it runs. */
  deletePod(pod: Pod): Promise<void>;
  /** Nothing is left of the pod. */
  left(uid: string): void;
}
