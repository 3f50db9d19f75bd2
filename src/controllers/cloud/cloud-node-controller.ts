/**
 * Tells the cluster what the cloud knows of a node (upstream: k8s.io/cloud-provider/controllers/node). A node that
 * says it was not looked at yet keeps pods off by a taint until that is done.
 */
import { Node } from "../../api/core/node.ts";
import type { Client } from "../../client/client.ts";
import type { WorkResult } from "../../client/work-queue/work-queue.ts";
import { deepEqual } from "../../machinery/json/equal.ts";
import { hasTaint } from "../nodes/taints.ts";
import type { Instance } from "../runtime/cloud-provider.ts";
import { defineController, input } from "../runtime/controller.ts";
import { cloudOf } from "./local-provider.ts";

const UNINITIALIZED = { key: "node.cloudprovider.kubernetes.io/uninitialized", effect: "NoSchedule" };
/** Upstream's --node-status-update-frequency: addresses may change, and a cloud cannot be watched. */
const ADDRESSES_EVERY_MS = 5 * 60_000;

export const cloudNodeController = defineController<{ nodes: Node }>({
  name: "cloud-node-controller",
  account: "node-controller",
  inputs: { nodes: input(Node, ({ key, now, was }) => (now && (!was || isNew(now)) ? [key] : [])) },
  start({ client, events, settings }, { nodes }) {
    const { instances } = cloudOf(settings);
    return async (name): Promise<WorkResult> => {
      const node = nodes.get("", name);
      if (!node || !instances) return undefined;
      const instance = await instances.find(node);
      if (!instance) {
        if (isNew(node)) throw new Error(`the cloud does not know node ${name}`);
        return { after: ADDRESSES_EVERY_MS };
      }
      let latest = node;
      if (isNew(node)) {
        latest = await initialize(client, node, instance);
        events.record(node, "Normal", "Synced", "Node synced successfully");
      }
      await updateAddresses(client, latest, instance);
      return { after: ADDRESSES_EVERY_MS };
    };
  },
});

function isNew({ spec }: Node): boolean {
  return hasTaint(spec?.taints, UNINITIALIZED);
}

/** The labels that the cloud knows the values of. */
export function cloudLabels({ instanceType, zone, region }: Instance): Record<string, string> {
  const labels: Record<string, string> = {};
  const add = (value: string | undefined, ...names: string[]): void => {
    if (value) for (const name of names) labels[name] = value;
  };
  add(instanceType, "node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type");
  add(zone, "topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone");
  add(region, "topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region");
  return labels;
}

function initialize(client: Client, node: Node, instance: Instance): Promise<Node> {
  const { metadata, spec } = node;
  const taints = (spec?.taints ?? []).filter((taint) => !hasTaint([taint], UNINITIALIZED));
  const patch = {
    metadata: { resourceVersion: metadata.resourceVersion, labels: cloudLabels(instance) },
    spec: {
      ...(!spec?.providerID && { providerID: instance.providerID }),
      taints: taints.length > 0 ? taints : null,
    },
  };
  return client.resource(Node).patch(metadata.name!, patch, { type: "strategic" });
}

async function updateAddresses(client: Client, node: Node, { addresses }: Instance): Promise<void> {
  if (addresses.length === 0 || deepEqual(node.status?.addresses, addresses)) return;
  await client
    .resource(Node)
    .updateStatus({ ...node, status: { ...node.status, addresses: [...addresses] } });
}
