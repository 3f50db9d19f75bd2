/**
 * This machine as a Node of the cluster: registered at the start, its status told when it changes and every five minutes,
 * its lease renewed every ten seconds, if nothing else is said.
 *
 *   const node = startNode({ nodeName, client, runtime, … });
 *   await node.registered;
 *
 * What the kubelet's parts know comes in as functions, asked when the status is made; whoever knows of a change calls
 * `changed`. A Node that users delete comes back with the next start of the kubelet, not before.
 */
import { Node, type Taint } from "../../api/core/node.ts";
import type { ContainerImage, Node as NodeObject, NodeStatus } from "../../api/schema/core.v1.generated.ts";
import type { Clock } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import { Backoff } from "../../client/backoff.ts";
import type { Client } from "../../client/client.ts";
import type { EventRecorder } from "../../client/events/event-recorder.ts";
import { Informer } from "../../client/informer/informer.ts";
import { isReason } from "../../client/status.ts";
import { wait } from "../../client/wait.ts";
import type { MachineFacts } from "../../host/machine/machine-facts.ts";
import type { Reservations } from "../resources/reservations.ts";
import type { ContainerRuntime } from "../runtime/container-runtime.ts";
import { conditionEvents, nodeConditions, type Pressure } from "./node-conditions.ts";
import { NodeLease } from "./node-lease.ts";
import { defaultLabels, isRebooted, nodeStatus, statusPatch } from "./node-status.ts";
import { RuntimeHealth } from "./runtime-health.ts";

export interface NodeOptions {
  nodeName: string;
  /** Of the label kubernetes.io/hostname and the address of type Hostname. */
  hostname: string;
  /** Acts as the user system:node:NAME of the group system:nodes. */
  client: Client;
  runtime: Pick<ContainerRuntime, "status" | "version">;
  machine: MachineFacts;
  /** Asked every ten seconds: a machine may get another address. */
  addresses: () => readonly string[];
  /** Bytes of the file system that holds pods' volumes and logs. */
  storageBytes: () => Promise<number>;
  kubeletVersion: string;
  /** The port of the kubelet's own server. */
  port?: () => number | undefined;
  maxPods?: number;
  reservations?: Reservations;
  /** Whether a control group holds all pods to what is allocatable, which users are told. */
  podsAreLimited?: boolean;
  /** Upstream's --node-labels, --register-with-taints and --provider-id. */
  labels?: Readonly<Record<string, string>>;
  annotations?: Readonly<Record<string, string>>;
  taints?: readonly Taint[];
  providerID?: string;
  unschedulable?: boolean;
  /** Milliseconds between two looks at what nobody tells of: ten seconds. */
  statusPeriod?: number;
  /** Milliseconds after which an unchanged status is told: five minutes. */
  reportPeriod?: number;
  /** How long the lease holds: 40. */
  leaseSeconds?: number;
  declaredFeatures?: readonly string[];
  images?: () => Promise<ContainerImage[]>;
  volumesInUse?: () => readonly string[];
  pressure?: () => Pressure;
  /** Why no pods can run now, beyond what the container runtime says: `PLEG is not healthy: …`, `node is shutting down`. */
  problems?: () => readonly string[];
  events: EventRecorder;
  clock: Clock;
  random: Random;
  log?: (level: "info" | "warn" | "error", text: string, facts?: Record<string, unknown>) => void;
}

export interface KubeletNode {
  /** Resolves when the server has the Node; it is tried until then. */
  readonly registered: Promise<void>;
  /** Whether the container runtime works, as it said last. */
  readonly runtimeErrors: readonly string[];
  /** As the server has it; undefined before it was registered. */
  readonly object: NodeObject | undefined;
  /** Something that the status tells is another than before. */
  changed(): void;
  stop(): Promise<void>;
}

// Milliseconds, upstream's but for the images.
const STATUS_PERIOD = 10_000;
const REPORT_PERIOD = 5 * 60_000;
const IMAGES_WITHIN = 5_000;
const REGISTER_FIRST = 100;
const REGISTER_LONGEST = 7_000;

const LEASE_SECONDS = 40;
/** What of the time that the lease holds passes before it is renewed. */
const LEASE_PART = 0.25;

const ATTACH_DETACH = "volumes.kubernetes.io/controller-managed-attach-detach";
const NO_PRESSURE: Pressure = { memory: false, disk: false, pid: false };
const MAX_PODS = 110;

export function startNode(options: NodeOptions): KubeletNode {
  const node = new RunningNode(options);
  node.start();
  return node;
}

class RunningNode implements KubeletNode {
  private readonly options: NodeOptions;
  private readonly health: RuntimeHealth;
  private readonly informer: Informer<Node>;
  private readonly lease: NodeLease;
  private readonly stopping = new AbortController();
  private readonly stopped = Promise.withResolvers<void>();
  private readonly known = Promise.withResolvers<void>();
  private readonly timers = new Map<string, () => void>();
  private reportedAt = 0;
  /** Set while the status is being told; `again`: something changed meanwhile. */
  private telling: Promise<void> | undefined;
  private again = false;
  private written: NodeObject | undefined;

  constructor(options: NodeOptions) {
    this.options = options;
    const { client, clock, random, runtime, nodeName, leaseSeconds = LEASE_SECONDS } = options;
    this.health = new RuntimeHealth({ runtime, clock, changed: () => this.changed() });
    this.lease = new NodeLease(client, clock, nodeName, leaseSeconds);
    this.informer = new Informer<Node>({
      client: client.resource(Node),
      select: { fieldSelector: `metadata.name=${nodeName}` },
      clock,
      random,
    });
  }

  get registered(): Promise<void> {
    return this.known.promise;
  }

  get runtimeErrors(): readonly string[] {
    return this.health.errors;
  }

  get object(): NodeObject | undefined {
    return (this.informer.lister.get("", this.options.nodeName) as NodeObject | undefined) ?? this.written;
  }

  start(): void {
    this.tell("Normal", "Starting", "Starting kubelet.");
    if (this.options.podsAreLimited) {
      this.tell("Normal", "NodeAllocatableEnforced", "Updated Node Allocatable limit across pods");
    }
    void (async () => {
      // A node that is registered with what its runtime said is ready at once where that is well.
      await this.health.start();
      await this.register();
      if (this.stopping.signal.aborted) return;
      this.informer.subscribe(() => this.changed());
      this.informer.start();
      this.known.resolve();
      void this.renewLease();
      this.keepStatus();
    })();
  }

  changed(): void {
    if (this.written === undefined || this.stopping.signal.aborted) return;
    this.again = true;
    this.telling ??= this.tellStatus().finally(() => (this.telling = undefined));
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    this.stopped.resolve();
    this.health.stop();
    for (const cancel of this.timers.values()) cancel();
    await Promise.all([this.informer.stop(), this.telling]);
  }

  private async register(): Promise<void> {
    const { clock, random } = this.options;
    const backoff = new Backoff({ first: REGISTER_FIRST, longest: REGISTER_LONGEST }, random);
    while (!this.stopping.signal.aborted) {
      try {
        this.written = await this.registerOnce();
        this.reportedAt = clock.now();
        this.tellEvents(this.written.status?.conditions ?? []);
        return;
      } catch (error) {
        const { nodeName, log } = this.options;
        log?.("warn", "the node could not be registered; it is tried again", {
          node: nodeName,
          error: String(error),
        });
        await wait(clock, backoff.next(), this.stopping.signal);
      }
    }
  }

  private async registerOnce(): Promise<NodeObject> {
    const { client, nodeName, hostname, machine, taints = [], providerID, unschedulable } = this.options;
    const nodes = client.resource(Node);
    const labels = { ...defaultLabels(machine, hostname), ...this.options.labels };
    const annotations = { [ATTACH_DETACH]: "true", ...this.options.annotations };
    const spec = {
      ...(taints.length > 0 ? { taints: [...taints] } : {}),
      ...(providerID ? { providerID } : {}),
      ...(unschedulable ? { unschedulable } : {}),
    };
    const status = (await this.status(undefined)) as Node["status"];
    try {
      return (await nodes.create({
        metadata: { name: nodeName, labels, annotations },
        spec,
        status,
      })) as NodeObject;
    } catch (error) {
      if (!isReason(error, "AlreadyExists")) throw error;
    }
    const before = (await nodes.get(nodeName)) as NodeObject;
    const missing = Object.entries(labels).some(([name, value]) => before.metadata.labels?.[name] !== value);
    const unannotated = before.metadata.annotations?.[ATTACH_DETACH] !== "true";
    if (missing || unannotated)
      await nodes.patch(nodeName, { metadata: { labels, annotations } }, { type: "merge" });
    if (isRebooted(before, machine)) {
      this.tell("Warning", "Rebooted", `Node ${nodeName} has been rebooted, boot id: ${machine.bootID}`);
    }
    const patch = statusPatch(before.status, await this.status(before));
    if (patch === undefined) return before;
    const options = { type: "strategic", subresource: "status" } as const;
    return (await nodes.patch(nodeName, { status: patch }, options)) as NodeObject;
  }

  /** What the node is to tell of itself now. */
  private async status(before: NodeObject | undefined): Promise<NodeStatus> {
    const { options, health } = this;
    const now = options.clock.now();
    const network = health.networkError;
    const problems = [
      ...health.errors,
      ...(network === undefined ? [] : [network]),
      ...(options.problems?.() ?? []),
    ];
    const [storageBytes, images] = await Promise.all([options.storageBytes(), this.images(before)]);
    return nodeStatus(
      {
        machine: options.machine,
        hostname: options.hostname,
        addresses: options.addresses(),
        storageBytes,
        maxPods: options.maxPods ?? MAX_PODS,
        reservations: options.reservations ?? {},
        kubeletVersion: options.kubeletVersion,
        runtimeVersion: health.version || (before?.status?.nodeInfo?.containerRuntimeVersion ?? ""),
        runtimeHandlers: health.handlers,
        supplementalGroupsPolicy: health.features?.supplementalGroupsPolicy,
        declaredFeatures: options.declaredFeatures ?? [],
        port: options.port?.(),
        images,
        volumesInUse: options.volumesInUse?.() ?? [],
        conditions: nodeConditions(
          options.pressure?.() ?? NO_PRESSURE,
          problems,
          before?.status?.conditions ?? [],
          now,
        ),
      },
      before?.status,
    );
  }

  /** Those known last where the runtime cannot be asked, or is slow: the status tells of that. */
  private async images(before: NodeObject | undefined): Promise<ContainerImage[]> {
    const { images, clock } = this.options;
    const known = before?.status?.images ?? [];
    if (images === undefined || this.health.errors.length > 0) return known;
    const late = Promise.withResolvers<ContainerImage[]>();
    const cancel = clock.setTimer(IMAGES_WITHIN, () => late.resolve(known));
    return Promise.race([images().catch(() => known), late.promise]).finally(cancel);
  }

  private async tellStatus(): Promise<void> {
    const { client, clock, nodeName, log } = this.options;
    while (this.again && !this.stopping.signal.aborted) {
      this.again = false;
      const before = this.object;
      if (before === undefined) return;
      try {
        const wanted = await this.status(before);
        const isDue = clock.now() - this.reportedAt >= (this.options.reportPeriod ?? REPORT_PERIOD);
        const changes = statusPatch(before.status, wanted);
        if (changes === undefined && !isDue) continue;
        // Conditions go with every report: they say when they were last looked at.
        const patch = { status: { ...changes, conditions: wanted.conditions } };
        const options = { type: "strategic", subresource: "status" } as const;
        const after = (await client.resource(Node).patch(nodeName, patch, options)) as NodeObject;
        this.reportedAt = clock.now();
        this.tellEvents(wanted.conditions ?? [], before);
        this.written = after;
        const { resourceVersion } = after.metadata;
        // What is seen next must not be older than what was written, or it would be written again.
        await this.informer.until(
          () => this.stopping.signal.aborted || hasSeen(this.informer, resourceVersion),
        );
      } catch (error) {
        if (isReason(error, "NotFound")) return;
        log?.("warn", "the node's status could not be told; it is tried again", { error: String(error) });
      }
    }
  }

  private tellEvents(now: NonNullable<NodeStatus["conditions"]>, before?: NodeObject): void {
    for (const reason of conditionEvents(before?.status?.conditions ?? [], now)) {
      this.tell("Normal", reason, `Node ${this.options.nodeName} status is now: ${reason}`);
    }
  }

  private tell(type: "Normal" | "Warning", reason: string, note: string): void {
    const { events, nodeName } = this.options;
    events.record({ kind: "Node", name: nodeName, uid: nodeName }, type, reason, note);
  }

  /** Some of what the status tells changes without a word: addresses, sizes, that the runtime went on being silent. */
  private keepStatus(): void {
    this.changed();
    this.timer("status", this.options.statusPeriod ?? STATUS_PERIOD, () => this.keepStatus());
  }

  private async renewLease(): Promise<void> {
    const { clock, random, log } = this.options;
    const backoff = new Backoff({ first: REGISTER_FIRST * 2, longest: REGISTER_LONGEST }, random);
    for (let isKept = false; !isKept && !this.stopping.signal.aborted; ) {
      try {
        await this.lease.renew(this.object);
        isKept = true;
      } catch (error) {
        log?.("warn", "the node's lease could not be renewed; it is tried again", { error: String(error) });
        await wait(clock, backoff.next(), this.stopping.signal);
      }
    }
    // Many nodes that start at once must not renew at once for ever.
    const period = (this.options.leaseSeconds ?? LEASE_SECONDS) * 1000 * LEASE_PART;
    this.timer("lease", period * (1 + 0.04 * random()), () => void this.renewLease());
  }

  private timer(name: string, ms: number, fire: () => void): void {
    if (!this.stopping.signal.aborted) this.timers.set(name, this.options.clock.setTimer(ms, fire));
  }
}

function hasSeen(informer: Informer<Node>, resourceVersion: string | undefined): boolean {
  return informer.revision >= Number(resourceVersion);
}
