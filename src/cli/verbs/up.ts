/** `kybern up`: a cluster on this machine, in the background. */
import { resolve } from "node:path";
import type { Layout } from "../../cluster/layout.ts";
import { CLUSTER_FLAGS, clusterRun } from "../cluster-flags.ts";
import { DATA_DIR, layoutFromFlags } from "../data-dir.ts";
import { NODE_FLAGS, nodeFlags } from "../node-flags.ts";
import { type Flag, UsageError, type Verb } from "../verb.ts";

export interface UpRun {
  layout: Layout;
  /** What the server is told, by the names of its flags; kept for the times after. What is not given stays as it was. */
  flags: Readonly<Record<string, string>>;
  /** Nodes without machines in place of a real one; undefined: as before, or as the machine allows. */
  simulateNodes: number | undefined;
  /** Milliseconds until it is given up that the node becomes ready. */
  timeoutMs: number;
}

const OWN: readonly Flag[] = [...CLUSTER_FLAGS, ...NODE_FLAGS];

/** Defaults are told and not given, so that what was given before stays. */
const TOLD: readonly Flag[] = OWN.map(({ syntax, summary, default: fallback }) => ({
  syntax,
  summary: fallback === undefined ? summary : `${summary} (at first ${fallback})`,
}));

export const upVerb: Verb<UpRun> = {
  name: "up",
  summary: "Start a cluster on this machine in the background; harmless where it runs already",
  flags: [
    DATA_DIR,
    ...TOLD,
    {
      syntax: "--simulate-nodes <count>",
      summary: "nodes without machines in place of a real one; 0: this machine",
    },
    { syntax: "--timeout <seconds>", summary: "how long to wait for the node", default: "120" },
  ],
  examples: [
    ["Start it", "kybern up"],
    ["Another one, with everything under ./data", "kybern up --data-dir ./data --secure-port 7443"],
    ["Without containers", "kybern up --simulate-nodes 3"],
  ],
  parse(flags) {
    const given: Record<string, string> = {};
    const effective: Record<string, string | undefined> = {};
    for (const { syntax, default: fallback, isPath } of OWN) {
      const name = flagName(syntax);
      const key = camelCase(name);
      const value = flags[key];
      effective[key] = value ?? fallback;
      if (value !== undefined) given[name] = isPath ? resolve(value) : value;
    }
    // What the server would refuse is refused here, where somebody reads it.
    clusterRun(effective);
    nodeFlags(effective);
    const simulateNodes = wholeNumber(flags.simulateNodes, "--simulate-nodes");
    const timeout = wholeNumber(flags.timeout, "--timeout") ?? 0;
    return { layout: layoutFromFlags(flags), flags: given, simulateNodes, timeoutMs: timeout * 1000 };
  },
};

/** `--secure-port <port>` is `secure-port`. */
function flagName(syntax: string): string {
  return syntax.split(" ")[0]!.slice(2);
}

function camelCase(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

function wholeNumber(text: string | undefined, flag: string): number | undefined {
  if (text === undefined) return undefined;
  if (/^[0-9]{1,5}$/.test(text)) return Number(text);
  throw new UsageError(`${flag} must be a whole number, not ${JSON.stringify(text)}.`);
}
