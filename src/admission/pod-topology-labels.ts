import { Node } from "../api/core/node.ts";
import type { KubeObject } from "../api/object.ts";
import type { Ports } from "../api/ports.ts";
import type { Binding, PodSpec } from "../api/schema/core.v1.generated.ts";
import { defineAdmission } from "./plugin.ts";

const LABELS = ["topology.kubernetes.io/zone", "topology.kubernetes.io/region"] as const;

/** Tells a pod by labels where its node is, so that its containers can be told (upstream: KEP-4742). */
export const podTopologyLabels = defineAdmission({
  name: "PodTopologyLabels",
  summary: "Gives pods the zone and region of their node as labels when they get it.",
  on: [
    ["pods", ["CREATE"]],
    ["pods/binding", ["CREATE"]],
  ],
  start: ({ reader }) => ({
    mutate({ object, subresource }) {
      const node = subresource === "" ? nodeOfPod(object) : targetOf(object as Binding);
      const labels = node && labelsOf(reader, node);
      // A binding's labels become the pod's.
      if (labels) object!.metadata.labels = { ...object!.metadata.labels, ...labels };
    },
  }),
});

function nodeOfPod(object: KubeObject | undefined): string | undefined {
  return (object as { spec?: PodSpec }).spec?.nodeName;
}

function targetOf({ target }: Binding): string | undefined {
  return target?.kind === undefined || target.kind === "" || target.kind === "Node"
    ? target?.name
    : undefined;
}

function labelsOf(reader: Ports["reader"], node: string): Record<string, string> | undefined {
  const known = reader.get(Node, "", node)?.metadata.labels;
  if (!known) return undefined;
  let labels: Record<string, string> | undefined;
  for (const key of LABELS) {
    if (!Object.hasOwn(known, key)) continue;
    labels ??= {};
    labels[key] = known[key]!;
  }
  return labels;
}
