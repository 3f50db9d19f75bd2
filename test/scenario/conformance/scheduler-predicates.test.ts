import assert from "node:assert/strict";
import { Node } from "../../../src/api/core/node.ts";
import { podCondition } from "../../../src/api/core/pod/state.ts";
import { Pod } from "../../../src/api/core/pods.ts";
import { behaviour, type World } from "./behaviour.ts";
import { NODES } from "./workload.ts";

function podsOf({ client, namespace }: World) {
  return client.resource(Pod, namespace);
}

function podOf(name: string, spec: object = {}, container: object = {}) {
  return {
    metadata: { name },
    spec: { containers: [{ name: "main", image: "web:1", ...container }], ...spec },
  };
}

async function placed(world: World, name: string): Promise<string> {
  let node = "";
  await world.until(async () => {
    node = (await podsOf(world).get(name)).spec?.nodeName ?? "";
    return node !== "";
  });
  return node;
}

/** It gets no node, and its condition says why. */
async function refused(world: World, name: string, why: RegExp): Promise<void> {
  await world.until(async () => {
    const condition = podCondition(await podsOf(world).get(name), "PodScheduled");
    return condition?.status === "False" && condition.reason === "Unschedulable";
  });
  await world.cluster.pass(60_000);
  const pod = await podsOf(world).get(name);
  assert.equal(pod.spec?.nodeName, undefined);
  assert.match(podCondition(pod, "PodScheduled")?.message ?? "", why);
}

behaviour(
  "[sig-scheduling] SchedulerPredicates [Serial] validates resource limits of pods that are allowed to run [Conformance]",
  async (world) => {
    const { items } = await world.client.resource(Node).list();
    for (const { status, metadata } of items) {
      const cpu = Number(status?.allocatable?.cpu ?? 0);
      assert.ok(cpu > 0);
      const amounts = { cpu: `${cpu * 700}m` };
      const filler = podOf(
        `filler-${metadata.name}`,
        { nodeSelector: { "kubernetes.io/hostname": metadata.name } },
        { resources: { requests: amounts, limits: amounts } },
      );
      await podsOf(world).create(filler);
      assert.equal(await placed(world, filler.metadata.name), metadata.name);
    }
    const cpu = Number(items[0]?.status?.allocatable?.cpu);
    const resources = { requests: { cpu: `${cpu * 500}m` } };
    await podsOf(world).create(podOf("additional", {}, { resources }));
    await refused(world, "additional", /^0\/2 nodes are available: 2 Insufficient cpu\./);
  },
  NODES,
);

behaviour(
  "[sig-scheduling] SchedulerPredicates [Serial] validates that NodeSelector is respected if matching [Conformance]",
  async (world) => {
    const nodes = world.client.resource(Node);
    const [, chosen] = (await nodes.list()).items;
    const name = chosen?.metadata.name ?? "";
    await nodes.patch(name, { metadata: { labels: { "example.com/chosen": "42" } } }, { type: "strategic" });
    await podsOf(world).create(podOf("selects", { nodeSelector: { "example.com/chosen": "42" } }));
    assert.equal(await placed(world, "selects"), name);
  },
  NODES,
);

behaviour(
  "[sig-scheduling] SchedulerPredicates [Serial] validates that NodeSelector is respected if not matching [Conformance]",
  async (world) => {
    await podsOf(world).create(podOf("selects", { nodeSelector: { label: "nonempty" } }));
    await refused(world, "selects", /2 node\(s\) didn't match Pod's node affinity\/selector/);
  },
  NODES,
);

behaviour(
  "[sig-scheduling] SchedulerPredicates [Serial] validates that there exists conflict between pods with same hostPort and protocol but one using 0.0.0.0 hostIP [Conformance]",
  async (world) => {
    const [node] = (await world.client.resource(Node).list()).items;
    const nodeSelector = { "kubernetes.io/hostname": node?.metadata.name };
    const port = { containerPort: 8080, hostPort: 54322, protocol: "TCP" };
    await podsOf(world).create(podOf("all", { nodeSelector }, { ports: [{ ...port, hostIP: "0.0.0.0" }] }));
    await placed(world, "all");
    const one = { ports: [{ ...port, hostIP: "127.0.0.1" }] };
    await podsOf(world).create(podOf("one", { nodeSelector }, one));
    await refused(world, "one", /1 node\(s\) didn't have free ports for the requested pod ports/);
    const udp = { ports: [{ ...port, protocol: "UDP" }] };
    await podsOf(world).create(podOf("udp", { nodeSelector }, udp));
    assert.equal(await placed(world, "udp"), node?.metadata.name);
  },
  NODES,
);
