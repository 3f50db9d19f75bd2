/**
 * A control plane in this process, a containerd of its own, and the kubelet's API over pods that are run by the CRI alone:
 * what streams go through, without the rest of the kubelet.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { Pod } from "../../src/api/core/pod/pod.ts";
import type { Container, ContainerState, ContainerStatus } from "../../src/api/schema/core.v1.generated.ts";
import { systemClock } from "../../src/base/clock.ts";
import type { Client } from "../../src/client/client.ts";
import { makeKubeconfig } from "../../src/cluster/kubeconfig/kubeconfig.ts";
import type { PKI } from "../../src/cluster/pki/ensure-pki.ts";
import { ContainerEnds } from "../../src/kubelet/pods/container-ends.ts";
import { followRuntime } from "../../src/kubelet/pods/runtime-events.ts";
import type { RunningPods } from "../../src/kubelet/ports.ts";
import { type ContainerRuntime, openContainerRuntime } from "../../src/kubelet/runtime/container-runtime.ts";
import { startKubeletServer } from "../../src/kubelet/server/kubelet-server.ts";
import type { KubeletServer } from "../../src/kubelet/server/options.ts";
import { type ControlPlane, NODE, startControlPlane } from "../contract/streaming/control-plane.ts";
import { unpackTools } from "../e2e/tools.ts";
import { startContainerd } from "./harness/containerd.ts";
import { BUSYBOX } from "./harness/images.ts";
import { inReverse } from "./harness/in-reverse.ts";

export interface StreamingCluster {
  plane: ControlPlane;
  client: Client;
  pki: PKI;
  url: string;
  port: number;
  kubelet: KubeletServer;
  runtime: ContainerRuntime;
  /** Where the logs of pods are. */
  podLogs: string;
  directory: string;
  /** A kubeconfig of the user; by default the administrator's. */
  kubeconfig(name: string, groups?: readonly string[]): Promise<string>;
  kubectl(args: readonly string[], options?: KubectlOptions): ChildProcess;
  /** Runs kubectl to its end. */
  run(args: readonly string[], options?: KubectlOptions): Promise<Ran>;
  runPod(name: string, containers: readonly TestContainer[]): Promise<RunningPod>;
  /** Brings the status of the pod's containers up to date with the runtime. */
  refresh(name: string): Promise<void>;
  /** Resolves when something in the pod listens there. */
  listens(pod: RunningPod, port: number): Promise<void>;
  podIP(name: string): Promise<string>;
  /** Tells of the pod's container what is not so. */
  setState(name: string, container: string, state: ContainerState): Promise<void>;
}

export interface KubectlOptions {
  input?: Buffer | string;
  env?: Readonly<Record<string, string>>;
  kubeconfig?: string;
}

export interface Ran {
  code: number | null;
  stdout: Buffer;
  stderr: string;
}

export interface TestContainer {
  name: string;
  command: readonly string[];
  stdin?: boolean;
  tty?: boolean;
  ports?: { containerPort: number }[];
}

export interface RunningPod {
  uid: string;
  sandbox: string;
  /** By the containers' names. */
  containers: ReadonlyMap<string, string>;
}

export async function startStreamingCluster(test: Pick<TestContext, "after">): Promise<StreamingCluster> {
  const t = inReverse(test);
  const directory = await mkdtemp(join(tmpdir(), "kybern-streams-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const podLogs = join(directory, "pods");
  await mkdir(podLogs);
  const containerd = await startContainerd(t);
  const runtime = openContainerRuntime(containerd.socket);
  t.after(() => runtime.close());
  const plane = await startControlPlane(t);
  const { client, pki } = plane;
  const pods = new ByHand(client, runtime, podLogs);
  const ends = new ContainerEnds({ runtime, clock: systemClock });
  const events = followRuntime({
    ...{ runtime, runtimeName: "containerd", socket: containerd.socket, clock: systemClock, log: () => {} },
    changed: (id, what) => {
      if (what === "ended") ends.told(id);
    },
    relist: async () => ends.look(),
  });
  t.after(() => events.stop());
  const kubelet = await startKubeletServer({
    nodeName: NODE,
    address: "127.0.0.1",
    port: 0,
    certificate: plane.kubeletCertificate(),
    clientCA: pki.ca.certificate,
    client: plane.clientAs(`system:node:${NODE}`, ["system:nodes"]),
    clock: systemClock,
    pods,
    runtime,
    paths: { podLogs, systemLogs: undefined },
    containerEnded: (id, signal) => ends.of(id, signal),
    documents: {
      summary: (only) => ({ node: { nodeName: NODE }, only }),
      metrics: () => "kubelet_up 1\n",
      cadvisorMetrics: () => "container_up 1\n",
      resourceMetrics: () => "resource_up 1\n",
      probeMetrics: () => "probe_up 1\n",
      configuration: () => ({ kind: "KubeletConfiguration" }),
    },
    log: () => {},
  });
  t.after(() => kubelet.close());
  await plane.createNode(NODE, kubelet.port);
  const tools = await unpackTools();
  const issued = new Map<string, string>();
  const kubeconfig = async (name: string, groups: readonly string[] = []): Promise<string> => {
    const known = issued.get(name);
    if (known !== undefined) return known;
    const pair = plane.issue(name, groups);
    const config = makeKubeconfig({ server: plane.url, ca: pki.ca.certificate, ...pair });
    const path = join(directory, `${name}.conf`);
    await writeFile(path, JSON.stringify(config), { mode: 0o600 });
    issued.set(name, path);
    return path;
  };
  const admin = await kubeconfig("admin", ["system:masters"]);
  const kubectl: StreamingCluster["kubectl"] = (args, options = {}) =>
    spawn(tools.kubectl, args, {
      env: {
        PATH: process.env.PATH,
        HOME: directory,
        KUBECONFIG: options.kubeconfig ?? admin,
        ...options.env,
      },
      cwd: directory,
    });
  return {
    ...{ plane, client, pki, url: plane.url, port: plane.port, kubelet, runtime, podLogs, directory },
    ...{ kubeconfig, kubectl },
    run: (args, options) => ranToEnd(kubectl(args, options), options?.input),
    runPod: (name, containers) => pods.run(name, containers),
    refresh: (name) => pods.refresh(name),
    listens: (pod, port) => listens(runtime, pod, port),
    podIP: async (name) => (await client.resource(Pod, "default").get(name)).status?.podIP ?? "",
    setState: (name, container, state) => pods.setState(name, container, state),
  };
}

/** Asks inside of the container until a connection comes about: there is nobody who could tell. */
async function listens(runtime: ContainerRuntime, { containers }: RunningPod, port: number): Promise<void> {
  const [containerId = ""] = containers.values();
  const hex = port.toString(16).toUpperCase().padStart(4, "0");
  const cmd = [
    "/bin/sh",
    "-c",
    `until grep -q ":${hex} .* 0A " /proc/net/tcp /proc/net/tcp6; do busybox usleep 1000; done`,
  ];
  const { exitCode } = await runtime.execSync({ containerId, cmd, timeout: 20 });
  if (exitCode !== 0) throw new Error(`nothing listens on ${port}`);
}

export async function ranToEnd(child: ChildProcess, input: Buffer | string = ""): Promise<Ran> {
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout!.on("data", (chunk: Buffer) => out.push(chunk));
  child.stderr!.on("data", (chunk: Buffer) => err.push(chunk));
  child.stdin!.on("error", () => {});
  child.stdin!.end(input);
  const [code] = (await once(child, "close")) as [number | null];
  return { code, stdout: Buffer.concat(out), stderr: Buffer.concat(err).toString() };
}

/** What a program has written once that contains `text`; it may write on. Fails where it ends before. */
export function saidUntil(child: ChildProcess, text: string): Promise<string> {
  let said = "";
  let complaint = "";
  child.stderr!.on("data", (chunk: Buffer) => {
    complaint += chunk;
  });
  return new Promise((resolve, reject) => {
    child.stdout!.on("data", (chunk: Buffer) => {
      said += chunk;
      if (said.includes(text)) resolve(said);
    });
    child.once("close", (code) => reject(new Error(`ended with ${code}: ${said}${complaint}`)));
  });
}

/** Pods that this test runs itself, told to the API and to the kubelet's server alike. */
class ByHand implements RunningPods {
  private readonly client: Client;
  private readonly runtime: ContainerRuntime;
  private readonly podLogs: string;
  private readonly pods = new Map<string, Pod>();
  private readonly running = new Map<string, RunningPod>();

  constructor(client: Client, runtime: ContainerRuntime, podLogs: string) {
    this.client = client;
    this.runtime = runtime;
    this.podLogs = podLogs;
  }

  list(): readonly Pod[] {
    return [...this.pods.values()];
  }

  get(_namespace: string, name: string): Pod | undefined {
    return this.pods.get(name);
  }

  byUID(uid: string): Pod | undefined {
    return this.list().find(({ metadata }) => metadata.uid === uid);
  }

  async containerID(podUID: string, container: string): Promise<string | undefined> {
    return this.ofUID(podUID)?.containers.get(container);
  }

  async sandboxID(podUID: string): Promise<string | undefined> {
    return this.ofUID(podUID)?.sandbox;
  }

  async evict(): Promise<void> {
    throw new Error("nothing is evicted here");
  }

  async told(): Promise<void> {
    throw new Error("nothing is told here");
  }

  async run(name: string, containers: readonly TestContainer[]): Promise<RunningPod> {
    const spec = {
      nodeName: NODE,
      containers: containers.map(
        ({ command, ...rest }): Container => ({ ...rest, image: BUSYBOX, command: [...command] }),
      ),
    };
    const created = await this.client.resource(Pod, "default").create({ metadata: { name }, spec });
    const uid = created.metadata.uid ?? "";
    const logDirectory = join(this.podLogs, `default_${name}_${uid}`);
    const config = { metadata: { name, uid, namespace: "default", attempt: 0 }, logDirectory };
    const { podSandboxId } = await this.runtime.runPodSandbox({ config });
    const started = new Map<string, string>();
    for (const { name: container, command, stdin = false, tty = false } of containers) {
      await mkdir(join(logDirectory, container), { recursive: true });
      const { containerId } = await this.runtime.createContainer({
        podSandboxId,
        config: {
          metadata: { name: container },
          image: { image: BUSYBOX },
          command: [...command],
          logPath: `${container}/0.log`,
          stdin,
          tty,
        },
        sandboxConfig: config,
      });
      await this.runtime.startContainer({ containerId });
      started.set(container, containerId);
    }
    const pod = { uid, sandbox: podSandboxId, containers: started };
    this.running.set(name, pod);
    this.pods.set(name, created);
    await this.refresh(name);
    return pod;
  }

  async refresh(name: string): Promise<void> {
    const { containers, sandbox } = this.running.get(name)!;
    const statuses: ContainerStatus[] = [];
    for (const [container, containerId] of containers) {
      const { status } = await this.runtime.containerStatus({ containerId });
      const containerID = `containerd://${containerId}`;
      const running = status?.state === 1;
      const exitCode = status?.exitCode ?? 0;
      const state = running ? { running: {} } : { terminated: { exitCode, containerID } };
      const image = { image: BUSYBOX, imageID: status?.imageRef ?? "" };
      statuses.push({ name: container, ...image, ready: running, restartCount: 0, containerID, state });
    }
    const { status: box } = await this.runtime.podSandboxStatus({ podSandboxId: sandbox });
    const podIP = box?.network?.ip ?? "";
    const pods = this.client.resource(Pod, "default");
    const patch = {
      status: { phase: "Running", containerStatuses: statuses, podIP, podIPs: [{ ip: podIP }] },
    };
    this.pods.set(name, await pods.patch(name, patch, { type: "merge", subresource: "status" }));
  }

  async setState(name: string, container: string, state: ContainerState): Promise<void> {
    const pod = structuredClone(this.pods.get(name)!);
    for (const status of pod.status?.containerStatuses ?? [])
      if (status.name === container) status.state = state;
    this.pods.set(name, await this.client.resource(Pod, "default").updateStatus(pod));
  }

  private ofUID(uid: string): RunningPod | undefined {
    return [...this.running.values()].find((pod) => pod.uid === uid);
  }
}
