/** What users see of preemption beyond what the conformance suite asks, and how pods get volumes that wait for them. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Node } from "../../src/api/core/node.ts";
import { PersistentVolume } from "../../src/api/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../../src/api/core/persistent-volume-claim.ts";
import { podCondition } from "../../src/api/core/pod/state.ts";
import { Pod } from "../../src/api/core/pods.ts";
import { PodDisruptionBudget } from "../../src/api/policy/pod-disruption-budget.ts";
import { PriorityClass } from "../../src/api/scheduling/priority-class.ts";
import { StorageClass } from "../../src/api/storage/storage-class.ts";
import { isReason } from "../../src/client/status.ts";
import { type Cluster, type KubeObject, startCluster, VirtualClock } from "../../src/testing/index.ts";
import { until } from "./until.ts";

const FOO = "example.com/foo";
const EVENTS = {
  group: "events.k8s.io",
  version: "v1",
  kind: "Event",
  plural: "events",
  scope: "Namespaced",
} as const;

async function clusterOf(nodes: number, amount: number) {
  const cluster = await startCluster({ clock: new VirtualClock(), nodes });
  const { client } = cluster;
  const { items } = await client.resource(Node).list();
  const status = { capacity: { [FOO]: String(amount) }, allocatable: { [FOO]: String(amount) } };
  for (const { metadata } of items) {
    const as = { type: "merge", subresource: "status" } as const;
    await client.resource(Node).patch(metadata.name!, { status }, as);
  }
  const classes = client.resource(PriorityClass);
  await classes.create({ metadata: { name: "low" }, value: 1 });
  await classes.create({ metadata: { name: "high" }, value: 1000 });
  await classes.create({ metadata: { name: "patient" }, value: 1000, preemptionPolicy: "Never" });
  return { cluster, nodes: items.map(({ metadata }) => metadata.name!) };
}

function create(
  { client }: Cluster,
  name: string,
  priorityClassName: string,
  amount: number,
  more: object = {},
) {
  const amounts = { [FOO]: String(amount) };
  const resources = { requests: amounts, limits: amounts };
  return client.resource(Pod, "default").create({
    metadata: { name, labels: { name } },
    spec: { priorityClassName, containers: [{ name: "main", image: "web:1", resources }], ...more },
  });
}

async function podOf({ client }: Cluster, name: string): Promise<Pod | undefined> {
  try {
    return await client.resource(Pod, "default").get(name);
  } catch (error) {
    if (isReason(error, "NotFound")) return undefined;
    throw error;
  }
}

const isRunning = async (cluster: Cluster, name: string) =>
  (await podOf(cluster, name))?.status?.phase === "Running";

test("preemption tells of itself by an event of the victim and the nominated node", async () => {
  const { cluster, nodes } = await clusterOf(1, 1);
  await using _ = cluster;
  await create(cluster, "victim", "low", 1);
  await cluster.run({ until: () => isRunning(cluster, "victim") });
  const pods = cluster.client.resource(Pod, "default");
  // Watched from before it is made: with the binding, the nomination goes.
  const nominated = until(pods, "preemptor", (pod) => pod?.status?.nominatedNodeName !== undefined);
  const { metadata } = await create(cluster, "preemptor", "high", 1);
  await cluster.run({ until: () => isRunning(cluster, "preemptor") });
  assert.equal((await nominated)?.status?.nominatedNodeName, nodes[0]);
  assert.equal((await pods.get("preemptor")).status?.nominatedNodeName, undefined);
  assert.equal(await podOf(cluster, "victim"), undefined);
  const { items } = await cluster.client
    .resource<KubeObject & Record<string, unknown>>(EVENTS, "default")
    .list();
  const event = items.find(({ reason }) => reason === "Preempted");
  assert.equal((event!.regarding as { name: string }).name, "victim");
  assert.equal((event!.related as { name: string }).name, "preemptor");
  assert.equal(event?.action, "Preempting");
  assert.equal(event?.note, `Preempted by pod ${metadata.uid} on node ${nodes[0]}`);
});

test("a pod whose preemption policy is Never waits, and is told so", async () => {
  const { cluster } = await clusterOf(1, 1);
  await using _ = cluster;
  await create(cluster, "there", "low", 1);
  await cluster.run({ until: () => isRunning(cluster, "there") });
  await create(cluster, "patient", "patient", 1);
  const condition = async () => {
    const pod = await podOf(cluster, "patient");
    return pod && podCondition(pod, "PodScheduled");
  };
  await cluster.run({ until: async () => (await condition())?.reason === "Unschedulable" });
  assert.equal(
    (await condition())?.message,
    "0/1 nodes are available: 1 Insufficient example.com/foo. no new claims to deallocate, preemption: not eligible due to preemptionPolicy=Never.",
  );
  assert.ok(await isRunning(cluster, "there"));
});

test("preemption spares pods that a disruption budget protects, where others will do", async () => {
  const { cluster, nodes } = await clusterOf(2, 1);
  await using _ = cluster;
  const on = (node: string) => ({ nodeSelector: { "kubernetes.io/hostname": node } });
  await create(cluster, "guarded", "low", 1, on(nodes[0]!));
  await create(cluster, "free", "low", 1, on(nodes[1]!));
  for (const name of ["guarded", "free"]) await cluster.run({ until: () => isRunning(cluster, name) });
  const budgets = cluster.client.resource(PodDisruptionBudget, "default");
  const selector = { matchLabels: { name: "guarded" } };
  await budgets.create({ metadata: { name: "guard" }, spec: { minAvailable: 1, selector } });
  await cluster.run({ until: async () => (await budgets.get("guard")).status?.expectedPods === 1 });
  await create(cluster, "preemptor", "high", 1);
  await cluster.run({ until: () => isRunning(cluster, "preemptor") });
  assert.equal((await podOf(cluster, "preemptor"))?.spec?.nodeName, nodes[1]);
  assert.ok(await isRunning(cluster, "guarded"));
  assert.equal(await podOf(cluster, "free"), undefined);
});

test("a claim that waits for its first consumer gets a volume of the node that the scheduler chose", async () => {
  const { cluster, nodes } = await clusterOf(2, 1);
  await using _ = cluster;
  const { client } = cluster;
  await client.resource(StorageClass).create({
    metadata: { name: "local" },
    provisioner: "kubernetes.io/no-provisioner",
    volumeBindingMode: "WaitForFirstConsumer",
  });
  const claims = client.resource(PersistentVolumeClaim, "default");
  await claims.create({
    metadata: { name: "data" },
    spec: {
      accessModes: ["ReadWriteOnce"],
      storageClassName: "local",
      resources: { requests: { storage: "1Gi" } },
    },
  });
  await client.resource(PersistentVolume).create({
    metadata: { name: "disk" },
    spec: {
      accessModes: ["ReadWriteOnce"],
      capacity: { storage: "1Gi" },
      storageClassName: "local",
      local: { path: "/mnt/disk" },
      nodeAffinity: {
        required: {
          nodeSelectorTerms: [
            { matchExpressions: [{ key: "kubernetes.io/hostname", operator: "In", values: [nodes[1]!] }] },
          ],
        },
      },
    },
  });
  const volumes = [{ name: "data", persistentVolumeClaim: { claimName: "data" } }];
  await create(cluster, "consumer", "low", 1, { volumes });
  await cluster.run({ until: () => isRunning(cluster, "consumer") });
  assert.equal((await podOf(cluster, "consumer"))?.spec?.nodeName, nodes[1]);
  const claim = await claims.get("data");
  assert.equal(claim.status?.phase, "Bound");
  assert.equal(claim.spec?.volumeName, "disk");
});
