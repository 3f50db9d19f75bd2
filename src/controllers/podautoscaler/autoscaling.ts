/** Looks at one autoscaler after the other, scales their targets, and remembers what stabilization asks for. */
import type { HorizontalPodAutoscaler } from "../../api/autoscaling/horizontal-pod-autoscaler.ts";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import type { EventRecorder } from "../../client/events/event-recorder.ts";
import { type Lister, splitKey } from "../../client/informer/object-store.ts";
import { type LabelSelector, parseLabelSelector, SelectorError } from "../../machinery/selectors/labels.ts";
import { type FoundScale, ScaleNotServed, type Scales } from "../workloads/scales.ts";
import { type Answer, type Asked, askMetrics, invalidMetrics } from "./ask-metrics.ts";
import { Look } from "./look.ts";
import type { Metrics } from "./metrics-api.ts";
import { type Memory, normalize, noteScaled } from "./normalize.ts";

const SCALE_NOT_FOUND = "the server could not find the requested resource";

export interface AutoscalingTools {
  scales: Pick<Scales, "get" | "set">;
  metrics: Metrics;
  pods: Lister<Pod>;
  events: EventRecorder;
  computed?: Asked["computed"];
}

interface Decision {
  desired: number;
  why: string;
}

export class Autoscaling {
  private readonly tools: AutoscalingTools;
  private readonly memories = new Map<string, Memory>();
  /** Of the targets, by the keys of their autoscalers. */
  private readonly selectors = new Map<string, LabelSelector>();

  constructor(tools: AutoscalingTools) {
    this.tools = tools;
  }

  forget(key: string): void {
    this.memories.delete(key);
    this.selectors.delete(key);
  }

  async look(key: string, autoscaler: HorizontalPodAutoscaler, now: number): Promise<Look> {
    const look = new Look(autoscaler, now);
    const found = await this.scaleOf(look);
    if (!found) return look;
    const current = found.scale.spec?.replicas ?? 0;
    look.current = current;
    // What metrics say is told of looks that asked them.
    look.metrics = [];
    const memory = this.memories.get(key) ?? { recommendations: [], ups: [], downs: [] };
    this.memories.set(key, memory);
    if (memory.recommendations.length === 0) memory.recommendations.push({ at: now, replicas: current });
    const decision = await this.decide(key, look, found, memory);
    if (!decision) return look;
    if (decision.desired === current) look.desired = current;
    else await this.rescale(look, found, decision, memory);
    return look;
  }

  /** What keeps the autoscaler from its work. */
  private fail(look: Look, reason: string, note: string): void {
    look.failed = true;
    this.warn(look, reason, note);
  }

  private warn({ autoscaler }: Look, reason: string, note: string): void {
    this.tools.events.record(autoscaler, "Warning", reason, note);
  }

  private async scaleOf(look: Look): Promise<FoundScale | undefined> {
    const { metadata, spec } = look.autoscaler;
    try {
      const found = await this.tools.scales.get(spec.scaleTargetRef, metadata.namespace ?? "");
      if (!found) throw new Error(notFound(look.autoscaler));
      const message = "the HPA controller was able to get the target's current scale";
      look.set("AbleToScale", "True", "SucceededGetScale", message);
      return found;
    } catch (error) {
      // The autoscaler's words are the server's, other controllers' are their own.
      const why = error instanceof ScaleNotServed ? SCALE_NOT_FOUND : textOf(error);
      this.fail(look, "FailedGetScale", why);
      const message = `the HPA controller was unable to get the target's current scale: ${why}`;
      look.set("AbleToScale", "False", "FailedGetScale", message);
      return undefined;
    }
  }

  /** Undefined where there is nothing to go by; the look says why. */
  private async decide(
    key: string,
    look: Look,
    found: FoundScale,
    memory: Memory,
  ): Promise<Decision | undefined> {
    const { current, now } = look;
    const { spec } = look.autoscaler;
    const { minReplicas = 1, maxReplicas } = spec;
    if (current === 0 && minReplicas !== 0) {
      const message = "scaling is disabled since the replica count of the target is zero";
      look.set("ScalingActive", "False", "ScalingDisabled", message);
      return { desired: 0, why: "" };
    }
    if (current > maxReplicas) {
      return { desired: maxReplicas, why: "Current number of replicas above Spec.MaxReplicas" };
    }
    if (current < minReplicas) {
      return { desired: minReplicas, why: "Current number of replicas below Spec.MinReplicas" };
    }
    const answer = await this.ask(key, look, found);
    if (answer?.replicas === undefined) return undefined;
    const { replicas, able, limited } = normalize(spec, memory, current, answer.replicas, now);
    look.set("AbleToScale", "True", able.reason, able.message);
    look.set("ScalingLimited", limited.status, limited.reason, limited.message);
    const why = answer.replicas > current ? `${answer.metric} above target` : "All metrics below target";
    return { desired: replicas, why };
  }

  private async ask(key: string, look: Look, { scale }: FoundScale): Promise<Answer | undefined> {
    const { autoscaler, current, now } = look;
    const selector = this.selectorOf(key, look, scale.status?.selector ?? "");
    if (!selector) return undefined;
    const all = this.tools.pods.list(autoscaler.metadata.namespace);
    const pods = all.filter(({ metadata }) => selector.matches(metadata.labels));
    if (this.isAmbiguous(key, look, selector, pods)) return undefined;
    const running = scale.status?.replicas ?? 0;
    const { metrics, computed } = this.tools;
    const text = selector.toString();
    const asked = { autoscaler, metrics, computed, pods, selector: text, current, running, now };
    const answer = await askMetrics(asked);
    look.metrics = answer.statuses;
    for (const { reason, message } of answer.failures) this.warn(look, reason, message);
    if (answer.replicas !== undefined) {
      const message = `the HPA was able to successfully calculate a replica count from ${answer.metric}`;
      look.set("ScalingActive", "True", "ValidMetricFound", message);
      return answer;
    }
    const { reason, message } = answer.failures[0]!;
    look.set("ScalingActive", "False", reason, `the HPA was unable to compute the replica count: ${message}`);
    this.fail(look, "FailedComputeMetricsReplicas", invalidMetrics(answer));
    return undefined;
  }

  private selectorOf(key: string, look: Look, text: string): LabelSelector | undefined {
    if (text === "") {
      this.failSelector(look, "SelectorRequired", "selector is required");
      look.set("ScalingActive", "False", "InvalidSelector", "the HPA target's scale is missing a selector");
      return undefined;
    }
    try {
      const selector = parseLabelSelector(text);
      this.selectors.set(key, selector);
      return selector;
    } catch (error) {
      if (!(error instanceof SelectorError)) throw error;
      const message = `couldn't convert selector into a corresponding internal selector object: ${error.message}`;
      this.failSelector(look, "InvalidSelector", message);
      look.set("ScalingActive", "False", "InvalidSelector", message);
      return undefined;
    }
  }

  /** Without a selector no metric can be asked, which upstream tells as well. */
  private failSelector(look: Look, reason: string, message: string): void {
    this.fail(look, reason, message);
    this.warn(look, "FailedComputeMetricsReplicas", message);
  }

  /** Two autoscalers of the same pods would work against each other. */
  private isAmbiguous(key: string, look: Look, selector: LabelSelector, pods: readonly Pod[]): boolean {
    const { namespace } = splitKey(key);
    const names: string[] = [];
    for (const [other, { matches }] of this.selectors) {
      const isSame = splitKey(other).namespace === namespace;
      if (isSame && pods.some(({ metadata }) => matches(metadata.labels))) names.push(other);
    }
    if (names.length <= 1) return false;
    const message = `pods by selector ${selector} are controlled by multiple HPAs: [${names.sort().join(" ")}]`;
    this.failSelector(look, "AmbiguousSelector", message);
    look.set("ScalingActive", "False", "AmbiguousSelector", message);
    return true;
  }

  private async rescale(
    look: Look,
    found: FoundScale,
    { desired, why }: Decision,
    memory: Memory,
  ): Promise<void> {
    const { autoscaler, current, now } = look;
    const note = `New size: ${desired}; reason: ${why}`;
    try {
      await this.tools.scales.set(found, desired);
    } catch (error) {
      const told = textOf(error);
      this.fail(look, "FailedRescale", `${note}; error: ${told}`);
      const message = `the HPA controller was unable to update the target scale: ${told}`;
      look.set("AbleToScale", "False", "FailedUpdateScale", message);
      return;
    }
    const message = `the HPA controller was able to update the target scale to ${desired}`;
    look.set("AbleToScale", "True", "SucceededRescale", message);
    this.tools.events.record(autoscaler, "Normal", "SuccessfulRescale", note);
    noteScaled(memory, autoscaler.spec, current, desired, now);
    look.desired = desired;
    look.rescaled = true;
  }
}

function notFound({ spec: { scaleTargetRef } }: HorizontalPodAutoscaler): string {
  const { apiVersion = "", kind, name } = scaleTargetRef;
  const slash = apiVersion.indexOf("/");
  const group = slash < 0 ? "" : `.${apiVersion.slice(0, slash)}`;
  return `${kind.toLowerCase()}s${group} "${name}" not found`;
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
