/**
 * What simulated pods do, as data: how long each part of their life takes, and how it ends. A stage says something of the
 * pods it matches; of what several say, the first counts, and what a pod's own annotations say counts before all.
 */
import type { OwnerReference } from "../api/object.ts";
import type { Pod } from "../api/schema/core.v1.generated.ts";
import type { Random } from "../base/random.ts";
import { parseLabelSelector } from "../machinery/selectors/labels.ts";
import { DurationError, parseDuration } from "../machinery/time/duration.ts";

/** Milliseconds, with up to `jitter` more. */
export type Delay = number | { ms: number; jitter: number };

/** All that is given must hold. */
export interface PodMatch {
  namespace?: string;
  /** A label selector: `app=web,tier!=cache`. */
  labels?: string;
  /** Annotations that the pod has with these values. */
  annotations?: Readonly<Record<string, string>>;
  /** The kind of the controller that owns the pod: `Job`. */
  ownerKind?: string;
  /** An image of one of its containers; a `*` at the end stands for any rest. */
  image?: string;
}

export interface Exit {
  /** From the container's start. */
  after: Delay;
  /** Of those that do not fail; 0 by default. */
  code?: number;
  /** How many fail, from 0 to 1. */
  failureRate?: number;
  /** Of those that fail; 1 by default. */
  failureCode?: number;
}

export interface PodBehaviour {
  /** Until the containers start: sandbox, volumes, images. `never`: their images cannot be pulled. */
  start?: Delay | "never";
  /** What each init container takes. */
  initialize?: Delay;
  /** From a container's start until it is ready. */
  ready?: Delay | "never";
  /** Readiness probes fail every so often, for so long. */
  unready?: { every: Delay; for: Delay };
  /** Containers end by themselves; without it they run until they are told to stop. */
  exit?: Exit;
  /** What containers take to stop; no longer than the pod's grace period. */
  terminate?: Delay;
}

export interface Stage extends PodBehaviour {
  /** Absent: every pod. */
  match?: PodMatch;
}

/** Behind all others: containers run, are ready and stop at once; those of Jobs are done after a second. */
export const DEFAULT_STAGES: readonly Stage[] = [
  { match: { ownerKind: "Job" }, exit: { after: 1000 } },
  { start: 0, initialize: 0, ready: 0, terminate: 0 },
];

export const ANNOTATION = "simulate.kybern.dev/";

/** What a pod does, of the stages given, those by default and its own annotations. */
export function behaviourOf(pod: Pod, stages: readonly CompiledStage[]): PodBehaviour {
  const behaviour: PodBehaviour = ownBehaviour(pod);
  for (const { matches, stage } of stages) {
    if (!matches(pod)) continue;
    behaviour.start ??= stage.start;
    behaviour.initialize ??= stage.initialize;
    behaviour.ready ??= stage.ready;
    behaviour.unready ??= stage.unready;
    behaviour.terminate ??= stage.terminate;
    if (stage.exit) behaviour.exit = { ...stage.exit, ...behaviour.exit };
  }
  const { exit } = behaviour;
  if (exit && exit.after === undefined) behaviour.exit = { ...exit, after: 1000 };
  return behaviour;
}

export interface CompiledStage {
  matches(pod: Pod): boolean;
  stage: PodBehaviour;
}

export function compileStages(stages: readonly Stage[]): CompiledStage[] {
  return [...stages, ...DEFAULT_STAGES].map((stage) => ({ stage, matches: matcher(stage.match ?? {}) }));
}

function matcher({
  namespace,
  labels,
  annotations = {},
  ownerKind,
  image,
}: PodMatch): CompiledStage["matches"] {
  const selector = labels === undefined ? undefined : parseLabelSelector(labels);
  const wanted = Object.entries(annotations);
  return ({ metadata, spec }) => {
    if (namespace !== undefined && metadata.namespace !== namespace) return false;
    if (ownerKind !== undefined && ownerKindOf(metadata.ownerReferences) !== ownerKind) return false;
    if (selector && !selector.matches(metadata.labels ?? {})) return false;
    if (!wanted.every(([name, value]) => annotationOf(metadata.annotations, name) === value)) return false;
    return (
      image === undefined || (spec?.containers ?? []).some((container) => isImage(container.image, image))
    );
  };
}

function ownerKindOf(owners: readonly OwnerReference[] | undefined): string | undefined {
  return owners?.find(({ controller }) => controller)?.kind;
}

function isImage(image = "", wanted: string): boolean {
  return wanted.endsWith("*") ? image.startsWith(wanted.slice(0, -1)) : image === wanted;
}

function annotationOf(annotations: Readonly<Record<string, string>> = {}, name: string): string | undefined {
  return Object.hasOwn(annotations, name) ? annotations[name] : undefined;
}

/** What the pod's annotations say; what cannot be read is left out. */
function ownBehaviour({ metadata: { annotations } }: Pod): PodBehaviour {
  if (!annotations) return {};
  const own = (name: string): string | undefined => annotationOf(annotations, ANNOTATION + name);
  const delay = (name: string): number | undefined => milliseconds(own(name));
  const orNever = (name: string): number | "never" | undefined =>
    own(name) === "never" ? "never" : delay(name);
  const number = (name: string): number | undefined => {
    const value = Number(own(name) ?? Number.NaN);
    return Number.isFinite(value) ? value : undefined;
  };
  const exit = {
    after: delay("exit-after"),
    code: number("exit-code"),
    failureRate: number("failure-rate"),
  };
  const said = Object.fromEntries(Object.entries(exit).filter(([, value]) => value !== undefined));
  return {
    start: orNever("start-after"),
    initialize: delay("initialize-after"),
    ready: own("ready") === "false" ? "never" : orNever("ready-after"),
    terminate: delay("terminate-after"),
    ...(Object.keys(said).length > 0 ? { exit: said as unknown as Exit } : {}),
  };
}

/** Of a duration as Go writes it; undefined where it is none. */
export function milliseconds(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  try {
    const parsed = Number(parseDuration(text)) / 1e6;
    return parsed >= 0 ? parsed : undefined;
  } catch (error) {
    if (error instanceof DurationError) return undefined;
    throw error;
  }
}

export function drawn(delay: Delay | "never" | undefined, random: Random): number {
  if (delay === undefined) return 0;
  if (delay === "never") return Number.POSITIVE_INFINITY;
  return typeof delay === "number" ? delay : delay.ms + delay.jitter * random();
}

/** When a container that starts ends by itself, and how. */
export function drawnExit(exit: Exit | undefined, random: Random): { after: number; code: number } {
  if (!exit) return { after: Number.POSITIVE_INFINITY, code: 0 };
  const { code = 0, failureRate = 0, failureCode = 1 } = exit;
  const fails = failureRate > 0 && random() < failureRate;
  return { after: drawn(exit.after, random), code: fails ? failureCode : code };
}
