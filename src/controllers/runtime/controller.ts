/**
 * How a controller is written: what it looks at, which key each object means, and what to do for a key.
 *
 *   inputs (informers) ──keys──▶ queue ──▶ reconcile(key) ── throws ──▶ again later
 *
 * A controller holds no state of its own that it could not make anew from its inputs: it may be stopped anywhere. It
 * sees its own writes: a key is worked on only when every input without a selection shows all that the controller wrote
 * before. So nothing needs to be expected or remembered; what is missing from the inputs is missing.
 */
import type { KubeObject } from "../../api/object.ts";
import type { Resource } from "../../api/resource.ts";
import type { Clock } from "../../base/clock.ts";
import type { MetricSet } from "../../base/metrics/metric-set.ts";
import type { Random } from "../../client/backoff.ts";
import type { Client } from "../../client/client.ts";
import type { EventRecorder } from "../../client/events/event-recorder.ts";
import type { Change } from "../../client/informer/informer.ts";
import type { Informers, Selection } from "../../client/informer/informers.ts";
import type { IndexFunction, Lister } from "../../client/informer/object-store.ts";
import type { WorkResult } from "../../client/work-queue/work-queue.ts";
import type { CloudProvider } from "./cloud-provider.ts";

/** One resource that a controller looks at. */
export interface Input<T extends KubeObject> {
  resource: Resource<T>;
  selection?: Selection;
  /**
   * What the lister finds objects by (`lister.by(name, value)`). Informers are shared: an index of one name must mean
   * the same to every controller of the resource, so name it after what it looks at, as in `controllerUID`.
   */
  indexes?: Readonly<Record<string, IndexFunction<T>>>;
  /** The keys that a change makes worth looking at; none leaves it be. Must be fast. */
  keys(change: Change<T>): readonly string[];
}

type Inputs = Readonly<Record<string, KubeObject>>;

export type Listers<I extends Inputs> = { readonly [N in keyof I]: Lister<I[N]> };

/** What every controller of a process is given. */
export interface ControllerContext {
  /** Acts as the controller's own service account. */
  client: Client;
  /** Events in the controller's own name. */
  events: EventRecorder;
  clock: Clock;
  random: Random;
  settings: ControllerSettings;
  /** Figures that the controller keeps beside those of its queue; declared once, at its start. */
  metrics: MetricSet;
  /** Shared by all controllers: for resources that only running shows the need of. Those it asks for it must start. */
  informers: Informers;
  /** Works on a key again, now or later: for what the inputs do not tell. */
  again(key: string, after?: number): void;
  /** Aborted when the controllers stop. */
  signal: AbortSignal;
}

/** What controllers need to know of the cluster. */
export interface ControllerSettings {
  /** PEM; whom pods trust when they talk to the API server. */
  rootCA: string;
  /** PEM; signs certificates of the cluster's signers. Absent: they sign nothing. */
  signer?: { certificate: string; key: string };
  /** The networks of pods, of which nodes get their parts. Empty: nodes get none. */
  clusterCIDRs: readonly string[];
  serviceCIDRs: readonly string[];
  /** What LoadBalancer Services get their addresses from. Empty: they stay pending. */
  loadBalancerRanges: readonly string[];
  /** By default one that only has load balancers, and those only where there are ranges. */
  cloud?: CloudProvider;
  /** PEM; signs the tokens of Secrets of service accounts. Absent: such Secrets get none. */
  serviceAccountKey?: string;
}

export interface Controller<I extends Inputs = Inputs> {
  /** As upstream names it in --controllers. */
  name: string;
  /**
   * The service account in kube-system that it acts as: that of upstream's role `system:controller:<account>`. A few
   * have none and act as `kube-controller-manager` itself.
   */
  account: string;
  /** Whom its events come from, where upstream does not say the controller's name. */
  eventSource?: string;
  /**
   * What figures call its queue, where upstream does not say the controller's name without `-controller`. Where upstream
   * has several queues, it is the one by which objects are reconciled.
   */
  queue?: string;
  inputs: { readonly [N in keyof I]: Input<I[N]> };
  /** Keys worked on at the same time; upstream's default for the controller. */
  workers?: number;
  /** Started only where it is asked for by name. */
  offByDefault?: boolean;
  /** Called once, before the first key. */
  start(context: ControllerContext, listers: Listers<I>): Reconciler;
}

/**
 * Brings about what should be for a key. Called for one key once at a time, after every input has its whole picture.
 * What it throws is retried with growing waits; `{ after }` asks for another look.
 */
export type Reconciler = (key: string) => Promise<WorkResult>;

export function defineController<I extends Inputs>(controller: Controller<I>): Controller {
  return controller as unknown as Controller;
}

/** Gives an input its type: `input(Pod, ({ now }) => …)`. */
export function input<T extends KubeObject>(
  resource: Resource<T>,
  keys: Input<T>["keys"],
  selection?: Selection,
  indexes?: Input<T>["indexes"],
): Input<T> {
  return { resource, keys, selection, indexes };
}
