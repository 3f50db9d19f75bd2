/**
 * The admission plugins of a running server, in order. Which of them a request concerns is worked out once for each
 * resource, subresource and operation, so that all others cost nothing.
 */
import type { Ports } from "../api/ports.ts";
import type { Resource } from "../api/resource.ts";
import type { AdmissionDeclaration, AdmissionPlugin, AdmissionRequest, Operation } from "./plugin.ts";

export interface AdmissionChain {
  /** Undefined where nothing had to wait. */
  mutate(request: AdmissionRequest): void | Promise<void>;
  validate(request: AdmissionRequest): void | Promise<void>;
}

/**
 * Told how long admission took, in milliseconds. A step is all plugins of one phase; a plugin by itself is told of only
 * where it waited, or refused (then since its step began).
 */
export interface AdmissionObserver {
  clock(): number;
  step(type: Phase, operation: Operation, ms: number, rejected: boolean): void;
  plugin(name: string, type: Phase, operation: Operation, ms: number, rejected: boolean): void;
}

export type Phase = "admit" | "validate";

interface Step {
  name: string;
  call(request: AdmissionRequest): void | Promise<void>;
}

interface Plan {
  mutate: readonly Step[];
  validate: readonly Step[];
}

const UNOBSERVED: AdmissionObserver = { clock: () => 0, step() {}, plugin() {} };

export function startChain(
  declarations: readonly AdmissionDeclaration[],
  ports: Ports,
  observer: AdmissionObserver = UNOBSERVED,
): AdmissionChain {
  const started = declarations.map((declaration) => ({ declaration, plugin: declaration.start(ports) }));
  const plans = new WeakMap<Resource, Map<string, Plan>>();

  function planOf({ resource, subresource, operation }: AdmissionRequest): Plan {
    let ofResource = plans.get(resource);
    if (!ofResource) {
      ofResource = new Map();
      plans.set(resource, ofResource);
    }
    const key = subresource === "" ? operation : `${operation} ${subresource}`;
    let plan = ofResource.get(key);
    if (!plan) {
      plan = makePlan(started, resource, subresource, operation);
      ofResource.set(key, plan);
    }
    return plan;
  }

  return {
    mutate: (request) => new Run(observer, "admit", planOf(request).mutate, request).start(),
    validate: (request) => new Run(observer, "validate", planOf(request).validate, request).start(),
  };
}

function makePlan(
  started: readonly { declaration: AdmissionDeclaration; plugin: AdmissionPlugin }[],
  resource: Resource,
  subresource: string,
  operation: Operation,
): Plan {
  const concerned = started.filter(({ declaration }) =>
    concerns(declaration, resource, subresource, operation),
  );
  const steps = (phase: "mutate" | "validate"): Step[] =>
    concerned.flatMap(({ declaration: { name }, plugin }) => {
      const call = plugin[phase]?.bind(plugin);
      return call ? [{ name, call }] : [];
    });
  return { mutate: steps("mutate"), validate: steps("validate") };
}

function concerns(
  { on }: AdmissionDeclaration,
  { plural, group }: Resource,
  subresource: string,
  operation: Operation,
): boolean {
  const name = group === "" ? plural : `${plural}.${group}`;
  const full = subresource === "" ? name : `${name}/${subresource}`;
  return on.some(
    ([pattern, operations]) =>
      (pattern === "**" || (pattern === "*" && subresource === "") || pattern === full) &&
      operations.includes(operation),
  );
}

/** One phase of one request. */
class Run {
  private readonly observer: AdmissionObserver;
  private readonly phase: Phase;
  private readonly steps: readonly Step[];
  private readonly request: AdmissionRequest;
  private readonly began: number;

  constructor(observer: AdmissionObserver, phase: Phase, steps: readonly Step[], request: AdmissionRequest) {
    this.observer = observer;
    this.phase = phase;
    this.steps = steps;
    this.request = request;
    this.began = observer.clock();
  }

  start(): void | Promise<void> {
    const waited = this.from(0);
    if (!waited) this.over(false);
    else return waited.then(() => this.over(false));
  }

  private from(first: number): void | Promise<void> {
    const { steps, request } = this;
    let at = first;
    try {
      for (; at < steps.length; at++) {
        const waited = steps[at]!.call(request);
        if (waited) return this.wait(at, waited);
      }
    } catch (error) {
      this.refused(at, this.began);
      throw error;
    }
  }

  private async wait(at: number, waited: Promise<void>): Promise<void> {
    const { observer, phase, request } = this;
    const since = observer.clock();
    try {
      await waited;
    } catch (error) {
      this.refused(at, since);
      throw error;
    }
    observer.plugin(this.steps[at]!.name, phase, request.operation, observer.clock() - since, false);
    await this.from(at + 1);
  }

  private refused(at: number, since: number): void {
    const { observer, phase, request } = this;
    observer.plugin(this.steps[at]!.name, phase, request.operation, observer.clock() - since, true);
    this.over(true);
  }

  private over(rejected: boolean): void {
    const { observer, phase, request } = this;
    observer.step(phase, request.operation, observer.clock() - this.began, rejected);
  }
}
