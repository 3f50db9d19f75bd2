/** Eviction: a delete that a PodDisruptionBudget may refuse. */
import { labelSelectorOf } from "../../../machinery/selectors/labels.ts";
import {
  badRequest,
  forbidden,
  internalError,
  notFound,
  StatusError,
} from "../../../machinery/status/status-error.ts";
import type { KubeObject } from "../../object.ts";
import { DISRUPTION_ALLOWED, withDisruptionAllowed } from "../../policy/disruption-condition.ts";
import type { DeleteRequest, ObjectReader } from "../../ports.ts";
import {
  type ActionSubresource,
  defineResource,
  type RequestContext,
  type Resource,
} from "../../resource.ts";
import type { Pod } from "../../schema/core.v1.generated.ts";
import type { DeleteOptions } from "../../schema/meta.v1.generated.ts";
import type { Eviction, PodDisruptionBudget } from "../../schema/policy.v1.generated.ts";

/** More evictions than this at once would make the budget's status too large. */
const MAX_DISRUPTED_PODS = 2000;
/** As upstream names it here. */
const BUDGET = { group: "policy", resource: "poddisruptionbudget" };
const REFUSED = "Cannot evict pod as it would violate the pod's disruption budget.";

/** Names the budgets to the ports; their own declaration is in the policy group. */
const budgets: Resource<PodDisruptionBudget> = defineResource<PodDisruptionBudget>({
  group: "policy",
  version: "v1",
  kind: "PodDisruptionBudget",
  plural: "poddisruptionbudgets",
  scope: "Namespaced",
  definition: "policy.v1.PodDisruptionBudget",
  subresources: {
    status: { acts: "update", verbs: ["get", "patch", "update"], prepare: () => undefined, resets: [] },
  },
});

export function evictionSubresource(pods: () => Resource<Pod>): ActionSubresource {
  return {
    acts: "create",
    kind: { group: "policy", version: "v1", kind: "Eviction" },
    // What clients of before 1.22 write.
    alsoVersions: ["v1beta1"],
    definition: "policy.v1.Eviction",
    async create({ namespace, name }, body, context) {
      const eviction = body as Eviction;
      if (eviction.metadata?.name && eviction.metadata.name !== name) {
        throw badRequest("name in URL does not match name in Eviction object");
      }
      await evict(pods(), namespace, name, eviction, context);
      return { kind: "Status", apiVersion: "v1", metadata: {}, status: "Success", code: 201 } as KubeObject;
    },
  };
}

async function evict(
  pods: Resource<Pod>,
  namespace: string,
  name: string,
  eviction: Eviction,
  context: RequestContext,
): Promise<void> {
  const { ports } = context;
  const pod = ports.reader.get(pods, namespace, name);
  if (!pod) throw notFound({ group: "", resource: "pods" }, name);
  const dryRun = context.dryRun || (eviction.deleteOptions?.dryRun?.length ?? 0) > 0;
  let options = deleteRequestOf(eviction.deleteOptions, dryRun);
  if (!isFreeToGo(pod)) {
    const budget = budgetOf(pod, namespace, ports.reader);
    if (budget && !ignoresBudget(pod, budget)) {
      await spend(budget, pod, namespace, dryRun, context);
      // The pod was judged as it is now: another one of its name must not go in its stead.
      options = withPreconditions(options, pod, !isReady(pod));
    } else if (budget) options = withPreconditions(options, pod, true);
  }
  await deleteAsTarget(pods, namespace, name, options, context);
}

/** Says on the pod first why it goes: its status outlives it where others watch. */
async function deleteAsTarget(
  pods: Resource<Pod>,
  namespace: string,
  name: string,
  options: DeleteRequest,
  { ports, now }: RequestContext,
): Promise<void> {
  let request = options;
  if (!options.dryRun) {
    const { uid, resourceVersion } = options.preconditions ?? {};
    let isChanged = false;
    const marked = await ports.writer.update(
      pods,
      namespace,
      name,
      (copy) => {
        const { metadata } = copy;
        // The deletion refuses, and says why.
        isChanged =
          (uid === undefined || uid === metadata.uid) &&
          (resourceVersion === undefined || resourceVersion === metadata.resourceVersion);
        return isChanged ? setTargeted(copy, now) : false;
      },
      { subresource: "status" },
    );
    if (isChanged && resourceVersion !== undefined) {
      const preconditions = { ...options.preconditions, resourceVersion: marked.metadata.resourceVersion };
      request = { ...options, preconditions };
    }
  }
  await ports.writer.delete(pods, namespace, name, request);
}

function setTargeted(pod: Pod, now: string): void {
  pod.status ??= {};
  pod.status.conditions ??= [];
  const { conditions } = pod.status;
  const was = conditions.find(({ type }) => type === "DisruptionTarget");
  const condition = {
    type: "DisruptionTarget",
    status: "True",
    reason: "EvictionByEvictionAPI",
    message: "Eviction API: evicting",
    lastTransitionTime: was?.status === "True" ? was.lastTransitionTime : now,
  };
  if (was) Object.assign(was, condition);
  else conditions.push(condition);
}

function deleteRequestOf(options: DeleteOptions | undefined, dryRun: boolean): DeleteRequest {
  const request: DeleteRequest = { dryRun };
  if (options?.gracePeriodSeconds !== undefined) request.gracePeriodSeconds = options.gracePeriodSeconds;
  if (options?.preconditions) request.preconditions = options.preconditions;
  if (options?.propagationPolicy) {
    request.propagationPolicy = options.propagationPolicy as DeleteRequest["propagationPolicy"];
  }
  return request;
}

function withPreconditions(options: DeleteRequest, pod: Pod, sameVersion: boolean): DeleteRequest {
  const preconditions = { uid: pod.metadata.uid, ...options.preconditions };
  if (sameVersion) preconditions.resourceVersion ??= pod.metadata.resourceVersion;
  return { ...options, preconditions };
}

/** Pods that serve nobody: ended, waiting to start, or going already. */
function isFreeToGo({ metadata, status }: Pod): boolean {
  const phase = status?.phase;
  return (
    phase === "Succeeded" ||
    phase === "Failed" ||
    phase === "Pending" ||
    metadata.deletionTimestamp !== undefined
  );
}

function isReady(pod: Pod): boolean {
  return pod.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}

function budgetOf(pod: Pod, namespace: string, reader: ObjectReader): PodDisruptionBudget | undefined {
  const labels = pod.metadata.labels ?? {};
  const found: PodDisruptionBudget[] = [];
  for (const budget of reader.list(budgets, namespace)) {
    if (budget.spec?.selector && labelSelectorOf(budget.spec.selector).matches(labels)) found.push(budget);
  }
  if (found.length > 1) {
    throw internalError(
      "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
    );
  }
  return found[0];
}

/** A pod that is not ready may go: always, or while the application it belongs to is healthy without it. */
function ignoresBudget(pod: Pod, { spec, status }: PodDisruptionBudget): boolean {
  if (isReady(pod)) return false;
  if (spec?.unhealthyPodEvictionPolicy === "AlwaysAllow") return true;
  const { currentHealthy = 0, desiredHealthy = 0 } = status ?? {};
  return currentHealthy >= desiredHealthy && desiredHealthy > 0;
}

/** Takes one disruption from the budget and notes the pod there until its deletion is seen. */
async function spend(
  budget: PodDisruptionBudget,
  pod: Pod,
  namespace: string,
  dryRun: boolean,
  { ports, now }: RequestContext,
): Promise<void> {
  const name = budget.metadata.name ?? "";
  const podName = pod.metadata.name ?? "";
  const change = (copy: PodDisruptionBudget) => {
    copy.status ??= {};
    const { status } = copy;
    const allowed = status.disruptionsAllowed ?? 0;
    if ((status.observedGeneration ?? 0) < (copy.metadata.generation ?? 0)) {
      throw refusal(`The disruption budget ${name} is still being processed by the server.`, 10);
    }
    if (allowed < 0) throw forbidden(BUDGET, name, "pdb disruptions allowed is negative");
    if (Object.keys(status.disruptedPods ?? {}).length > MAX_DISRUPTED_PODS) {
      const why = "DisruptedPods map too big - too many evictions not confirmed by PDB controller";
      throw forbidden(BUDGET, name, why);
    }
    if (allowed === 0) throw refusal(whySpent(name, status));
    status.disruptionsAllowed = allowed - 1;
    if (allowed === 1) status.conditions = withDisruptionAllowed(status, now);
    status.disruptedPods = { ...status.disruptedPods, [podName]: now };
  };
  await ports.writer.update(budgets, namespace, name, change, { subresource: "status", dryRun });
}

function whySpent(name: string, status: NonNullable<PodDisruptionBudget["status"]>): string {
  const { desiredHealthy = 0, currentHealthy = 0, conditions } = status;
  if (currentHealthy <= desiredHealthy) {
    return `The disruption budget ${name} needs ${desiredHealthy} healthy pods and has ${currentHealthy} currently`;
  }
  const condition = conditions?.find(({ type }) => type === DISRUPTION_ALLOWED);
  const text = `The disruption budget ${name} does not allow evicting pods currently`;
  if (condition?.status !== "False" || !condition.message) return text;
  return `${text} (${condition.reason}): ${condition.message}`;
}

function refusal(why: string, retryAfterSeconds?: number): StatusError {
  const cause = { reason: "DisruptionBudget", message: why };
  const details = { causes: [cause] };
  return new StatusError(
    "TooManyRequests",
    REFUSED,
    retryAfterSeconds === undefined ? details : { ...details, retryAfterSeconds },
  );
}
