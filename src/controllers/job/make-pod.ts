/** The pods of a job: as its template says, with a finalizer, and the index of an indexed job's. */
import type { Job } from "../../api/batch/job.ts";
import type { Pod } from "../../api/core/pods.ts";
import type { Container } from "../../api/schema/core.v1.generated.ts";
import type { Given } from "../../client/resource-client.ts";
import { podFromTemplate } from "../workloads/pod-from-template.ts";
import {
  COMPLETION_INDEX,
  FAILURE_COUNT,
  failureCount,
  IGNORED_FAILURE_COUNT,
  ignoredFailureCount,
  TRACKING,
} from "./job-pods.ts";
import { judgeFailure } from "./pod-failure-policy.ts";

const INDEX_VARIABLE = "JOB_COMPLETION_INDEX";
/** Five more are added to what a name is generated from, and 63 are allowed. */
const LONGEST_PREFIX = 58;

/** Call it once a look; what it returns makes one pod each time, `replaced` being the last that failed at its index. */
export function podMaker(job: Job): (index?: number, replaced?: Pod) => Given<Pod> {
  const base = podFromTemplate(job.spec!.template, job);
  const finalizers = [...(base.metadata.finalizers ?? [])];
  if (!finalizers.includes(TRACKING)) finalizers.push(TRACKING);
  const metadata = { ...base.metadata, finalizers };
  if (job.spec!.completionMode !== "Indexed") return () => ({ ...base, metadata });
  const spec = { ...base.spec!, containers: withIndexVariable(base.spec?.containers ?? []) };
  if (spec.initContainers) spec.initContainers = withIndexVariable(spec.initContainers);
  const { name = "" } = job.metadata;
  return (index = 0, replaced) => ({
    metadata: {
      ...metadata,
      generateName: prefixOf(name, index),
      labels: { ...metadata.labels, [COMPLETION_INDEX]: `${index}` },
      annotations: {
        ...metadata.annotations,
        [COMPLETION_INDEX]: `${index}`,
        ...(job.spec!.backoffLimitPerIndex !== undefined && failureCounts(job, replaced)),
      },
    },
    spec: { ...spec, hostname: `${name}-${index}` },
  });
}

function failureCounts({ spec }: Job, replaced: Pod | undefined): Record<string, string> {
  if (!replaced) return { [FAILURE_COUNT]: "0" };
  const { counts } = judgeFailure(spec?.podFailurePolicy, replaced);
  const ignored = ignoredFailureCount(replaced) + (counts ? 0 : 1);
  return {
    [FAILURE_COUNT]: `${failureCount(replaced) + (counts ? 1 : 0)}`,
    ...(ignored > 0 && { [IGNORED_FAILURE_COUNT]: `${ignored}` }),
  };
}

function withIndexVariable(containers: readonly Container[]): Container[] {
  return containers.map((container) => {
    if (container.env?.some(({ name }) => name === INDEX_VARIABLE)) return container;
    const fieldRef = { fieldPath: `metadata.labels['${COMPLETION_INDEX}']` };
    return {
      ...container,
      env: [...(container.env ?? []), { name: INDEX_VARIABLE, valueFrom: { fieldRef } }],
    };
  });
}

function prefixOf(job: string, index: number): string {
  const end = `-${index}-`;
  return job.slice(0, LONGEST_PREFIX - end.length) + end;
}
