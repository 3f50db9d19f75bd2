/**
 * Nodes without machines: they register, send heartbeats and take their pods through their phases, by a Client alone.
 *
 *   shapes ──▶ Nodes, Leases ──▶ (scheduler binds) ──▶ pods of these nodes ──▶ status, deletion
 */
import { Node } from "../api/core/node.ts";
import { Pod } from "../api/core/pods.ts";
import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import { Backoff } from "../client/backoff.ts";
import type { Client } from "../client/client.ts";
import type { Change } from "../client/informer/informer.ts";
import { Informers } from "../client/informer/informers.ts";
import { wait } from "../client/wait.ts";
import { formatIP, parseIP } from "../machinery/names/ip-address.ts";
import { Agenda } from "./agenda.ts";
import { type NodeShape, SIMULATED } from "./node-shape.ts";
import { HEARTBEAT, SimulatedNode } from "./simulated-node.ts";
import { SimulatedPods } from "./simulated-pods.ts";
import { compileStages, type Stage } from "./stage.ts";
import { Turnstile } from "./turnstile.ts";

export interface SimulationOptions {
  /** May do what kubelets may, for all nodes: an administrator. */
  client: Client;
  clock: Clock;
  /** All delays, jitter and failures come from it. */
  random: Random;
  nodes: readonly NodeShape[];
  /** Those of other components of the process, which stop them; its own by default. */
  informers?: Informers;
  /** What pods do, before DEFAULT_STAGES. */
  stages?: readonly Stage[];
  /**
   * Off: no leases, no reports. For clusters without the node lifecycle controller, in which a month should pass in a
   * moment; the taint that such a controller would take off is taken off at the start.
   */
  heartbeats?: boolean;
  kubeletVersion?: string;
  /** Told of what failed; it is tried again. */
  failed?: (what: string, error: unknown) => void;
}

export interface Simulation {
  readonly nodes: ReadonlyMap<string, SimulatedNode>;
  /** Resolves when the nodes given at the start are registered. */
  readonly ready: Promise<void>;
  add(shapes: readonly NodeShape[]): Promise<void>;
  /** A node loses its power: no heartbeats, and its pods stay as they are. */
  halt(name: string): void;
  /** It comes back. */
  resume(name: string): void;
  /** Ends watches and timers; Nodes and pods stay. */
  stop(): Promise<void>;
}

const KUBELET_VERSION = "v1.36.2";
/** Writes under way at the same time. */
const WRITES = 64;
const HEARTBEATS = 16;
/** Heartbeats come in steps of so many milliseconds, so that few timers serve many nodes. */
const STEP = 100;
const HOSTS = parseIP("172.16.0.0")!.value;
const NOT_READY = "node.kubernetes.io/not-ready";

export function startSimulation(options: SimulationOptions): Simulation {
  const { client, clock, random, heartbeats = true, kubeletVersion = KUBELET_VERSION } = options;
  const failed = options.failed ?? (() => {});
  const nodes = new Map<string, SimulatedNode>();
  const writes = new Turnstile(WRITES);
  const beats = new Turnstile(HEARTBEATS);
  const own = options.informers
    ? undefined
    : new Informers({ client, clock, random, failed: ({ plural }, error) => failed(plural, error) });
  // What others use too shows everything; its own only what matters here.
  const pods = options.informers?.of(Pod) ?? own!.of(Pod, { fieldSelector: "spec.nodeName!=" });
  const objects = options.informers?.of(Node) ?? own!.of(Node, { labelSelector: `${SIMULATED}=true` });
  pods.addIndex("nodeName", ({ spec }) => (spec?.nodeName ? [spec.nodeName] : []));
  const stages = compileStages(options.stages ?? []);
  const running = new SimulatedPods({
    client,
    clock,
    random,
    stages,
    lister: pods.lister,
    nodeOf: (name) => nodes.get(name),
    writes,
    failed,
  });
  const beat = (node: SimulatedNode): void => {
    if (node.running) void beats.pass(() => node.heartbeat()).catch((error) => failed(node.name, error));
  };
  const agenda = new Agenda(clock, (name) => {
    agenda.set(name, clock.now() + HEARTBEAT);
    beat(nodes.get(name)!);
  });
  const lookAll = (node: SimulatedNode): void => {
    for (const { metadata } of pods.lister.by("nodeName", node.name)) {
      running.look(`${metadata.namespace}/${metadata.name}`);
    }
  };
  const followNode = ({ now, was }: Change<Node>): void => {
    const node = nodes.get((now ?? was)?.metadata.name ?? "");
    if (!node) return;
    node.object = now;
    const { podCIDRs = [] } = now?.spec ?? {};
    const addressed = node.addresses.known;
    node.addresses.networks = podCIDRs;
    if (!addressed && node.addresses.known) lookAll(node);
    if (now && node.running && heartbeats && !isReady(now)) {
      void beats.pass(() => node.report()).catch((error) => failed(node.name, error));
    }
  };
  const left = [objects.subscribe(followNode), pods.subscribe((change) => running.changed(change))];
  objects.start();
  pods.start();
  const stopping = new AbortController();
  const persistently = async (write: () => Promise<void>): Promise<void> => {
    const backoff = new Backoff({ first: 200, longest: 10_000, jitter: 1 }, random);
    while (!stopping.signal.aborted) {
      try {
        return await writes.pass(write);
      } catch (error) {
        failed("registration", error);
        await wait(clock, backoff.next(), stopping.signal);
      }
    }
  };
  const add = async (shapes: readonly NodeShape[]): Promise<void> => {
    const made = shapes.map((shape) => {
      const hostIP = formatIP({ family: 4, value: HOSTS + BigInt(nodes.size + 1) });
      const node = new SimulatedNode(shape, hostIP, nodes.size, { client, clock, kubeletVersion });
      nodes.set(shape.name, node);
      return node;
    });
    await Promise.all(
      made.map(async (node, i) => {
        await persistently(() => node.register());
        if (!heartbeats) return persistently(() => untaint(client, node));
        await persistently(() => node.heartbeat());
        if (stopping.signal.aborted) return;
        const spread = Math.ceil((HEARTBEAT * (i + 1)) / made.length / STEP) * STEP;
        agenda.set(node.name, clock.now() + spread);
        lookAll(node);
      }),
    );
  };
  const ready = add(options.nodes);
  return {
    nodes,
    ready,
    add,
    halt(name) {
      nodes.get(name)!.running = false;
    },
    resume(name) {
      const node = nodes.get(name)!;
      if (node.running) return;
      node.running = true;
      if (heartbeats) {
        beat(node);
        void beats.pass(() => node.report()).catch((error) => failed(node.name, error));
      }
      lookAll(node);
    },
    async stop() {
      stopping.abort();
      agenda.close();
      running.close();
      for (const leave of left) leave();
      await own?.stop();
    },
  };
}

function isReady({ status }: Node): boolean {
  return status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}

/** What the node lifecycle controller does once a node is ready. */
async function untaint(client: Client, { name, object }: SimulatedNode): Promise<void> {
  const taints = object?.spec?.taints ?? [];
  if (!taints.some(({ key }) => key === NOT_READY)) return;
  const rest = taints.filter(({ key }) => key !== NOT_READY);
  await client.resource(Node).patch(name, { spec: { taints: rest } }, { type: "merge" });
}
