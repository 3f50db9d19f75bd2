/** The resource metrics API: who reads it, in which forms, and the autoscaler that goes by it. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { startCollector } from "../../src/addons/metrics/collector.ts";
import { UsageStore } from "../../src/addons/metrics/usage-store.ts";
import { ReplicaSet } from "../../src/api/apps/replica-set.ts";
import { HorizontalPodAutoscaler } from "../../src/api/autoscaling/horizontal-pod-autoscaler.ts";
import { Node } from "../../src/api/core/node.ts";
import { Pod } from "../../src/api/core/pod/pod.ts";
import { ClusterRole } from "../../src/api/rbac/cluster-role.ts";
import { VirtualClock } from "../../src/base/clock.ts";
import type { Client } from "../../src/client/client.ts";
import { Informer } from "../../src/client/informer/informer.ts";
import { startCluster } from "../../src/testing/index.ts";

const NS = "default";
const labels = { app: "web" };
const decoder = new TextDecoder();

interface List {
  kind: string;
  metadata: { resourceVersion?: string };
  items: {
    metadata: { name: string; namespace?: string; labels?: Record<string, string> };
    usage?: object;
  }[];
}

async function read<T = List>(client: Client, path: string, query?: string, accept?: string): Promise<T> {
  const headers = accept === undefined ? undefined : { accept };
  return JSON.parse(
    decoder.decode((await client.request({ method: "GET", path, query, headers })).body),
  ) as T;
}

/** A cluster whose pods use as much as the test says, in thousandths of a core, told as kubelets tell it. */
async function setUp() {
  const clock = new VirtualClock();
  const store = new UsageStore();
  const cluster = await startCluster({ clock, metrics: store, nodes: 2 });
  const { client } = cluster;
  const state = { milliCPU: 100 };
  const used = new Map<string, number>();
  let asked = clock.now();
  const nodes = new Informer<Node>({ client: client.resource(Node), clock, random: () => 0 });
  nodes.start();
  const begun = clock.now() / 1000;
  const ask = async (node: string): Promise<string> => {
    const { items } = await client.resource(Pod).list({ fieldSelector: `spec.nodeName=${node}` });
    const now = clock.now();
    const lines = [
      `node_cpu_usage_seconds_total ${(now - asked) / 1000} ${now}`,
      `node_memory_working_set_bytes 1048576 ${now}`,
    ];
    for (const { metadata, spec } of items) {
      const since = Date.parse(metadata.creationTimestamp ?? "");
      const cpu = used.get(metadata.uid!) ?? 0;
      const more = (state.milliCPU / 1000) * 15;
      used.set(metadata.uid!, cpu + more);
      for (const { name } of spec?.containers ?? []) {
        const of = `{container="${name}",namespace="${metadata.namespace}",pod="${metadata.name}"}`;
        lines.push(
          `container_cpu_usage_seconds_total${of} ${cpu + more} ${now}`,
          `container_memory_working_set_bytes${of} 2097152 ${now}`,
          `container_start_time_seconds${of} ${Math.max(since / 1000, begun)}`,
        );
      }
    }
    return lines.join("\n");
  };
  const collector = startCollector({
    store,
    client,
    nodes,
    ask,
    hasKubelet: () => true,
    clock,
    // Every node is asked each 15 seconds exactly.
    random: () => 0.5,
  });
  asked -= 1000;
  const stop = async (): Promise<void> => {
    await collector.stop();
    await nodes.stop();
    await cluster.stop();
  };
  return { cluster, client, state, store, [Symbol.asyncDispose]: stop };
}

function replicaSet(replicas: number) {
  const resources = { requests: { cpu: "200m" } };
  const template = { metadata: { labels }, spec: { containers: [{ name: "c", image: "i", resources }] } };
  return { metadata: { name: "web" }, spec: { replicas, selector: { matchLabels: labels }, template } };
}

test("usage is told of nodes and pods by name, namespace and selector, as objects and as a table", async () => {
  await using setup = await setUp();
  const { cluster, client } = setup;
  await client.resource(ReplicaSet, NS).create(replicaSet(2));
  await cluster.pass(40_000);
  const base = "/apis/metrics.k8s.io/v1beta1";
  const nodes = await read(client, `${base}/nodes`);
  assert.equal(nodes.kind, "NodeMetricsList");
  assert.deepEqual(
    nodes.items.map(({ metadata }) => metadata.name),
    ["node-0", "node-1"],
  );
  assert.deepEqual(nodes.items[0]?.usage, { cpu: "1", memory: "1Mi" });
  assert.equal(nodes.items[0]?.metadata.labels?.["kubernetes.io/hostname"], "node-0");

  const pods = await read(client, `${base}/pods`);
  assert.equal(pods.items.length, 2);
  const { name } = pods.items[0]!.metadata;
  const one = await read<{ kind: string; window: string; containers: unknown }>(
    client,
    `${base}/namespaces/${NS}/pods/${name}`,
  );
  assert.equal(one.kind, "PodMetrics");
  assert.equal(one.window, "15s");
  assert.deepEqual(one.containers, [{ name: "c", usage: { cpu: "100m", memory: "2Mi" } }]);

  const count = async (path: string, query: string): Promise<number> =>
    (await read(client, `${base}/${path}`, query)).items.length;
  assert.equal(await count(`namespaces/${NS}/pods`, "labelSelector=app%3Dweb"), 2);
  assert.equal(await count(`namespaces/${NS}/pods`, "labelSelector=app%3Dother"), 0);
  assert.equal(await count("pods", `fieldSelector=metadata.name%3D${name}`), 1);
  assert.equal(await count("namespaces/other/pods", ""), 0);
  assert.equal(await count("nodes", "labelSelector=kubernetes.io%2Fhostname%3Dnode-1"), 1);
  await assert.rejects(read(client, `${base}/namespaces/${NS}/pods/none`), /"none" not found/);
  await assert.rejects(read(client, `${base}/pods`, "fieldSelector=spec.x%3D1"), /field label not supported/);

  const accept = "application/json;as=Table;g=meta.k8s.io;v=v1";
  const table = await read<{ columnDefinitions: { name: string }[]; rows: { cells: unknown[] }[] }>(
    client,
    `${base}/nodes`,
    "",
    accept,
  );
  assert.deepEqual(
    table.columnDefinitions.map((column) => column.name),
    ["Name", "cpu", "memory", "Window"],
  );
  assert.deepEqual(table.rows[0]?.cells, ["node-0", "1", "1Mi", "15s"]);
});

test("the metrics API is discovered, described, and readable by those who may view", async () => {
  await using setup = await setUp();
  const { cluster, client } = setup;
  await cluster.settle();
  const group = await read<{ preferredVersion: { groupVersion: string } }>(client, "/apis/metrics.k8s.io");
  assert.equal(group.preferredVersion.groupVersion, "metrics.k8s.io/v1beta1");
  const { resources } = await read<{ resources: object[] }>(client, "/apis/metrics.k8s.io/v1beta1");
  assert.deepEqual(resources, [
    { name: "nodes", singularName: "", namespaced: false, kind: "NodeMetrics", verbs: ["get", "list"] },
    { name: "pods", singularName: "", namespaced: true, kind: "PodMetrics", verbs: ["get", "list"] },
  ]);
  const { components } = await read<{ components: { schemas: Record<string, object> } }>(
    client,
    "/openapi/v3/apis/metrics.k8s.io/v1beta1",
  );
  assert.ok("io.k8s.metrics.pkg.apis.metrics.v1beta1.PodMetrics" in components.schemas);
  const view = await client.resource(ClusterRole).get("view");
  assert.ok(view.rules?.some(({ apiGroups }) => apiGroups?.includes("metrics.k8s.io")));
});

test("an autoscaler adds pods while they are busy, and takes them away when they are idle again", async () => {
  await using setup = await setUp();
  const { cluster, client, state } = setup;
  const sets = client.resource(ReplicaSet, NS);
  await sets.create(replicaSet(2));
  await client.resource(HorizontalPodAutoscaler, NS).create({
    metadata: { name: "web" },
    spec: {
      scaleTargetRef: { apiVersion: "apps/v1", kind: "ReplicaSet", name: "web" },
      minReplicas: 1,
      maxReplicas: 6,
      metrics: [
        {
          type: "Resource",
          resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 50 } },
        },
      ],
    },
  });
  const replicas = async (): Promise<number | undefined> => (await sets.get("web")).spec?.replicas;
  // Half of what was asked for is used, as it should be.
  await cluster.pass(3 * 60_000);
  assert.equal(await replicas(), 2);
  state.milliCPU = 200;
  await cluster.pass(60_000);
  assert.ok((await replicas())! >= 4, String(await replicas()));
  state.milliCPU = 50;
  await cluster.pass(25 * 60_000);
  assert.equal(await replicas(), 1);
  const autoscaler = await client.resource(HorizontalPodAutoscaler, NS).get("web");
  const active = autoscaler.status?.conditions?.find(({ type }) => type === "ScalingActive");
  assert.equal(active?.reason, "ValidMetricFound");
});
