/** `kybern simulate`: nodes without machines for a server that runs. */
import { join, resolve } from "node:path";
import { defaultDataDir } from "../../cluster/layout.ts";
import { isDNS1123Subdomain, isQualifiedName, isValidLabelValue } from "../../machinery/names/names.ts";
import { isQuantity } from "../../machinery/quantity/quantity.ts";
import { UsageError, type Verb } from "../verb.ts";

export interface SimulateRun {
  /** Whom to connect to, and as whom. */
  kubeconfig: string;
  nodes: number;
  prefix: string;
  zones: number;
  capacity: Record<string, string>;
  labels: Record<string, string>;
  taints: { key: string; value: string; effect: string }[];
  /** A file that says what pods do. */
  stages: string | undefined;
  seed: number | undefined;
}

const EFFECTS = ["NoSchedule", "PreferNoSchedule", "NoExecute"];

export const simulateVerb: Verb<SimulateRun> = {
  name: "simulate",
  summary: "Add simulated nodes to a running cluster, which run pods without machines, until it is stopped",
  flags: [
    { syntax: "--nodes <count>", summary: "how many", default: "1" },
    { syntax: "--prefix <text>", summary: "what their names begin with", default: "node-" },
    { syntax: "--zones <count>", summary: "zones that the nodes take turns in; 0: none", default: "0" },
    { syntax: "--cpu <quantity>", summary: "CPUs of each node", default: "8" },
    { syntax: "--memory <quantity>", summary: "memory of each node", default: "32Gi" },
    { syntax: "--pods <count>", summary: "pods that a node takes", default: "110" },
    {
      syntax: "--resources <quantities>",
      summary: "what else a node has, by commas: example.com/gpu=4",
    },
    { syntax: "--labels <labels>", summary: "labels of the nodes, by commas: pool=big,disk=ssd" },
    { syntax: "--taints <taints>", summary: "taints of the nodes, by commas: dedicated=db:NoSchedule" },
    { syntax: "--stages <file>", summary: "a YAML file that says what pods do" },
    { syntax: "--seed <number>", summary: "gives the same delays and failures again; random by default" },
    { syntax: "--kubeconfig <file>", summary: "the cluster; by default admin.conf of the data directory" },
    {
      syntax: "--data-dir <directory>",
      summary: "the data directory of the server",
      default: defaultDataDir(),
    },
  ],
  examples: [
    ["A hundred nodes in three zones", "kybern simulate --data-dir ./data --nodes 100 --zones 3"],
    [
      "Ten with GPUs, for those who ask for them",
      "kybern simulate --nodes 10 --prefix gpu- --resources example.com/gpu=4 --taints gpu=yes:NoSchedule",
    ],
  ],
  parse(flags) {
    const { kubeconfig, dataDir = "", cpu = "", memory = "", pods = "" } = flags;
    return {
      kubeconfig: resolve(kubeconfig ?? join(dataDir, "admin.conf")),
      nodes: wholeNumber(flags.nodes, "--nodes", 100_000),
      prefix: prefixOf(flags.prefix ?? ""),
      zones: wholeNumber(flags.zones, "--zones", 1000),
      capacity: {
        cpu: quantity(cpu, "--cpu"),
        memory: quantity(memory, "--memory"),
        pods: String(wholeNumber(pods, "--pods", 1_000_000)),
        ...resourcesOf(flags.resources),
      },
      labels: labelsOf(flags.labels),
      taints: list(flags.taints).map(taintOf),
      stages: flags.stages === undefined ? undefined : resolve(flags.stages),
      seed: flags.seed === undefined ? undefined : wholeNumber(flags.seed, "--seed", 2 ** 32 - 1),
    };
  },
};

function list(text: string | undefined): string[] {
  return (text ?? "").split(",").filter((part) => part !== "");
}

function wholeNumber(text: string | undefined, flag: string, most: number): number {
  const value = Number(text);
  if (/^[0-9]{1,10}$/.test(text ?? "") && value <= most) return value;
  throw new UsageError(`${flag} must be a whole number from 0 to ${most}, not ${JSON.stringify(text)}.`);
}

/** What a server would refuse of every node is better said at once. */
function check(problems: readonly string[], flag: string, text: string): void {
  if (problems.length > 0) throw new UsageError(`${flag}: ${JSON.stringify(text)}: ${problems.join("; ")}.`);
}

function prefixOf(text: string): string {
  check(isDNS1123Subdomain(`${text}0`), "--prefix", text);
  return text;
}

function quantity(text: string, flag: string): string {
  if (isQuantity(text) && !text.startsWith("-")) return text;
  throw new UsageError(`${flag} must be a quantity such as 4, 500m or 16Gi, not ${JSON.stringify(text)}.`);
}

function resourcesOf(text: string | undefined): Record<string, string> {
  const found = pairs(text, "--resources");
  for (const [name, amount] of Object.entries(found)) {
    check(isQualifiedName(name), "--resources", name);
    quantity(amount, "--resources");
  }
  return found;
}

function labelsOf(text: string | undefined): Record<string, string> {
  const found = pairs(text, "--labels");
  for (const [key, value] of Object.entries(found)) {
    check(isQualifiedName(key), "--labels", key);
    check(isValidLabelValue(value), "--labels", value);
  }
  return found;
}

function pairs(text: string | undefined, flag: string): Record<string, string> {
  return Object.fromEntries(
    list(text).map((part) => {
      const equals = part.indexOf("=");
      if (equals > 0) return [part.slice(0, equals), part.slice(equals + 1)];
      throw new UsageError(`${flag} must look like name=value,name=value, not ${JSON.stringify(text)}.`);
    }),
  );
}

function taintOf(text: string): SimulateRun["taints"][number] {
  const found = /^([^=:]+)(?:=([^=:]*))?:([A-Za-z]+)$/.exec(text);
  const [, key, value = "", effect] = found ?? [];
  if (key && effect && EFFECTS.includes(effect)) {
    check(isQualifiedName(key), "--taints", key);
    check(isValidLabelValue(value), "--taints", value);
    return { key, value, effect };
  }
  throw new UsageError(
    `--taints must look like key=value:effect with an effect of ${EFFECTS.join(", ")}, not ${JSON.stringify(text)}.`,
  );
}
