import { nameColumn } from "../core/columns.ts";
import { Pod } from "../core/pod/pod.ts";
import type { KubeObject } from "../object.ts";
import { defineResource, type RequestContext, type Resource } from "../resource.ts";
import type { MeasuredPod, MetricsSource } from "./metrics-source.ts";
import { measuredAt, sum, type UsageList, usageColumns, usageList } from "./usage.ts";

export interface PodMetrics extends KubeObject {
  timestamp: string;
  window: string;
  containers: { name: string; usage: UsageList }[];
}

/** What each pod uses, by container: what autoscalers go by. */
export function podMetrics(source: MetricsSource): Resource<PodMetrics> {
  const told = (measured: MeasuredPod, { ports, now }: RequestContext): PodMetrics | undefined => {
    const { namespace, name } = measured;
    const pod = ports.reader.get(Pod, namespace, name);
    // What has ended uses nothing any more.
    if (pod?.status?.phase !== "Running") return undefined;
    return {
      apiVersion: "metrics.k8s.io/v1beta1",
      kind: "PodMetrics",
      metadata: { name, namespace, creationTimestamp: now, labels: pod.metadata.labels },
      ...measuredAt(measured),
      containers: measured.containers.map((container) => ({
        name: container.name,
        usage: usageList(container),
      })),
    };
  };
  return defineResource<PodMetrics>({
    group: "metrics.k8s.io",
    version: "v1beta1",
    kind: "PodMetrics",
    plural: "pods",
    singular: "",
    scope: "Namespaced",
    definition: "metrics.v1beta1.PodMetrics",
    verbs: ["get", "list"],
    virtual: {
      async get(name, context, namespace) {
        const measured = source.pod(namespace, name);
        return measured && told(measured, context);
      },
      list: async (context, namespace) =>
        [...source.pods(namespace)].flatMap((measured) => told(measured, context) ?? []),
    },
    columns: [
      nameColumn,
      ...usageColumns<PodMetrics>(({ containers }, resource) =>
        sum(
          containers.map(({ usage }) => usage),
          resource,
        ),
      ),
    ],
  });
}
