import { nameColumn } from "../core/columns.ts";
import { Node } from "../core/node.ts";
import type { KubeObject } from "../object.ts";
import { defineResource, type RequestContext, type Resource } from "../resource.ts";
import type { MeasuredNode, MetricsSource } from "./metrics-source.ts";
import { measuredAt, type UsageList, usageColumns, usageList } from "./usage.ts";

export interface NodeMetrics extends KubeObject {
  timestamp: string;
  window: string;
  usage: UsageList;
}

/** What each node uses, as `kubectl top nodes` prints it. */
export function nodeMetrics(source: MetricsSource): Resource<NodeMetrics> {
  const told = (measured: MeasuredNode, { ports, now }: RequestContext): NodeMetrics | undefined => {
    const node = ports.reader.get(Node, "", measured.name);
    if (!node) return undefined;
    return {
      apiVersion: "metrics.k8s.io/v1beta1",
      kind: "NodeMetrics",
      metadata: { name: measured.name, creationTimestamp: now, labels: node.metadata.labels },
      ...measuredAt(measured),
      usage: usageList(measured),
    };
  };
  return defineResource<NodeMetrics>({
    group: "metrics.k8s.io",
    version: "v1beta1",
    kind: "NodeMetrics",
    plural: "nodes",
    singular: "",
    scope: "Cluster",
    definition: "metrics.v1beta1.NodeMetrics",
    verbs: ["get", "list"],
    virtual: {
      async get(name, context) {
        const measured = source.node(name);
        return measured && told(measured, context);
      },
      list: async (context) => [...source.nodes()].flatMap((measured) => told(measured, context) ?? []),
    },
    columns: [nameColumn, ...usageColumns<NodeMetrics>(({ usage }, resource) => usage[resource])],
  });
}
