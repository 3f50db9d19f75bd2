/** `kybern status`: what runs. */
import type { ClusterStatus } from "../../cluster/cluster-status.ts";
import type { Layout } from "../../cluster/layout.ts";
import { DATA_DIR, layoutFromFlags } from "../data-dir.ts";
import { table } from "../table.ts";
import { UsageError, type Verb } from "../verb.ts";

export interface StatusRun {
  layout: Layout;
  json: boolean;
}

export const statusVerb: Verb<StatusRun> = {
  name: "status",
  summary: "Show the components of the cluster on this machine, and its node",
  flags: [DATA_DIR, { syntax: "-o, --output <format>", summary: "table or json", default: "table" }],
  examples: [["For a script", "kybern status -o json"]],
  parse(flags) {
    if (flags.output !== "table" && flags.output !== "json")
      throw new UsageError(`--output must be table or json, not ${JSON.stringify(flags.output)}.`);
    return { layout: layoutFromFlags(flags), json: flags.output === "json" };
  },
};

/** Times are in milliseconds since 1970. */
export function statusTable(status: ClusterStatus, now: number): string {
  const age = (since: number): string => duration(now - since);
  const rows = status.components.map(({ name, state, message, since }) => [name, state, age(since), message]);
  const { node } = status;
  if (node) {
    const what = node.simulated > 0 ? `${node.simulated} simulated` : node.name;
    rows.push([`node ${what}`, node.ready ? "Ready" : "not ready", "", node.message]);
  }
  const head = `Kybern ${status.version} runs for ${age(status.started)} as process ${status.pid}, with ${megabytes(status.memoryBytes)} of memory.`;
  return `${head}\n\n${table(["COMPONENT", "STATE", "FOR", ""], rows)}`;
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB`;
}

function duration(milliseconds: number): string {
  const seconds = Math.max(0, Math.round(milliseconds / 1000));
  if (seconds < 120) return `${seconds}s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)}m`;
  if (seconds < 172_800) return `${Math.floor(seconds / 3600)}h`;
  return `${Math.floor(seconds / 86_400)}d`;
}
