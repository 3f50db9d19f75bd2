import { nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import type { KubeObject } from "../object.ts";
import { type Column, defineResource } from "../resource.ts";
import { ageColumn, nameColumn } from "./columns.ts";
import { take } from "./take.ts";
import { validateNode, validateNodeStatus, validateNodeUpdate } from "./validate-node.ts";

export interface Taint {
  key: string;
  value?: string;
  effect: string;
  timeAdded?: string;
}

export interface NodeSpec {
  podCIDR?: string;
  podCIDRs?: string[];
  providerID?: string;
  unschedulable?: boolean;
  taints?: Taint[];
  configSource?: unknown;
  externalID?: string;
}

export interface NodeCondition {
  type: string;
  status: string;
  lastHeartbeatTime?: string;
  lastTransitionTime?: string;
  reason?: string;
  message?: string;
}

export interface NodeStatus {
  capacity?: Record<string, string>;
  allocatable?: Record<string, string>;
  phase?: string;
  conditions?: NodeCondition[];
  addresses?: { type: string; address: string }[];
  nodeInfo?: {
    kubeletVersion?: string;
    osImage?: string;
    kernelVersion?: string;
    containerRuntimeVersion?: string;
    [more: string]: unknown;
  };
  [more: string]: unknown;
}

export interface Node extends KubeObject {
  spec?: NodeSpec;
  status?: NodeStatus;
}

export const Node = defineResource<Node>({
  group: "",
  version: "v1",
  kind: "Node",
  plural: "nodes",
  scope: "Cluster",
  shortNames: ["no"],
  definition: "core.v1.Node",
  storagePrefix: "minions",
  validateName: nameIsDNSSubdomain,
  defaults,
  prepareForUpdate: (node, old) => take(node, old, "status"),
  validate: validateNode,
  validateUpdate: validateNodeUpdate,
  subresources: {
    status: {
      acts: "update",
      verbs: ["get", "patch", "update"],
      prepare: (node, old) => take(node, old, "spec"),
      validate: validateNodeStatus,
      resets: ["spec"],
    },
    proxy: {
      acts: "connect",
      verbs: ["create", "delete", "get", "patch", "update"],
      kind: "NodeProxyOptions",
      takesPath: true,
    },
  },
  columns: columns(),
  fields: { "spec.unschedulable": ({ spec }) => String(spec?.unschedulable ?? false) },
});

function defaults({ spec, status }: Node): void {
  if (status?.capacity && !status.allocatable) status.allocatable = { ...status.capacity };
  if (!spec) return;
  // podCIDR is the older field: it wins over a different list, and always shows the list's first.
  if (spec.podCIDR && spec.podCIDRs?.[0] !== spec.podCIDR) spec.podCIDRs = [spec.podCIDR];
  else if (spec.podCIDRs?.[0]) spec.podCIDR = spec.podCIDRs[0];
}

function columns(): Column<Node>[] {
  const wide = (name: string, cell: Column<Node>["cell"]): Column<Node> => ({
    name,
    type: "string",
    priority: 1,
    cell,
  });
  const info = (node: Node, field: "osImage" | "kernelVersion" | "containerRuntimeVersion") =>
    node.status?.nodeInfo?.[field] || "<unknown>";
  return [
    nameColumn,
    { name: "Status", type: "string", cell: statusText },
    { name: "Roles", type: "string", cell: roles },
    ageColumn,
    { name: "Version", type: "string", cell: ({ status }) => status?.nodeInfo?.kubeletVersion ?? "" },
    wide("Internal-IP", (node) => addressOf(node, "InternalIP")),
    wide("External-IP", (node) => addressOf(node, "ExternalIP")),
    wide("OS-Image", (node) => info(node, "osImage")),
    wide("Kernel-Version", (node) => info(node, "kernelVersion")),
    wide("Container-Runtime", (node) => info(node, "containerRuntimeVersion")),
  ];
}

function statusText({ spec, status }: Node): string {
  const ready = status?.conditions?.findLast(({ type }) => type === "Ready");
  const text = !ready ? "Unknown" : ready.status === "True" ? "Ready" : "NotReady";
  return spec?.unschedulable ? `${text},SchedulingDisabled` : text;
}

const ROLE_PREFIX = "node-role.kubernetes.io/";

function roles({ metadata }: Node): string {
  const found = new Set<string>();
  for (const [key, value] of Object.entries(metadata.labels ?? {})) {
    if (key.startsWith(ROLE_PREFIX) && key.length > ROLE_PREFIX.length)
      found.add(key.slice(ROLE_PREFIX.length));
    else if (key === "kubernetes.io/role" && value !== "") found.add(value);
  }
  return found.size > 0 ? [...found].sort().join(",") : "<none>";
}

function addressOf({ status }: Node, type: string): string {
  return status?.addresses?.find((address) => address.type === type)?.address ?? "<none>";
}
