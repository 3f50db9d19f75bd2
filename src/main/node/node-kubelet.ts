/** The kubelet of a node, put together. */
import { statfs } from "node:fs/promises";
import { hostname } from "node:os";
import { VERSION } from "../../apiserver/version.ts";
import { readMachineFacts } from "../../host/machine/machine-facts.ts";
import { startNode } from "../../kubelet/node/kubelet-node.ts";
import { logLine } from "../log.ts";
import type { NodeNetwork } from "./node-network.ts";
import type { NodeParts } from "./node-parts.ts";

export async function startNodeKubelet(
  parts: NodeParts & Pick<NodeNetwork, "admit">,
): Promise<{ stop(): Promise<void> }> {
  const { run, runtime, client, events, addresses } = parts;
  const { node, clock, board, components, layout } = run;
  if (!components.has("kubelet")) return { stop: async () => {} };
  board.set("kubelet", "starting");
  const machine = await readMachineFacts();
  const registration = startNode({
    nodeName: node.name,
    hostname: hostname().toLowerCase(),
    client,
    runtime: runtime.calls,
    machine,
    addresses,
    storageBytes: async () => {
      const { blocks, bsize } = await statfs(layout.dataDir);
      return blocks * bsize;
    },
    kubeletVersion: VERSION.gitVersion,
    port: () => node.kubeletPort,
    events,
    clock,
    random: Math.random,
    log: logLine,
  });
  void registration.registered.then(() => board.set("kubelet", "running"));
  return { stop: () => registration.stop() };
}
