/** Connects pods as container runtimes do: runs the plugins of a CNI configuration list, one after the other. */
import { readFile } from "node:fs/promises";
import { CNI_PLUGINS } from "./machine.ts";
import type { Machine } from "./network-namespaces.ts";

interface Plugin {
  type: string;
}

/** Returns the pod's addresses. */
export async function addToNetwork(node: Machine, pod: Machine, configuration: string): Promise<string[]> {
  const { plugins, name, cniVersion } = await read(configuration);
  let prevResult: { ips?: { address: string }[] } | undefined;
  for (const plugin of plugins) {
    prevResult = JSON.parse(
      await call("ADD", node, pod, plugin.type, { ...plugin, name, cniVersion, prevResult }),
    );
  }
  return (prevResult?.ips ?? []).map(({ address }) => address.split("/")[0]!);
}

export async function removeFromNetwork(node: Machine, pod: Machine, configuration: string): Promise<void> {
  const { plugins, name, cniVersion } = await read(configuration);
  for (const plugin of plugins.reverse()) {
    await call("DEL", node, pod, plugin.type, { ...plugin, name, cniVersion });
  }
}

async function read(path: string): Promise<{ plugins: Plugin[]; name: string; cniVersion: string }> {
  return JSON.parse(await readFile(path, "utf8"));
}

function call(command: string, node: Machine, pod: Machine, type: string, input: object): Promise<string> {
  const env = {
    PATH: process.env.PATH,
    CNI_COMMAND: command,
    CNI_CONTAINERID: pod.name,
    CNI_NETNS: `/run/netns/${pod.name}`,
    CNI_IFNAME: "eth0",
    CNI_PATH: CNI_PLUGINS,
  };
  return node.run(`${CNI_PLUGINS}/${type}`, [], { env, input: JSON.stringify(input) });
}
