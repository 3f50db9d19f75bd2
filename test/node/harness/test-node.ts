/**
 * A whole cluster of one node, run as people run it, in a network namespace of its own: control plane, containerd,
 * kubelet, Services and DNS. Gone with all that it made when it is disposed of.
 *
 *   this process ──198.18.N.1──▶ 198.18.N.2  kybern server --components …,kubelet,proxy,dns
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomInt } from "node:crypto";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { Node } from "../../../src/api/core/node.ts";
import { Pod } from "../../../src/api/core/pods.ts";
import { ServiceAccount } from "../../../src/api/core/service-account.ts";
import { systemClock } from "../../../src/base/clock.ts";
import { type Client, openClient } from "../../../src/client/client.ts";
import { connectionOf } from "../../../src/client/kubeconfig/connection.ts";
import { HTTPSTransport } from "../../../src/client/transports/https-transport.ts";
import { type Layout, layoutOf } from "../../../src/cluster/layout.ts";
import { openCgroupTree } from "../../../src/host/cgroups/cgroup-tree.ts";
import { runCommand } from "../../../src/host/command.ts";
import { openContainerd } from "../../../src/host/containerd/containerd-client.ts";
import { removeContainerd } from "../../../src/host/containerd/remove-containerd.ts";
import { detachBelow } from "../../../src/host/mounts/detach-below.ts";
import { type Connection, openWebSocketTo } from "../../contract/streaming/websocket-client.ts";
import { until } from "../../scenario/until.ts";
import { BUSYBOX, busyboxImage, SOCAT, socatImage } from "./images.ts";

export { BUSYBOX, SOCAT } from "./images.ts";

const ROOT = fileURLToPath(new URL("../../../", import.meta.url));
const ECHO = "localhost/echo:1";
const PORT = 6443;
const COMPONENTS = "apiserver,controllers,scheduler,kubelet,proxy,dns";

export interface TestNode extends AsyncDisposable {
  /** As the cluster's administrator. */
  readonly client: Client;
  readonly name: string;
  /** The node's own; what listens there is reached from here too. */
  readonly address: string;
  /** The path of the administrator's kubeconfig, which works from here. */
  readonly layout: Layout;
  /** Of the program. */
  readonly pid: number;
  readonly images: {
    readonly busybox: string;
    /** Says `image default`. */
    readonly echo: string;
    readonly socat: string;
  };
  /** Starts a program on the node's network; it is killed with the node. */
  spawn(command: string, arguments_: readonly string[]): ChildProcess;
  /** Waits until a pod of the selection runs; its name. */
  untilRunning(namespace: string, labelSelector: string): Promise<string>;
  /** As the administrator, at a path of the API. */
  openWebSocket(path: string, protocol: string): Promise<Connection>;
  /** Bytes that the kernel lets the container have. */
  memoryLimit(namespace: string, pod: string, container: string): Promise<number>;
  /** Kills the program as a power cut would, and starts it again. Containers go on. */
  crash(): Promise<void>;
}

export interface TestNodeOptions {
  /** A checkout or installation whose program is run as users run it; by default the source here, as it stands. */
  installation?: string;
  /** Fields of a KubeletConfiguration. */
  kubeletConfiguration?: Readonly<Record<string, unknown>>;
  /** More variables of the program's environment. */
  environment?: Readonly<Record<string, string>>;
}

export async function startTestNode(options: TestNodeOptions = {}): Promise<TestNode> {
  const directory = await mkdtemp(join(tmpdir(), "kyn-"));
  const layout = layoutOf(directory);
  const network = await makeNetwork();
  const children: ChildProcess[] = [];
  const inside = (command: string, arguments_: readonly string[]): ChildProcess => {
    // Unlike `ip netns exec`, this leaves /sys as it is, and the control groups in it.
    const all = [`--net=/run/netns/${network.namespace}`, command, ...arguments_];
    const env = { ...process.env, ...options.environment };
    const child = spawn("nsenter", all, { stdio: ["ignore", "pipe", "pipe"], env });
    children.push(child);
    return child;
  };
  const dispose = async (): Promise<void> => {
    await Promise.all(children.map(ended));
    await removeContainerd(layout.containerd);
    await openCgroupTree()?.remove(layout.cgroupRoot);
    await detachBelow([directory]);
    await network.remove();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    const program = programOf(options);
    const configured = await writeConfiguration(directory, options);
    const start = (): Promise<void> => startServer(inside, program, directory, network.address, configured);
    await start();
    const client = await openAdmin(layout, network.address);
    const name = "node";
    const isReady = (node: Node | undefined): boolean =>
      node?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
    await until(client.resource(Node), name, isReady);
    // Without it no pod is taken.
    await until(client.resource(ServiceAccount, "default"), "default", (account) => account !== undefined);
    const containerd = openContainerd(join(layout.containerd.run, "containerd.sock"));
    await containerd.addImage(await busyboxImage({ name: BUSYBOX }));
    await containerd.addImage(
      await busyboxImage({ name: ECHO, entrypoint: ["/bin/echo"], cmd: ["image", "default"] }),
    );
    await containerd.addImage(await socatImage());
    containerd.close();
    return {
      client,
      name,
      address: network.address,
      layout,
      get pid() {
        return children[0]!.pid!;
      },
      images: { busybox: BUSYBOX, echo: ECHO, socat: SOCAT },
      spawn: inside,
      untilRunning: (namespace, selector) => untilRunning(client, namespace, selector),
      async openWebSocket(path, protocol) {
        const { ca, cert, key } = await connectionOf(await readFile(layout.adminConfig, "utf8"));
        const url = `https://${network.address}:${PORT}${path}`;
        return openWebSocketTo(url, { ca, cert, key }, [protocol]);
      },
      memoryLimit: async (namespace, pod, container) =>
        memoryLimit(layout, await client.resource(Pod, namespace).get(pod), container),
      async crash() {
        await ended(children[0]!);
        children.shift();
        await start();
        children.unshift(children.pop()!);
      },
      async [Symbol.asyncDispose]() {
        await client.close();
        await dispose();
      },
    };
  } catch (error) {
    await dispose();
    throw error;
  }
}

function programOf({ installation }: TestNodeOptions): string[] {
  if (installation !== undefined) return [join(installation, "bin/kybern.js")];
  return [join(ROOT, "bin/node.js"), "--disable-proto=delete", join(ROOT, "src/main/kybern.ts")];
}

/** The flags that lead to it. */
async function writeConfiguration(
  directory: string,
  { kubeletConfiguration }: TestNodeOptions,
): Promise<string[]> {
  if (!kubeletConfiguration) return [];
  const path = join(directory, "kubelet.json");
  const head = { apiVersion: "kubelet.config.k8s.io/v1beta1", kind: "KubeletConfiguration" };
  await writeFile(path, JSON.stringify({ ...head, ...kubeletConfiguration }));
  return ["--kubelet-config", path];
}

async function startServer(
  inside: (command: string, arguments_: readonly string[]) => ChildProcess,
  program: readonly string[],
  directory: string,
  address: string,
  configured: readonly string[],
): Promise<void> {
  const flags = [
    ...configured,
    ...["--data-dir", directory, "--components", COMPONENTS, "--node-name", "node"],
    ...["--secure-port", String(PORT), "--advertise-address", address, "--node-ip", address],
  ];
  const child = inside(process.execPath, [...program, "server", ...flags]);
  const said: string[] = [];
  await new Promise<void>((ready, failed) => {
    const hear = (line: string): void => {
      said.push(line);
      if (/ info ready/.test(line)) ready();
    };
    createInterface(child.stderr!).on("line", hear);
    createInterface(child.stdout!).on("line", hear);
    child.once("exit", (code) => failed(new Error(`the server ended with ${code}:\n${said.join("\n")}`)));
  });
}

async function openAdmin(layout: Layout, address: string): Promise<Client> {
  const connection = await connectionOf(await readFile(layout.adminConfig, "utf8"));
  const server = `https://${address}:${PORT}`;
  return openClient(new HTTPSTransport({ ...connection, server, clock: systemClock }));
}

interface Network {
  namespace: string;
  address: string;
  remove(): Promise<void>;
}

/** A namespace that this machine reaches over one pair of links, which ends with it. */
async function makeNetwork(): Promise<Network> {
  const part = await freePart();
  const namespace = `kyn${part}`;
  const ip = (...arguments_: string[]): Promise<string> => runCommand("ip", arguments_);
  await ip("netns", "add", namespace);
  await ip("link", "set", "dev", `kyn${part}`, "up");
  await ip("address", "add", `198.18.${part}.1/24`, "dev", `kyn${part}`);
  await ip("link", "set", "dev", `kyp${part}`, "netns", namespace);
  const inside = (...arguments_: string[]): Promise<string> => ip("-n", namespace, ...arguments_);
  await inside("link", "set", "dev", `kyp${part}`, "name", "eth0");
  await inside("link", "set", "dev", "lo", "up");
  await inside("address", "add", `198.18.${part}.2/24`, "dev", "eth0");
  await inside("link", "set", "dev", "eth0", "up");
  await inside("route", "add", "default", "via", `198.18.${part}.1`);
  return {
    namespace,
    address: `198.18.${part}.2`,
    async remove() {
      // Ends with the namespace as well, but only once the last process has left it.
      await ip("link", "delete", "dev", `kyn${part}`).catch(() => {});
      await ip("netns", "delete", namespace);
    },
  };
}

/** Whoever makes the pair of links has its number. */
async function freePart(): Promise<number> {
  for (let tries = 0; ; tries++) {
    const part = randomInt(1, 255);
    try {
      const pair = ["link", "add", `kyn${part}`, "type", "veth", "peer", "name", `kyp${part}`];
      await runCommand("ip", pair);
      return part;
    } catch (error) {
      if (tries === 20) throw error;
    }
  }
}

async function untilRunning(client: Client, namespace: string, labelSelector: string): Promise<string> {
  const pods = client.resource(Pod, namespace).watch({
    labelSelector,
    sendInitialEvents: true,
    resourceVersionMatch: "NotOlderThan",
    allowWatchBookmarks: true,
  });
  for await (const { type, object } of pods) {
    if (type !== "BOOKMARK" && object.status?.phase === "Running") return object.metadata.name!;
  }
  throw new Error("the watch of pods ended");
}

async function memoryLimit(
  { cgroupRoot }: Layout,
  { metadata, status }: Pod,
  container: string,
): Promise<number> {
  const id = status?.containerStatuses?.find(({ name }) => name === container)?.containerID?.split("//")[1];
  if (!id) throw new Error(`the container ${container} does not run`);
  const tree = openCgroupTree();
  const of = status?.qosClass === "Guaranteed" ? [] : [status?.qosClass?.toLowerCase()];
  const group = [cgroupRoot, "kubepods", ...of, `pod${metadata.uid}`, id].join("/");
  return Number(await tree?.read(group, tree.version === 1 ? "memory.limit_in_bytes" : "memory.max"));
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exit = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await exit;
}
