/** `kybern server`: a control plane in the foreground, and a node beside it where it is asked for. */
import { resolve } from "node:path";
import { ADMISSION_NAMES } from "../../admission/index.ts";
import { CLUSTER_FLAGS, type ClusterRun, clusterRun, list } from "../cluster-flags.ts";
import { DATA_DIR } from "../data-dir.ts";
import { NODE_COMPONENTS, NODE_FLAGS, type NodeFlags, nodeFlags } from "../node-flags.ts";
import { UsageError, type Verb } from "../verb.ts";

export interface ServerRun extends ClusterRun {
  dataDir: string;
  components: Component[];
  /** As upstream's --controllers. */
  controllers: string[];
  /** Whether controllers and scheduler act only while this process holds their leases. */
  leaderElect: boolean;
  /** The path of a KubeSchedulerConfiguration. */
  schedulerConfig: string | undefined;
  store:
    | { kind: "lmdb" }
    | { kind: "memory" }
    | { kind: "etcd"; endpoints: string[]; ca?: string; cert?: string; key?: string };
  tokenFile: string | undefined;
  admission: { enable: string[]; disable: string[] };
  /** Nodes without machines, beside the control plane. */
  simulateNodes: number;
  /** Of this machine, where a component of nodes is among `components`. */
  node: NodeFlags;
}

/** The control plane, what makes it comfortable, and what makes the machine a node of it. */
export const COMPONENTS = ["apiserver", "controllers", "scheduler", "addons", ...NODE_COMPONENTS] as const;
export type Component = (typeof COMPONENTS)[number];

export const serverVerb: Verb<ServerRun> = {
  name: "server",
  summary: "Run the control plane in the foreground",
  flags: [
    DATA_DIR,
    ...CLUSTER_FLAGS,
    {
      syntax: "--components <names>",
      summary: `what to run, of ${COMPONENTS.join(", ")}`,
      default: "apiserver,controllers,scheduler",
    },
    {
      syntax: "--controllers <names>",
      summary: "which controllers to run: names, * for all that are on by default, -name for all but it",
      default: "*",
    },
    {
      syntax: "--leader-elect <boolean>",
      summary: "whether of several servers over one store only one runs controllers; by default with etcd",
    },
    {
      syntax: "--scheduler-config <file>",
      summary: "a KubeSchedulerConfiguration: profiles, plugins, their arguments, extenders",
    },
    {
      syntax: "--store <kind>",
      summary: "lmdb (in the data directory) or memory (nothing is kept)",
      default: "lmdb",
    },
    { syntax: "--etcd-servers <urls>", summary: "keep everything in this etcd instead, by commas" },
    { syntax: "--etcd-cafile <file>", summary: "the CA of etcd's certificate" },
    { syntax: "--etcd-certfile <file>", summary: "the client certificate for etcd" },
    { syntax: "--etcd-keyfile <file>", summary: "the key of the client certificate for etcd" },
    {
      syntax: "--enable-admission-plugins <names>",
      summary: "admission plugins beside the default ones, by commas",
    },
    {
      syntax: "--disable-admission-plugins <names>",
      summary: "default admission plugins to leave out, by commas",
    },
    { syntax: "--token-auth-file <file>", summary: "static bearer tokens (CSV); off by default" },
    {
      syntax: "--simulate-nodes <count>",
      summary: "nodes without machines, which run pods for trying out and for tests",
      default: "0",
    },
    ...NODE_FLAGS,
  ],
  examples: [
    ["Run with everything under ./data", "kybern server --data-dir ./data"],
    ["Use it", "kubectl --kubeconfig ./data/admin.conf get namespaces"],
  ],
  parse(flags) {
    const components = list(flags.components);
    for (const name of components) {
      if (!(COMPONENTS as readonly string[]).includes(name)) {
        throw new UsageError(`--components knows ${COMPONENTS.join(", ")}, not ${JSON.stringify(name)}.`);
      }
    }
    if (!components.includes("apiserver")) {
      throw new UsageError("--components must name apiserver: the others run beside it in one process.");
    }
    const store = storeOf(flags);
    return {
      dataDir: resolve(flags.dataDir ?? ""),
      ...clusterRun(flags),
      components: components as Component[],
      controllers: list(flags.controllers),
      leaderElect: truth(flags.leaderElect ?? String(store.kind === "etcd"), "--leader-elect"),
      schedulerConfig: flags.schedulerConfig,
      store,
      tokenFile: flags.tokenAuthFile,
      admission: {
        enable: pluginNames(flags.enableAdmissionPlugins, "--enable-admission-plugins"),
        disable: pluginNames(flags.disableAdmissionPlugins, "--disable-admission-plugins"),
      },
      simulateNodes: nodeCount(flags.simulateNodes ?? "0"),
      node: nodeFlags(flags),
    };
  },
};

function truth(text: string, flag: string): boolean {
  if (text === "true" || text === "false") return text === "true";
  throw new UsageError(`${flag} must be true or false, not ${JSON.stringify(text)}.`);
}

function nodeCount(text: string): number {
  if (/^[0-9]{1,5}$/.test(text)) return Number(text);
  throw new UsageError(`--simulate-nodes must be a number of nodes, not ${JSON.stringify(text)}.`);
}

function pluginNames(text: string | undefined, flag: string): string[] {
  const names = list(text);
  for (const name of names) {
    if (!ADMISSION_NAMES.includes(name)) {
      throw new UsageError(`${flag} knows ${ADMISSION_NAMES.join(", ")}, not ${JSON.stringify(name)}.`);
    }
  }
  return names;
}

function storeOf(flags: Readonly<Record<string, string | undefined>>): ServerRun["store"] {
  const endpoints = list(flags.etcdServers);
  if (endpoints.length > 0) {
    return {
      kind: "etcd",
      endpoints,
      ca: flags.etcdCafile,
      cert: flags.etcdCertfile,
      key: flags.etcdKeyfile,
    };
  }
  if (flags.store !== "lmdb" && flags.store !== "memory") {
    throw new UsageError(
      `--store must be lmdb or memory, not ${JSON.stringify(flags.store)}; for etcd give --etcd-servers.`,
    );
  }
  return { kind: flags.store };
}
