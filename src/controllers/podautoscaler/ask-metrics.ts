/** What each metric of an autoscaler asks for, and what they ask for together. */
import type { HorizontalPodAutoscaler } from "../../api/autoscaling/horizontal-pod-autoscaler.ts";
import type {
  MetricIdentifier,
  MetricSpec,
  MetricStatus,
} from "../../api/schema/autoscaling.v2.generated.ts";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import { Quantity } from "../../machinery/quantity/quantity.ts";
import { labelSelectorOf } from "../../machinery/selectors/labels.ts";
import { selectorAsStruct } from "../../machinery/selectors/selector-as-struct.ts";
import type { Metrics } from "./metrics-api.ts";
import {
  averageReplicas,
  type Context,
  MetricError,
  type Proposal,
  sharedReplicas,
  type Tolerances,
  totalReplicas,
  utilizationReplicas,
} from "./replica-calculator.ts";

export interface Asked {
  autoscaler: HorizontalPodAutoscaler;
  metrics: Metrics;
  /** Those of the target's selector. */
  pods: readonly Pod[];
  selector: string;
  /** As the target's spec and its status have it. */
  current: number;
  running: number;
  now: number;
  /** Told of each metric before and after it is asked. */
  computed?: (type: string, current: number) => (proposed: number | undefined) => void;
}

export interface Failure {
  spec: MetricSpec;
  reason: string;
  message: string;
}

export interface Answer {
  /** Undefined where nothing can be asked for. */
  replicas?: number;
  /** The metric that asks for the most. */
  metric: string;
  /** One for each metric, in their order: of one that could not be gone by, an empty one. */
  statuses: MetricStatus[];
  /** One for each metric that could not be gone by. */
  failures: Failure[];
}

/** Upstream's default of --horizontal-pod-autoscaler-tolerance. */
const TOLERANCE = 0.1;

interface Reply {
  proposal: Proposal;
  name: string;
  status: MetricStatus;
}

export async function askMetrics(asked: Asked): Promise<Answer> {
  const answer: Answer = { metric: "", statuses: [], failures: [] };
  const specs = asked.autoscaler.spec.metrics ?? [];
  let most = 0;
  for (const spec of specs) {
    const computed = asked.computed?.(spec.type, asked.current);
    try {
      const { proposal, name, status } = await askMetric(asked, spec);
      computed?.(proposal.replicas);
      answer.statuses.push(status);
      if (most === 0 || proposal.replicas > most) {
        most = proposal.replicas;
        answer.metric = name;
      }
    } catch (error) {
      computed?.(undefined);
      answer.statuses.push({ type: "" });
      answer.failures.push(failureOf(spec, error));
    }
  }
  const failed = answer.failures.length;
  // What is not known might have asked for more: it never lets pods go.
  if (failed >= specs.length || (failed > 0 && most < asked.current)) return answer;
  return { ...answer, replicas: most };
}

const SORTS: Readonly<Record<string, { reason: string; what: (spec: MetricSpec) => string }>> = {
  Object: { reason: "FailedGetObjectMetric", what: () => "object metric" },
  Pods: { reason: "FailedGetPodsMetric", what: () => "pods metric" },
  Resource: {
    reason: "FailedGetResourceMetric",
    what: ({ resource }) => `${resource?.name} resource metric`,
  },
  ContainerResource: {
    reason: "FailedGetContainerResourceMetric",
    what: ({ containerResource }) => `${containerResource?.name} container metric`,
  },
  External: {
    reason: "FailedGetExternalMetric",
    what: ({ external }) => `${external?.metric.name} external metric`,
  },
};

function failureOf(spec: MetricSpec, error: unknown): Failure {
  return { spec, reason: SORTS[spec.type]?.reason ?? "InvalidMetricSourceType", message: textOf(error) };
}

/** The failures as one error, of which the first is told. */
export function invalidMetrics({ failures, statuses }: Answer): string {
  const { spec, message } = failures[0]!;
  const what = SORTS[spec.type]?.what(spec) ?? "metric";
  const first = `failed to get ${what} value: ${message}`;
  return `invalid metrics (${failures.length} invalid out of ${statuses.length}), first error is: ${first}`;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function askMetric(asked: Asked, spec: MetricSpec): Promise<Reply> {
  switch (spec.type) {
    case "Resource":
      return askResource(asked, spec.resource!);
    case "ContainerResource":
      return askResource(asked, spec.containerResource!, spec.containerResource!.container);
    case "Pods":
      return askPods(asked, spec.pods!);
    case "Object":
      return askObject(asked, spec.object!);
    case "External":
      return askExternal(asked, spec.external!);
    default:
      throw new MetricError(`unknown metric source type "${spec.type}"`);
  }
}

function contextOf({ autoscaler, current, now }: Asked, resource = ""): Context {
  return { current, now, resource, tolerances: tolerancesOf(autoscaler) };
}

function tolerancesOf({ spec: { behavior } }: HorizontalPodAutoscaler): Tolerances {
  const of = (tolerance: string | undefined): number =>
    tolerance === undefined ? TOLERANCE : Quantity.parse(tolerance).approximate();
  return { up: of(behavior?.scaleUp?.tolerance), down: of(behavior?.scaleDown?.tolerance) };
}

async function askResource(
  asked: Asked,
  { name, target }: NonNullable<MetricSpec["resource"]>,
  container?: string,
): Promise<Reply> {
  const { metrics, pods, selector, autoscaler } = asked;
  const context: Context = { ...contextOf(asked, name), container };
  const { averageUtilization, averageValue } = target;
  let proposal: Proposal;
  try {
    const found = await metrics
      .resource(name, autoscaler.metadata.namespace ?? "", selector, container)
      .catch((error) => {
        throw new MetricError(`unable to get metrics for resource ${name}: ${textOf(error)}`);
      });
    proposal =
      averageUtilization === undefined
        ? averageReplicas(pods, found, milliOf(averageValue), context)
        : utilizationReplicas(pods, found, averageUtilization, context);
  } catch (error) {
    const sort = averageUtilization === undefined ? "usage" : "utilization";
    throw new MetricError(`failed to get ${name} ${sort}: ${textOf(error)}`);
  }
  const current = {
    ...(proposal.utilization !== undefined && { averageUtilization: proposal.utilization }),
    averageValue: quantityOf(proposal.milli),
  };
  const sort = container === undefined ? "resource" : "container resource";
  const share = averageUtilization === undefined ? "" : " utilization (percentage of request)";
  return {
    proposal,
    name: `${name} ${sort}${share}`,
    status:
      container === undefined
        ? { type: "Resource", resource: { name, current } }
        : { type: "ContainerResource", containerResource: { name, container, current } },
  };
}

async function askPods(asked: Asked, { metric, target }: NonNullable<MetricSpec["pods"]>): Promise<Reply> {
  const { metrics, pods, selector, autoscaler } = asked;
  const { namespace = "" } = autoscaler.metadata;
  const found = await orUnable(
    `metric ${metric.name}`,
    metrics.pods(metric.name, namespace, selector, textual(metric)),
  );
  const proposal = averageReplicas(pods, found, milliOf(target.averageValue), contextOf(asked));
  return {
    proposal,
    name: `pods metric ${metric.name}`,
    status: { type: "Pods", pods: { metric, current: { averageValue: quantityOf(proposal.milli) } } },
  };
}

async function askObject(asked: Asked, source: NonNullable<MetricSpec["object"]>): Promise<Reply> {
  const { metrics, autoscaler } = asked;
  const { metric, target, describedObject } = source;
  const { namespace = "" } = autoscaler.metadata;
  const asking = metrics.object(metric.name, namespace, describedObject, textual(metric));
  const what = `metric ${metric.name}`;
  const milli = await orUnable(
    what,
    asking,
    ` on ${describedObject.kind} ${namespace}/${describedObject.name}`,
  );
  const { proposal, current } = ofTotal(asked, milli, target);
  return {
    proposal,
    // Upstream, too, calls what is shared out an external metric here.
    name:
      target.averageValue === undefined
        ? `${describedObject.kind} metric ${metric.name}`
        : nameWithSelector(metric),
    status: { type: "Object", object: { describedObject, metric, current } },
  };
}

async function askExternal(asked: Asked, source: NonNullable<MetricSpec["external"]>): Promise<Reply> {
  const { metrics, autoscaler } = asked;
  const { metric, target } = source;
  const { namespace = "" } = autoscaler.metadata;
  const asking = metrics.external(metric.name, namespace, textual(metric));
  const what = `external metric ${namespace}/${metric.name}/${selectorAsStruct(metric.selector)}`;
  const values = await orUnable(what, asking);
  const milli = values.reduce((sum, value) => sum + value, 0);
  const { proposal, current } = ofTotal(asked, milli, target);
  return {
    proposal,
    name: nameWithSelector(metric),
    status: { type: "External", external: { metric, current } },
  };
}

/** One number for all pods: as it is, or as the part of each. */
function ofTotal(
  asked: Asked,
  milli: number,
  { value, averageValue }: { value?: string; averageValue?: string },
) {
  if (averageValue !== undefined) {
    const { tolerances } = contextOf(asked);
    const proposal = sharedReplicas(milli, milliOf(averageValue), asked.running, tolerances);
    return { proposal, current: { averageValue: quantityOf(proposal.milli) } };
  }
  const proposal = totalReplicas(asked.pods, milli, milliOf(value), contextOf(asked));
  return { proposal, current: { value: quantityOf(proposal.milli) } };
}

async function orUnable<T>(what: string, asking: Promise<T>, where = ""): Promise<T> {
  try {
    return await asking;
  } catch (error) {
    throw new MetricError(`unable to get ${what}: ${textOf(error)}${where}`);
  }
}

function nameWithSelector({ name, selector }: MetricIdentifier): string {
  return `external metric ${name}(${selectorAsStruct(selector)})`;
}

function textual({ selector }: MetricIdentifier): string {
  return selector ? labelSelectorOf(selector).toString() : "";
}

function milliOf(quantity: string | undefined): number {
  return Quantity.parse(quantity ?? "0").milliValue();
}

function quantityOf(milli: number): string {
  return Quantity.ofMilli(Math.trunc(milli)).toString();
}
