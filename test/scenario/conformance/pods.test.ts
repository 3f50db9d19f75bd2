import assert from "node:assert/strict";
import { Node } from "../../../src/api/core/node.ts";
import { Pod } from "../../../src/api/core/pods.ts";
import { RuntimeClass } from "../../../src/api/node/runtime-class.ts";
import { behaviour, maybe, names, type World } from "./behaviour.ts";
import { NODES, templateOf } from "./workload.ts";

const { spec: SPEC } = templateOf("web");
const TAINT = { key: "e2e-evict", value: "yes", effect: "NoExecute" };

behaviour(
  "[sig-node] Pods should delete a collection of pods [Conformance]",
  async ({ client, namespace, until }) => {
    const pods = client.resource(Pod, namespace);
    const labels = { type: "Testing" };
    for (const name of ["one", "two", "three"]) {
      await pods.create({ metadata: { name, labels }, spec: { ...SPEC, terminationGracePeriodSeconds: 1 } });
    }
    assert.equal((await names(pods, "type=Testing")).length, 3);
    await pods.deleteCollection({ labelSelector: "type=Testing" });
    await until(async () => (await names(pods, "type=Testing")).length === 0);
  },
  NODES,
);

behaviour(
  "[sig-node] Pods should patch a pod status [Conformance]",
  async (world) => {
    const { client, namespace } = world;
    await running(world, "web");
    const pods = client.resource(Pod, namespace);
    const condition = { type: "E2E", status: "True", message: "Patched by a test", reason: "E2E" };
    await pods.patch(
      "web",
      { status: { conditions: [condition] } },
      { type: "strategic", subresource: "status" },
    );
    const found = (await pods.get("web")).status?.conditions?.find(({ type }) => type === "E2E");
    assert.equal(found?.message, "Patched by a test");
  },
  NODES,
);

behaviour(
  "[sig-node] Pods should run through the lifecycle of Pods and PodStatus [Conformance]",
  async (world) => {
    const { client, namespace, until } = world;
    const pods = client.resource(Pod, namespace);
    const { metadata } = await running(world, "web");
    await pods.patch(
      "web",
      { metadata: { labels: { patched: "yes" } }, spec: { containers: [{ name: "main", image: "web:2" }] } },
      { type: "strategic" },
    );
    await until(async () => {
      const { status } = await pods.get("web");
      return status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
    });
    const now = await pods.get("web");
    assert.equal(now.spec?.containers[0]?.image, "web:2");
    const conditions = now.status?.conditions?.map((one) =>
      one.type === "Ready" ? { ...one, status: "False" } : one,
    );
    const replaced = await pods.updateStatus({ ...now, status: { ...now.status, conditions } });
    assert.equal(replaced.status?.conditions?.find(({ type }) => type === "Ready")?.status, "False");
    await pods.deleteCollection({ labelSelector: "patched=yes" });
    await until(async () => (await maybe(pods, "web"))?.metadata.uid !== metadata.uid);
  },
  NODES,
);

behaviour(
  "[sig-node] Pods Extended Pods Set QOS Class should be set on Pods with matching resource requests and limits for memory and cpu [Conformance]",
  async ({ client, namespace }) => {
    const amounts = { cpu: "100m", memory: "100Mi" };
    const container = { ...SPEC.containers[0]!, resources: { limits: amounts, requests: amounts } };
    const spec = { containers: [container] };
    const pods = client.resource(Pod, namespace);
    await pods.create({ metadata: { name: "guaranteed" }, spec });
    assert.equal((await pods.get("guaranteed")).status?.qosClass, "Guaranteed");
  },
);

behaviour(
  "[sig-storage] CSIInlineVolumes should support CSIVolumeSource in Pod API [Conformance]",
  async ({ client, namespace, until }) => {
    const pods = client.resource(Pod, namespace);
    const csi = { driver: "e2e.example.com", readOnly: true, volumeAttributes: { shape: "round" } };
    const made = await pods.create({
      metadata: { name: "inline", labels: { csi: "yes" } },
      spec: { ...SPEC, volumes: [{ name: "data", csi }] },
    });
    assert.deepEqual(made.spec?.volumes?.find(({ name }) => name === "data")?.csi, csi);
    assert.deepEqual(await names(pods, "csi=yes"), ["inline"]);
    await pods.patch("inline", { metadata: { labels: { patched: "yes" } } }, { type: "merge" });
    assert.deepEqual(await names(pods, "patched=yes"), ["inline"]);
    await pods.delete("inline");
    await until(async () => (await maybe(pods, "inline")) === undefined);
  },
);

behaviour(
  "[sig-node] RuntimeClass should schedule a Pod requesting a RuntimeClass without PodOverhead [NodeConformance] [Conformance]",
  async (world) => {
    await world.client.resource(RuntimeClass).create({ metadata: { name: "plain" }, handler: "runc" });
    const pod = await running(world, "web", { runtimeClassName: "plain" });
    assert.equal(pod.spec?.overhead, undefined);
  },
  NODES,
);

behaviour(
  "[sig-node] RuntimeClass should schedule a Pod requesting a RuntimeClass and initialize its Overhead [NodeConformance] [Conformance]",
  async (world) => {
    const podFixed = { cpu: "10m", memory: "1Mi" };
    const overhead = { podFixed };
    await world.client
      .resource(RuntimeClass)
      .create({ metadata: { name: "heavy" }, handler: "runc", overhead });
    const pod = await running(world, "web", { runtimeClassName: "heavy" });
    assert.deepEqual(pod.spec?.overhead, podFixed);
  },
  NODES,
);

for (const codename of [
  "[sig-node] RuntimeClass should reject a Pod requesting a deleted RuntimeClass [NodeConformance] [Conformance]",
  "[sig-node] RuntimeClass should reject a Pod requesting a non-existent RuntimeClass [NodeConformance] [Conformance]",
]) {
  behaviour(codename, async ({ client, namespace }) => {
    const classes = client.resource(RuntimeClass);
    if (codename.includes("deleted")) {
      await classes.create({ metadata: { name: "gone" }, handler: "runc" });
      await classes.delete("gone");
    }
    const pod = { metadata: { name: "web" }, spec: { ...SPEC, runtimeClassName: "gone" } };
    await assert.rejects(client.resource(Pod, namespace).create(pod), { reason: "Forbidden" });
  });
}

behaviour(
  "[sig-node] NoExecuteTaintManager Single Pod [Serial] removing taint cancels eviction [Disruptive] [Conformance]",
  async (world) => {
    const { client, namespace, cluster } = world;
    const pod = await running(world, "web", { tolerations: [tolerating(60)] });
    const node = pod.spec!.nodeName!;
    await client.resource(Node).patch(node, { spec: { taints: [TAINT] } }, { type: "strategic" });
    await cluster.pass(30_000);
    await client.resource(Node).patch(node, { spec: { taints: null } }, { type: "merge" });
    await cluster.pass(120_000);
    const still = await client.resource(Pod, namespace).get("web");
    assert.equal(still.metadata.uid, pod.metadata.uid);
    assert.equal(still.metadata.deletionTimestamp, undefined);
  },
  { nodes: 1 },
);

behaviour(
  "[sig-node] NoExecuteTaintManager Multiple Pods [Serial] evicts pods with minTolerationSeconds [Disruptive] [Conformance]",
  async (world) => {
    const { client, namespace, cluster } = world;
    const pods = client.resource(Pod, namespace);
    const short = await running(world, "short", { tolerations: [tolerating(20)] });
    await running(world, "long", { tolerations: [tolerating(80)] });
    await client
      .resource(Node)
      .patch(short.spec!.nodeName!, { spec: { taints: [TAINT] } }, { type: "strategic" });
    await cluster.pass(10_000);
    assert.deepEqual(await names(pods), ["long", "short"]);
    await cluster.pass(45_000);
    assert.deepEqual(await names(pods), ["long"]);
    await cluster.pass(65_000);
    assert.deepEqual(await names(pods), []);
  },
  { nodes: 1 },
);

function tolerating(tolerationSeconds: number) {
  return { key: TAINT.key, operator: "Equal", value: TAINT.value, effect: TAINT.effect, tolerationSeconds };
}

async function running({ client, namespace, until }: World, name: string, more: object = {}): Promise<Pod> {
  const pods = client.resource(Pod, namespace);
  await pods.create({ metadata: { name }, spec: { ...SPEC, ...more } });
  await until(async () => (await pods.get(name)).status?.phase === "Running");
  return pods.get(name);
}
