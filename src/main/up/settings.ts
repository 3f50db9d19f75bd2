/** How a machine's cluster was told to run, kept so that it runs so again. */
import { mkdir, readFile } from "node:fs/promises";
import { dirname } from "node:path";
import { NODES } from "../../cli/cluster-flags.ts";
import { UsageError } from "../../cli/verb.ts";
import type { Layout } from "../../cluster/layout.ts";
import { writeFileAtomically } from "../../cluster/pki/write-file-atomically.ts";

const LOAD_BALANCERS = "load-balancer-ranges";

export interface UpSettings {
  /** A server has the control plane; an agent makes the machine a node of a server elsewhere. */
  role: "server" | "agent";
  /** 0: this machine is the node. */
  simulateNodes: number;
  /** What the program is told beside, by the names of its flags. */
  flags: Readonly<Record<string, string>>;
}

export async function readSettings(layout: Layout): Promise<UpSettings | undefined> {
  const text = await readFile(layout.settings, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code === "ENOENT") return undefined;
    throw error;
  });
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as UpSettings;
  } catch (error) {
    // Written in one step, so only a hand or the disk can have spoiled it. To go on without would make another node of
    // this machine, and end the pods of the one that it is.
    throw new UsageError(
      `${layout.settings}, which says how this cluster runs, is damaged (${(error as Error).message}): correct it, or remove it and give \`kybern up\` all its flags again.`,
    );
  }
}

export async function writeSettings(layout: Layout, settings: UpSettings): Promise<void> {
  await mkdir(dirname(layout.settings), { recursive: true, mode: 0o700 });
  await writeFileAtomically(layout.settings, `${JSON.stringify(settings, undefined, 2)}\n`);
}

/** The words after the program's name. */
export function programArguments(layout: Layout, { role, simulateNodes, flags }: UpSettings): string[] {
  const words = [role, "--data-dir", layout.dataDir];
  if (role === "server") {
    const node = simulateNodes > 0 ? "" : ",kubelet,proxy,dns";
    words.push("--components", `apiserver,controllers,scheduler,addons${node}`);
    words.push("--simulate-nodes", String(simulateNodes));
    // What a machine has at once are its own addresses; simulated nodes have none that lead anywhere.
    if (simulateNodes === 0 && flags[LOAD_BALANCERS] === undefined) words.push(`--${LOAD_BALANCERS}`, NODES);
  }
  return [...words, ...Object.entries(flags).flatMap(([name, value]) => [`--${name}`, value])];
}
