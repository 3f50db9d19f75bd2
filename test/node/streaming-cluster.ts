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
import { Node } from "../../src/api/core/node.ts";
import { Pod } from "../../src/api/core/pod/pod.ts";
import { ServiceAccount } from "../../src/api/core/service-account.ts";
import { ClusterRoleBinding } from "../../src/api/rbac/cluster-role-binding.ts";
import type { Container, ContainerState, ContainerStatus } from "../../src/api/schema/core.v1.generated.ts";
import { startAPIServer } from "../../src/apiserver/api-server.ts";
import { dispatchTo } from "../../src/apiserver/http/dispatch.ts";
import { serve } from "../../src/apiserver/http/server.ts";
import { systemClock } from "../../src/base/clock.ts";
import { type Client, openClient } from "../../src/client/client.ts";
import { InProcessTransport } from "../../src/client/transports/in-process-transport.ts";
import { makeKubeconfig } from "../../src/cluster/kubeconfig/kubeconfig.ts";
import { derOf, issueCertificate, type KeyPair, validity } from "../../src/cluster/pki/certificate.ts";
import { ensurePKI, type PKI } from "../../src/cluster/pki/ensure-pki.ts";
import { issueClientCertificate } from "../../src/cluster/pki/issue-client-certificate.ts";
import type { RunningPods } from "../../src/kubelet/ports.ts";
import { type ContainerRuntime, openContainerRuntime } from "../../src/kubelet/runtime/container-runtime.ts";
import { startKubeletServer } from "../../src/kubelet/server/kubelet-server.ts";
import type { KubeletServer } from "../../src/kubelet/server/options.ts";
import { openMemory } from "../../src/store/memory/open-memory.ts";
import { unpackTools } from "../e2e/tools.ts";
import { startContainerd } from "./harness/containerd.ts";
import { BUSYBOX } from "./harness/images.ts";

export const NODE = "worker";

export interface StreamingCluster {
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
}

export interface RunningPod {
  uid: string;
  sandbox: string;
  /** By the containers' names. */
  containers: ReadonlyMap<string, string>;
}

interface Issued {
  kubeconfig: string;
  pair: KeyPair;
}

export async function startStreamingCluster(t: Pick<TestContext, "after">): Promise<StreamingCluster> {
  const directory = await mkdtemp(join(tmpdir(), "kybern-streams-"));
  t.after(() => rm(directory, { recursive: true, force: true }));
  const podLogs = join(directory, "pods");
  await mkdir(podLogs);
  const containerd = await startContainerd(t);
  const runtime = openContainerRuntime(containerd.socket);
  t.after(() => runtime.close());
  const now = new Date();
  const request = { directory: join(directory, "pki"), now, hostname: "test", dnsDomain: "cluster.local" };
  const pki = await ensurePKI({ ...request, serviceAddresses: ["10.96.0.1"], addresses: ["127.0.0.1"] });
  const server = await apiServer(t, pki);
  const clientAs = (name: string, groups: readonly string[]): Client => {
    const shown = { raw: derOf(issueClientCertificate({ ca: pki.ca, name, groups, now }).certificate) };
    return openClient(new InProcessTransport(dispatchTo(server.handler, () => shown)));
  };
  const client = clientAs("kubernetes-admin", ["system:masters"]);
  const pods = new ByHand(client, runtime, podLogs);
  const kubelet = await startKubeletServer({
    nodeName: NODE,
    address: "127.0.0.1",
    port: 0,
    certificate: servingCertificate(pki, now),
    clientCA: pki.ca.certificate,
    client: clientAs(`system:node:${NODE}`, ["system:nodes"]),
    clock: systemClock,
    pods,
    runtime,
    paths: { podLogs },
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
  await createNode(client, kubelet.port);
  const tools = await unpackTools();
  const issued = new Map<string, Issued>();
  const kubeconfig = async (name: string, groups: readonly string[] = []): Promise<string> => {
    const known = issued.get(name);
    if (known) return known.kubeconfig;
    const pair = issueClientCertificate({ ca: pki.ca, name, groups, now });
    const config = makeKubeconfig({ server: server.url, ca: pki.ca.certificate, ...pair });
    const path = join(directory, `${name}.conf`);
    await writeFile(path, JSON.stringify(config), { mode: 0o600 });
    issued.set(name, { kubeconfig: path, pair });
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
    ...{ client, pki, url: server.url, port: server.port, kubelet, runtime, podLogs, directory },
    ...{ kubeconfig, kubectl },
    run: (args, options) => ranToEnd(kubectl(args, options), options?.input),
    runPod: (name, containers) => pods.run(name, containers),
    refresh: (name) => pods.refresh(name),
    setState: (name, container, state) => pods.setState(name, container, state),
  };
}

async function apiServer(t: Pick<TestContext, "after">, pki: PKI) {
  const store = await openMemory({ clock: systemClock });
  const { apiserver, apiserverKubeletClient: own, ca, frontProxyCA, serviceAccount } = pki;
  const server = await startAPIServer({
    store,
    clock: systemClock,
    credentials: {
      clientCA: ca.certificate,
      frontProxyCA: frontProxyCA.certificate,
      serviceAccountPrivateKey: serviceAccount.privateKey,
    },
    settings: {
      serviceCIDRs: ["10.96.0.0/12"],
      nodePortRange: { from: 30000, to: 32767 },
      dnsDomain: "cluster.local",
    },
    kubelet: { credentials: () => ({ cert: own.certificate, key: own.key, ca: ca.certificate }) },
    log: (level, text, facts) => {
      if (level === "error") throw new Error(`${text}: ${JSON.stringify(facts)}`);
    },
  });
  const listener = await serve({
    host: "127.0.0.1",
    port: 0,
    certificates: { cert: apiserver.certificate, key: apiserver.key, clientCA: [ca.certificate] },
    handler: server.handler,
  });
  t.after(async () => {
    await listener.close(0);
    await server.close();
    await store[Symbol.asyncDispose]();
  });
  return { handler: server.handler, port: listener.port, url: `https://127.0.0.1:${listener.port}` };
}

function servingCertificate({ ca }: PKI, now: Date) {
  const { certificate, key } = issueCertificate(ca, {
    subject: { commonName: `system:node:${NODE}`, organizations: ["system:nodes"] },
    usage: "server",
    ...validity(now, 30),
    addresses: ["127.0.0.1"],
  });
  return { cert: certificate, key };
}

async function createNode(client: Client, port: number): Promise<void> {
  const created = await client.resource(Node).create({ metadata: { name: NODE } });
  await client.resource(Node).updateStatus({
    ...created,
    status: {
      addresses: [{ type: "InternalIP", address: "127.0.0.1" }],
      daemonEndpoints: { kubeletEndpoint: { Port: port } },
    },
  } as typeof created);
  await client.resource(ServiceAccount, "default").create({ metadata: { name: "default" } });
  await client.resource(ClusterRoleBinding).create({
    metadata: { name: "viewers" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: "viewers" }],
  });
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
