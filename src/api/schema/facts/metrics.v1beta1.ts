import type { Facts } from "../facts.ts";

/** Upstream serves it beside the API server (k8s.io/metrics), so the client's models lack it. */
export const metricsV1beta1: Facts = {
  id: "metrics.v1beta1",
  group: "metrics.k8s.io",
  unserved: true,
  deletable: false,
  messages: `
  ContainerMetrics: 1 name! string, 2 usage! {Quantity}
  NodeMetrics@: 1 metadata meta.v1.ObjectMeta, 2 timestamp! Time, 3 window! Duration, 4 usage! {Quantity}
  NodeMetricsList@: 1 metadata meta.v1.ListMeta, 2 items! [NodeMetrics]
  PodMetrics@: 1 metadata meta.v1.ObjectMeta, 2 timestamp! Time, 3 window! Duration,
    4 containers! [ContainerMetrics]
  PodMetricsList@: 1 metadata meta.v1.ListMeta, 2 items! [PodMetrics]
  `,
  merging: `
  PodMetrics: containers atomic
  `,
};
