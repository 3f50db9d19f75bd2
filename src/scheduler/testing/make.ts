/** Nodes, pods and profiles for tests of the scheduler, no server needed. */
import type { Node } from "../../api/core/node.ts";
import type { Pod } from "../../api/core/pods.ts";
import type { Plugin } from "../framework/plugin.ts";
import { hintsOf, type Profile } from "../framework/profile.ts";

export function makeNode(
  name: string,
  labels: Record<string, string> = {},
  allocatable: Record<string, string> = { cpu: "4", memory: "8Gi", pods: "110" },
): Node {
  return {
    apiVersion: "v1",
    kind: "Node",
    metadata: { name, labels, resourceVersion: "1" },
    spec: {},
    status: { allocatable },
  };
}

export interface PodOptions {
  uid?: string;
  node?: string;
  priority?: number;
  requests?: Record<string, string>;
  labels?: Record<string, string>;
  gates?: string[];
  nominated?: string;
  generation?: number;
}

export function makePod(name: string, options: PodOptions = {}): Pod {
  const {
    uid = `uid-${name}`,
    node,
    priority,
    requests,
    labels,
    gates = [],
    nominated,
    generation = 1,
  } = options;
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name, namespace: "default", uid, labels, generation, resourceVersion: "1" },
    spec: {
      schedulerName: "default-scheduler",
      nodeName: node,
      priority,
      schedulingGates: gates.map((gate) => ({ name: gate })),
      containers: [{ name: "main", image: "image", resources: { requests } }],
    },
    status: { phase: "Pending", nominatedNodeName: nominated },
  };
}

/** A profile of these plugins, in this order at every point. */
export function makeProfile(plugins: Readonly<Record<string, Plugin & { weight?: number }>>): Profile {
  const started = Object.entries(plugins).map(([name, plugin]) => ({
    name,
    weight: plugin.weight ?? 1,
    plugin: plugin as Plugin,
  }));
  const having = (point: keyof Plugin) => started.filter(({ plugin }) => plugin[point]);
  const sort = having("queueSort")[0]?.plugin;
  return {
    name: "default-scheduler",
    percentageOfNodesToScore: undefined,
    preEnqueue: having("preEnqueue"),
    queueSorter: "Sort",
    queueSort: (a, b) =>
      sort ? sort.queueSort!(a, b) : b.info.priority - a.info.priority || a.since - b.since,
    filters: having("prepareFilter"),
    postFilters: having("postFilter"),
    scores: having("prepareScore"),
    reserves: having("reserve"),
    unreserves: having("unreserve").reverse(),
    permits: having("permit"),
    preBinds: having("preBind"),
    binds: having("bind"),
    postBinds: having("postBind"),
    ...hintsOf(started),
  };
}
