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

type Step = (request: AdmissionRequest) => void | Promise<void>;

interface Plan {
  mutate: readonly Step[];
  validate: readonly Step[];
}

export function startChain(declarations: readonly AdmissionDeclaration[], ports: Ports): AdmissionChain {
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
    mutate: (request) => run(planOf(request).mutate, request, 0),
    validate: (request) => run(planOf(request).validate, request, 0),
  };
}

function makePlan(
  started: readonly { declaration: AdmissionDeclaration; plugin: AdmissionPlugin }[],
  resource: Resource,
  subresource: string,
  operation: Operation,
): Plan {
  const concerned = started
    .filter(({ declaration }) => concerns(declaration, resource, subresource, operation))
    .map(({ plugin }) => plugin);
  return {
    mutate: concerned.flatMap((plugin) => (plugin.mutate ? [plugin.mutate.bind(plugin)] : [])),
    validate: concerned.flatMap((plugin) => (plugin.validate ? [plugin.validate.bind(plugin)] : [])),
  };
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

function run(steps: readonly Step[], request: AdmissionRequest, from: number): void | Promise<void> {
  for (let i = from; i < steps.length; i++) {
    const waited = steps[i]!(request);
    if (waited) return waited.then(() => run(steps, request, i + 1));
  }
}
