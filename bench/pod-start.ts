/**
 * How long a pod takes from its creation until a watcher sees it Ready, its image present: one at a time, and many at
 * once. On a node of the built program, with the container runtime's own calls beside it, which is the floor. As root.
 *
 *     node bench/pod-start.ts [--pods N] [--burst N] [--rounds N] [--installation DIRECTORY]
 */
import { loadavg } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type ContainerRuntime, openContainerRuntime } from "../src/kubelet/runtime/container-runtime.ts";
import { Pod } from "../src/testing/index.ts";
import { startTestNode, type TestNode } from "../test/node/harness/test-node.ts";

const { values } = parseArgs({
  options: {
    pods: { type: "string", default: "20" },
    burst: { type: "string", default: "30" },
    rounds: { type: "string", default: "1" },
    installation: { type: "string", default: fileURLToPath(new URL("..", import.meta.url)) },
  },
});

const NAMESPACE = "default";
const LABELS = { app: "pod-start" };

const WIDTH = 40;
let count = 0;

/** What else the machine does shows in all of them, the floor too. */
function load(): string {
  return `(load ${loadavg()[0]!.toFixed(1)})`;
}

function told(what: string, times: number[]): void {
  times.sort((a, b) => a - b);
  const at = (share: number): string =>
    times[Math.min(times.length - 1, Math.floor(times.length * share))]!.toFixed(0);
  console.log(what.padEnd(WIDTH), `p50 ${at(0.5)} ms, p99 ${at(0.99)} ms of ${times.length} ${load()}`);
}

/** A sandbox with one container in it, by the runtime's calls and nothing else. */
class Floor {
  readonly #node: TestNode;
  readonly #runtime: ContainerRuntime;
  readonly #sandboxes: string[] = [];

  constructor(node: TestNode) {
    this.#node = node;
    this.#runtime = openContainerRuntime(join(node.layout.containerd.run, "containerd.sock"));
  }

  async start(): Promise<number> {
    const name = `floor-${count++}`;
    const sandboxConfig = {
      metadata: { name, uid: name, namespace: NAMESPACE, attempt: 0 },
      linux: { cgroupParent: `${this.#node.layout.cgroupRoot}/floor/${name}` },
    };
    const began = performance.now();
    const { podSandboxId } = await this.#runtime.runPodSandbox({ config: sandboxConfig });
    const image = { image: this.#node.images.busybox };
    const config = { metadata: { name: "c" }, image, command: ["/bin/sleep", "3600"] };
    const { containerId } = await this.#runtime.createContainer({ podSandboxId, config, sandboxConfig });
    await this.#runtime.startContainer({ containerId });
    this.#sandboxes.push(podSandboxId);
    return performance.now() - began;
  }

  async removeAll(): Promise<void> {
    for (const podSandboxId of this.#sandboxes.splice(0)) {
      await this.#runtime.stopPodSandbox({ podSandboxId });
      await this.#runtime.removePodSandbox({ podSandboxId });
    }
  }

  /** Until the runtime has nothing left of any pod: what is removed from the API goes on using the machine a while. */
  async settled(): Promise<void> {
    while ((await this.#runtime.listPodSandbox({})).items.length > 0) await delay(100);
  }

  close(): void {
    this.#runtime.close();
  }
}

class Readiness {
  readonly #waiting = new Map<string, () => void>();
  readonly #node: TestNode;

  constructor(node: TestNode) {
    this.#node = node;
  }

  async follow(signal: AbortSignal): Promise<void> {
    const pods = this.#node.client.resource(Pod, NAMESPACE);
    const { metadata } = await pods.list({ limit: 1 });
    const options = { labelSelector: `app=${LABELS.app}`, resourceVersion: metadata.resourceVersion };
    for await (const { type, object } of pods.watch({ ...options, signal })) {
      if (type === "MODIFIED" && isReady(object)) this.#waiting.get(object.metadata.name!)?.();
    }
  }

  async start(): Promise<number> {
    const began = performance.now();
    const name = `pod-start-${count++}`;
    const ready = new Promise<void>((resolve) => this.#waiting.set(name, resolve));
    const container = { name: "c", image: this.#node.images.busybox, command: ["/bin/sleep", "3600"] };
    await this.#node.client.resource(Pod, NAMESPACE).create({
      metadata: { name, labels: LABELS },
      spec: { terminationGracePeriodSeconds: 0, containers: [container] },
    });
    await ready;
    return performance.now() - began;
  }

  /** Until nothing is left of them. */
  async removeAll(): Promise<void> {
    const pods = this.#node.client.resource(Pod, NAMESPACE);
    const { items, metadata } = await pods.list({ labelSelector: `app=${LABELS.app}` });
    const left = new Set(items.map((pod) => pod.metadata.name));
    const gone = (async () => {
      const options = { labelSelector: `app=${LABELS.app}`, resourceVersion: metadata.resourceVersion };
      if (left.size > 0)
        for await (const { type, object } of pods.watch(options))
          if (type === "DELETED" && left.delete(object.metadata.name) && left.size === 0) return;
    })();
    await Promise.all([...left].map((name) => pods.delete(name!, { gracePeriodSeconds: 0 })));
    await gone;
  }
}
function isReady({ status }: Pod): boolean {
  return status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}

async function alone(what: string, pods: number, start: () => Promise<number>): Promise<void> {
  const times: number[] = [];
  for (let i = 0; i < pods; i++) times.push(await start());
  told(`${what}, one at a time`, times);
}

async function together(what: string, start: () => Promise<number>): Promise<void> {
  const began = performance.now();
  await Promise.all(Array.from({ length: Number(values.burst) }, start));
  const whole = (performance.now() - began) / 1000;
  console.log(`${what}, ${values.burst} at once`.padEnd(WIDTH), `all after ${whole.toFixed(2)} s ${load()}`);
}

await using node = await startTestNode({ installation: values.installation });
const ending = new AbortController();
const readiness = new Readiness(node);
const following = readiness.follow(ending.signal).catch((error: unknown) => {
  if (!ending.signal.aborted) throw error;
});
const floor = new Floor(node);
for (let round = 0; round < Number(values.rounds); round++) {
  for (const [what, pods] of [
    [floor, Number(values.pods) / 4],
    [readiness, Number(values.pods)],
  ] as const) {
    const name = what === floor ? "runtime's calls alone" : "pod created → Ready";
    await alone(name, pods, () => what.start());
    await what.removeAll();
    await floor.settled();
    await together(name, () => what.start());
    await what.removeAll();
    await floor.settled();
  }
}
floor.close();
ending.abort();
await following;
