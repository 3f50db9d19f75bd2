/** Starts the network of a node in a machine, and tells when all its parts are ready. */
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Machine } from "./network-namespaces.ts";
import type { NodeNetworkRun } from "./node-network.ts";

const NODE_NETWORK = fileURLToPath(new URL("./node-network.ts", import.meta.url));

export async function startNodeNetwork(machine: Machine, run: NodeNetworkRun): Promise<ChildProcess> {
  const child = machine.spawn(process.execPath, [NODE_NETWORK, JSON.stringify(run)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const parts = new Set(
    run.cleanUp ? ["clean"] : Object.keys(run).filter((part) => part === "overlay" || part === "dns"),
  );
  for await (const line of createInterface(child.stdout!)) {
    parts.delete(line);
    if (parts.size === 0) return child;
  }
  throw new Error(`the network of the node ended before it was ready: ${[...parts].join(", ")}`);
}

/** Ends it as the system does; SIGKILL: as a crash. */
export async function endProcess(child: ChildProcess, signal: NodeJS.Signals = "SIGTERM"): Promise<void> {
  const exit = once(child, "exit");
  child.kill(signal);
  await exit;
}
