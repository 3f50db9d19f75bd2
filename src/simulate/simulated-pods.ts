/** Runs the pods of simulated nodes: looks at one when it changes or something falls due, and writes what differs. */
import { Pod } from "../api/core/pods.ts";
import type { Pod as PodObject } from "../api/schema/core.v1.generated.ts";
import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import type { Client } from "../client/client.ts";
import type { Change } from "../client/informer/informer.ts";
import type { Lister } from "../client/informer/object-store.ts";
import { isReason } from "../client/status.ts";
import { deepEqual } from "../machinery/json/equal.ts";
import { Agenda } from "./agenda.ts";
import { PodRun } from "./pod-run.ts";
import { podStatus } from "./pod-status.ts";
import type { SimulatedNode } from "./simulated-node.ts";
import { behaviourOf, type CompiledStage } from "./stage.ts";
import type { Turnstile } from "./turnstile.ts";

export interface SimulatedPodsOptions {
  client: Client;
  clock: Clock;
  random: Random;
  stages: readonly CompiledStage[];
  lister: Lister<PodObject>;
  nodeOf: (name: string) => SimulatedNode | undefined;
  writes: Turnstile;
  failed: (what: string, error: unknown) => void;
}

interface Known {
  uid: string;
  node: SimulatedNode;
  run: PodRun;
  /** The version that its last write made: older ones are not worth a look. */
  version: number;
  writing: boolean;
  /** When its containers stop, once it is told to go. */
  stopAt: number | undefined;
  failures: number;
}

/** Milliseconds that a new node's pods wait for its network at the most. */
const NETWORK_WITHIN = 3000;
const RETRY = 500;
const LONGEST_RETRY = 30_000;

export class SimulatedPods {
  private readonly options: SimulatedPodsOptions;
  private readonly known = new Map<string, Known>();
  private readonly agenda: Agenda;
  private closed = false;

  constructor(options: SimulatedPodsOptions) {
    this.options = options;
    this.agenda = new Agenda(options.clock, (key) => this.look(key));
  }

  changed({ key, now }: Change<PodObject>): void {
    if (now) this.look(key);
    else this.forget(key);
  }

  /** What is due for a pod is done. */
  look(key: string): void {
    const slash = key.indexOf("/");
    const pod = this.options.lister.get(key.slice(0, slash), key.slice(slash + 1));
    if (!pod || this.closed) return;
    const known = this.knownOf(key, pod);
    if (!known || known.writing || Number(pod.metadata.resourceVersion) < known.version) return;
    const now = this.options.clock.now();
    const { run } = known;
    const leaving = pod.metadata.deletionTimestamp !== undefined;
    if (leaving && pod.metadata.deletionGracePeriodSeconds === 0) {
      // Only finalizers hold it.
      this.agenda.delete(key);
      return;
    }
    if (leaving) this.letGo(pod, known, now);
    const next = Math.min(run.advance(now), known.stopAt ?? Number.POSITIVE_INFINITY);
    this.agenda.set(key, leaving && run.ended ? Number.POSITIVE_INFINITY : next);
    const status = podStatus(
      pod,
      run,
      { hostIP: known.node.hostIP, podIPs: addressesOf(pod, known.node) },
      now,
    );
    const differs = !deepEqual(status, pod.status);
    if (differs || (leaving && run.ended)) void this.write(key, pod, known, differs ? status : undefined);
  }

  close(): void {
    this.closed = true;
    this.agenda.close();
  }

  private knownOf(key: string, pod: PodObject): Known | undefined {
    const node = this.options.nodeOf(pod.spec?.nodeName ?? "");
    const { uid = "" } = pod.metadata;
    const known = this.known.get(key);
    if (known && known.uid !== uid) this.forget(key);
    else if (known) return known.node.running ? known : undefined;
    if (!node?.running) return undefined;
    const { random, clock, stages } = this.options;
    const networkBy = node.registeredAt + NETWORK_WITHIN;
    if (!pod.spec?.hostNetwork && !node.addresses.known && clock.now() < networkBy) {
      this.agenda.set(key, networkBy);
      return undefined;
    }
    const run = new PodRun(pod, behaviourOf(pod, stages), random, clock.now());
    const made = { uid, node, run, version: 0, writing: false, stopAt: undefined, failures: 0 };
    this.known.set(key, made);
    return made;
  }

  private forget(key: string): void {
    const known = this.known.get(key);
    if (!known) return;
    known.node.addresses.release(known.uid);
    this.known.delete(key);
    this.agenda.delete(key);
  }

  /** Its containers are told to stop, and do so in their time or when their grace is over. */
  private letGo({ metadata }: PodObject, known: Known, now: number): void {
    const { run } = known;
    if (run.ended) return;
    const grace = Math.max(0, Date.parse(metadata.deletionTimestamp!) - now);
    known.stopAt ??= now + run.stopTime(grace);
    if (now < known.stopAt && grace > 0) return;
    run.stop(grace > 0 || known.stopAt <= now, now);
  }

  private async write(
    key: string,
    pod: PodObject,
    known: Known,
    status: PodObject["status"] | undefined,
  ): Promise<void> {
    const { client, writes, clock } = this.options;
    const { name, namespace = "", uid, resourceVersion } = pod.metadata;
    const pods = client.resource(Pod, namespace);
    known.writing = true;
    try {
      if (status) {
        const patch = { metadata: { uid, resourceVersion }, status };
        const written = await writes.pass(() =>
          pods.patch(name!, patch, { type: "merge", subresource: "status" }),
        );
        known.version = Number(written.metadata.resourceVersion);
      }
      if (pod.metadata.deletionTimestamp !== undefined && known.run.ended) {
        const options = { gracePeriodSeconds: 0, preconditions: { uid } };
        await writes.pass(() => pods.delete(name!, options));
        known.version = Number.POSITIVE_INFINITY;
      }
      known.failures = 0;
    } catch (error) {
      if (isReason(error, "NotFound")) known.version = Number.POSITIVE_INFINITY;
      else if (!this.closed) {
        if (!isReason(error, "Conflict")) this.options.failed(`pod ${key}`, error);
        const wait = Math.min(RETRY * 2 ** known.failures++, LONGEST_RETRY);
        this.agenda.set(key, clock.now() + wait);
      }
    }
    known.writing = false;
    // What changed meanwhile was not looked at.
    if (this.known.get(key) === known) this.look(key);
  }
}

/** An address once given stays, whatever becomes of the node's network. */
function addressesOf(
  { metadata, spec, status }: PodObject,
  { hostIP, addresses }: SimulatedNode,
): readonly string[] {
  if (spec?.hostNetwork) return [hostIP];
  const own = addresses.of(metadata.uid ?? "", status?.podIP);
  return status?.podIPs ? status.podIPs.map(({ ip }) => ip) : own;
}
