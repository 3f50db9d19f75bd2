/** Nodes and pods for tests of plugins, without a cache or a server. */
import type { Node } from "../../api/core/node.ts";
import type { Pod } from "../../api/core/pods.ts";
import type { KubeObject } from "../../api/object.ts";
import type { PodSpec, PodStatus } from "../../api/schema/core.v1.generated.ts";
import { VirtualClock } from "../../base/clock.ts";
import { openClient } from "../../client/client.ts";
import { silentRecorder } from "../../client/events/event-recorder.ts";
import { Informers } from "../../client/informer/informers.ts";
import type { ResourceKind } from "../../client/resource-client.ts";
import type { TransportRequest } from "../../client/transport.ts";
import { NodeInfo } from "../framework/node-info.ts";
import type {
  Cycle,
  NodeFilter,
  NodeScore,
  Nodes,
  Plugin,
  PluginContext,
  PluginDeclaration,
} from "../framework/plugin.ts";
import { PodInfo } from "../framework/pod-info.ts";
import type { Rejection } from "../framework/rejection.ts";

export function nodeNamed(
  name: string,
  labels: Record<string, string> = {},
  more: { spec?: Node["spec"]; status?: Node["status"] } = {},
): Node {
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, labels: { "kubernetes.io/hostname": name, ...labels } },
    spec: more.spec ?? {},
    status: { allocatable: { cpu: "4", memory: "16Gi", pods: "110" }, ...more.status },
  };
}

let made = 0;

export function podNamed(
  name: string,
  spec: Partial<PodSpec> = {},
  more: { namespace?: string; labels?: Record<string, string>; status?: PodStatus; uid?: string } = {},
): Pod {
  const { namespace = "default", labels, status } = more;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace, uid: more.uid ?? `uid-${name}-${++made}`, labels, generation: 1 },
    spec: { containers: [{ name: "main", image: "main:1" }], ...spec },
    status,
  };
}

/** A container with requests. */
export function asking(requests: Record<string, string>): Pick<PodSpec, "containers"> {
  return { containers: [{ name: "main", image: "main:1", resources: { requests } }] };
}

export class TestNodes implements Nodes {
  list: readonly NodeInfo[];

  constructor(nodes: readonly Node[], pods: readonly Pod[] = []) {
    this.list = nodes.map((node) => new NodeInfo(node));
    for (const pod of pods) this.add(pod);
  }

  get generations(): Int32Array {
    return Int32Array.from(this.list, ({ generation }) => generation);
  }

  get(name: string): NodeInfo | undefined {
    return this.list.find((node) => node.name === name);
  }

  at(name: string): NodeInfo {
    const node = this.get(name);
    if (!node) throw new Error(`there is no node ${name}`);
    return node;
  }

  get withAffinity(): Iterable<NodeInfo> {
    return this.list.filter(({ podsWithAffinity }) => podsWithAffinity.size > 0);
  }

  get withRequiredAntiAffinity(): Iterable<NodeInfo> {
    return this.list.filter(({ podsWithRequiredAntiAffinity }) => podsWithRequiredAntiAffinity.size > 0);
  }

  add(pod: Pod): PodInfo {
    const info = new PodInfo(pod);
    this.at(pod.spec?.nodeName ?? "").addPod(info);
    return info;
  }

  /** The same pods on new nodes. */
  copy(): TestNodes {
    const copy = new TestNodes([]);
    copy.list = this.list.map((node) => node.clone());
    return copy;
  }
}

export interface TestContext extends PluginContext {
  clock: VirtualClock;
  /** What was sent, in order. */
  requests: { method: string; path: string; body: unknown }[];
}

/** A watch that brings this and then nothing until it is stopped. */
async function* thenWait(bytes: Uint8Array, signal: AbortSignal | undefined): AsyncGenerator<Uint8Array> {
  yield bytes;
  await new Promise((_, refuse) => {
    signal?.addEventListener("abort", () => refuse(signal.reason));
  });
}

/** Informers hold `objects`, by plural; requests are answered with what was sent. */
export async function contextOf(
  objects: Readonly<Record<string, readonly KubeObject[]>> = {},
  nodes: Nodes = new TestNodes([]),
): Promise<TestContext> {
  const requests: TestContext["requests"] = [];
  const clock = new VirtualClock();
  const encoder = new TextEncoder();
  const client = openClient({
    async request({ method, path, body }: TransportRequest) {
      const plural = path.split("/").at(-1) ?? "";
      const sent = body === undefined ? undefined : JSON.parse(String(body));
      if (method !== "GET") requests.push({ method, path, body: sent });
      const answer =
        method === "GET"
          ? { kind: "List", metadata: { resourceVersion: "1" }, items: objects[plural] ?? [] }
          : (sent ?? {});
      return {
        status: 200,
        headers: { "content-type": "application/json" },
        body: encoder.encode(JSON.stringify(answer)),
      };
    },
    async stream({ path, signal }) {
      const events = (objects[path.split("/").at(-1) ?? ""] ?? []).map((object) => ({
        type: "ADDED",
        object: { ...object, metadata: { resourceVersion: "1", ...object.metadata } },
      }));
      const annotations = { "k8s.io/initial-events-end": "true" };
      const end = { type: "BOOKMARK", object: { metadata: { resourceVersion: "1", annotations } } };
      const text = [...events, end].map((event) => `${JSON.stringify(event)}\n`).join("");
      return { status: 200, headers: {}, body: thenWait(encoder.encode(text), signal), close() {} };
    },
    close: async () => {},
  });
  const informers = new Informers({ client, clock, random: () => 0 });
  return {
    client,
    informers,
    clock,
    random: () => 0,
    events: silentRecorder,
    nodes,
    waiting: { allow() {}, refuse() {} },
    reconsider() {},
    profile: "default-scheduler",
    requests,
  };
}

/** Starts informers and waits for their pictures; stop them with `context.informers.stop()`. */
export async function synced(context: PluginContext, ...resources: readonly ResourceKind[]): Promise<void> {
  for (const resource of resources) {
    const informer = context.informers.of(resource);
    informer.start();
    await informer.synced;
  }
}

export async function startPlugin(
  declaration: PluginDeclaration,
  given?: Record<string, unknown>,
  context?: PluginContext,
): Promise<Plugin> {
  const args = declaration.arguments?.(given);
  return declaration.start(context ?? (await contextOf()), args);
}

export function cycleOf(pod: Pod, nodes: Nodes, now = 1_700_000_000_000): Cycle {
  return { info: new PodInfo(pod), pod, nodes, now, state: new Map() };
}

/** What the plugin says of each node: undefined where it will do. A rejection of the pod stands for all nodes. */
export function judge(plugin: Plugin, cycle: Cycle): Record<string, Rejection | undefined> {
  const prepared = plugin.prepareFilter?.(cycle);
  return Object.fromEntries(
    cycle.nodes.list.map((node) => [
      node.name,
      prepared && "reasons" in prepared ? prepared : prepared?.filter(node),
    ]),
  );
}

export function reasons(plugin: Plugin, cycle: Cycle): Record<string, string | undefined> {
  const judged = judge(plugin, cycle);
  return Object.fromEntries(Object.entries(judged).map(([name, why]) => [name, why?.reasons.join()]));
}

export function isFilter(prepared: NodeFilter | Rejection | undefined): prepared is NodeFilter {
  return prepared !== undefined && "filter" in prepared;
}

/** The plugin's scores after normalization; undefined where it has no opinion. */
export function scores(plugin: Plugin, cycle: Cycle): Record<string, number> | undefined {
  const nodes = cycle.nodes.list;
  const prepared = plugin.prepareScore?.(cycle, nodes);
  return prepared && scoresBy(prepared, nodes);
}

function scoresBy(prepared: NodeScore, nodes: readonly NodeInfo[]): Record<string, number> {
  const values = Float64Array.from(nodes, (node) => prepared.score(node));
  prepared.normalize?.(values, nodes);
  return Object.fromEntries(nodes.map(({ name }, i) => [name, values[i]!]));
}

/** Whether a change of that kind lets a pod in that the plugin rejected, by its hints. */
export function mayHelp(
  plugin: Plugin,
  plural: string,
  waiting: Pod,
  change: { now?: KubeObject; was?: KubeObject },
): boolean {
  return (plugin.requeue ?? []).some(
    ({ resource, mayHelp: helps }) =>
      resource.plural === plural && (helps?.({ ...change, waiting: new PodInfo(waiting) }) ?? true),
  );
}
