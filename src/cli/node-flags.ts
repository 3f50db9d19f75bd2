/** Flags of every verb that makes the machine a node. */
import { isIP } from "node:net";
import { hostname } from "node:os";
import { resolve } from "node:path";
import { type Flag, portNumber, UsageError } from "./verb.ts";

/** What a node runs: pods with their network, Services with network policies, and the cluster's DNS. */
export const NODE_COMPONENTS = ["kubelet", "proxy", "dns"] as const;

export interface NodeFlags {
  name: string;
  /** By which others reach the node; undefined: the machine's first. */
  address: string | undefined;
  kubeletPort: number;
  /** The socket of a container runtime that runs already; undefined: a containerd of our own is started. */
  runtimeSocket: string | undefined;
  /** The path of a KubeletConfiguration. */
  kubeletConfig: string | undefined;
}

export const NODE_FLAGS: readonly Flag[] = [
  { syntax: "--node-name <name>", summary: "the node's name; by default the machine's" },
  { syntax: "--node-ip <ip>", summary: "the address by which others reach the node" },
  { syntax: "--kubelet-port <port>", summary: "the port of the kubelet's API", default: "10250" },
  {
    syntax: "--container-runtime-endpoint <socket>",
    summary: "a container runtime that runs already; by default a containerd of its own is started",
  },
  {
    syntax: "--kubelet-config <file>",
    summary: "a KubeletConfiguration: eviction, reservations, images, logs and more",
    isPath: true,
  },
];

export function nodeFlags(flags: Readonly<Record<string, string | undefined>>): NodeFlags {
  const address = flags.nodeIp;
  if (address !== undefined && isIP(address) === 0)
    throw new UsageError(`--node-ip must be an IP address, not ${JSON.stringify(address)}.`);
  const name = (flags.nodeName ?? hostname()).toLowerCase();
  if (!/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(name))
    throw new UsageError(`--node-name must be a DNS name, not ${JSON.stringify(name)}.`);
  const socket = flags.containerRuntimeEndpoint?.replace(/^unix:\/\//, "");
  if (socket !== undefined && !socket.startsWith("/"))
    throw new UsageError(
      "--container-runtime-endpoint must be the path of a socket, as /run/crio/crio.sock.",
    );
  return {
    name,
    address,
    kubeletPort: portNumber(flags.kubeletPort ?? "10250", "--kubelet-port"),
    runtimeSocket: socket,
    kubeletConfig: flags.kubeletConfig === undefined ? undefined : resolve(flags.kubeletConfig),
  };
}
