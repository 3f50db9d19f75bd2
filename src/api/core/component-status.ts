import type { KubeObject } from "../object.ts";
import { defineResource } from "../resource.ts";
import { nameColumn } from "./columns.ts";

export interface ComponentCondition {
  type: string;
  status: string;
  message?: string;
  error?: string;
}

export interface ComponentStatus extends KubeObject {
  conditions?: ComponentCondition[];
}

/** Only what this server can vouch for by answering at all: the store it read the caller's rights from. */
const COMPONENTS = ["etcd-0"];

export const ComponentStatus = defineResource<ComponentStatus>({
  group: "",
  version: "v1",
  kind: "ComponentStatus",
  plural: "componentstatuses",
  scope: "Cluster",
  shortNames: ["cs"],
  definition: "core.v1.ComponentStatus",
  deprecated: "v1 ComponentStatus is deprecated in v1.19+",
  verbs: ["get", "list"],
  virtual: {
    get: async (name) => (COMPONENTS.includes(name) ? healthy(name) : undefined),
    list: async () => COMPONENTS.map(healthy),
  },
  columns: [
    nameColumn,
    { name: "Status", type: "string", cell: (component) => (isHealthy(component) ? "Healthy" : "Unhealthy") },
    { name: "Message", type: "string", cell: ({ conditions }) => healthOf(conditions)?.message ?? "" },
    { name: "Error", type: "string", cell: ({ conditions }) => healthOf(conditions)?.error ?? "" },
  ],
});

function healthOf(conditions: ComponentCondition[] | undefined): ComponentCondition | undefined {
  return conditions?.find(({ type }) => type === "Healthy");
}

function isHealthy({ conditions }: ComponentStatus): boolean {
  return healthOf(conditions)?.status === "True";
}

function healthy(name: string): ComponentStatus {
  return {
    apiVersion: "v1",
    kind: "ComponentStatus",
    metadata: { name },
    conditions: [{ type: "Healthy", status: "True", message: "ok" }],
  };
}
