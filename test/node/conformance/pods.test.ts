import assert from "node:assert/strict";
import { isIP } from "node:net";
import { Pod } from "../../../src/api/core/pods.ts";
import { until } from "../../scenario/until.ts";
import { behaviour, runningPod, shellPod, type World } from "./behaviour.ts";

const LASTING = shellPod("sleep 1000");

behaviour("[sig-node] Pods should get a host IP [NodeConformance] [Conformance]", async (world) => {
  const pod = await runningPod(world, "web", LASTING);
  assert.equal(pod.status?.hostIP, world.node.address);
  assert.notEqual(isIP(pod.status?.podIP ?? ""), 0);
});

behaviour(
  "[sig-node] Pods should be submitted and removed [NodeConformance] [Conformance]",
  async (world) => {
    const { client, namespace } = world;
    const pods = client.resource(Pod, namespace);
    const spec = {
      ...LASTING,
      terminationGracePeriodSeconds: 30,
      containers: [
        {
          ...LASTING.containers[0]!,
          command: ["/bin/sh", "-c", "trap exit TERM; while :; do sleep 0.1; done"],
        },
      ],
    };
    const running = await runningPod(world, "web", spec, { time: "now" });
    const { items } = await pods.list({ labelSelector: "time=now" });
    assert.deepEqual(
      items.map(({ metadata }) => metadata.uid),
      [running.metadata.uid],
    );
    const leaving = (await pods.delete("web")) as Pod;
    assert.notEqual(leaving.metadata.deletionTimestamp, undefined);
    assert.equal(leaving.metadata.deletionGracePeriodSeconds, 30);
    await until(pods, "web", (pod) => pod === undefined);
    assert.deepEqual((await pods.list({ labelSelector: "time=now" })).items, []);
  },
);

behaviour("[sig-node] Pods should be updated [NodeConformance] [Conformance]", async (world) => {
  const { client, namespace } = world;
  const pods = client.resource(Pod, namespace);
  await runningPod(world, "web", LASTING, { time: "before" });
  await pods.patch("web", { metadata: { labels: { time: "after" } } }, { type: "strategic" });
  const { items } = await pods.list({ labelSelector: "time=after" });
  assert.equal(items[0]?.status?.phase, "Running");
});

behaviour(
  "[sig-node] Pods should allow activeDeadlineSeconds to be updated [NodeConformance] [Conformance]",
  async (world) => {
    const { client, namespace } = world;
    const pods = client.resource(Pod, namespace);
    await runningPod(world, "web", LASTING);
    await pods.patch("web", { spec: { activeDeadlineSeconds: 1 } }, { type: "strategic" });
    const pod = await until(pods, "web", (now) => now?.status?.phase === "Failed");
    assert.equal(pod?.status?.reason, "DeadlineExceeded");
    assert.equal(pod?.status?.message, "Pod was active on the node longer than the specified deadline");
  },
);

behaviour(
  "[sig-node] Pods Extended (pod generation) Pod Generation pod generation should start at 1 and increment per update [MinimumKubeletVersion:1.34] [Conformance]",
  async (world) => {
    const { client, namespace } = world;
    const pods = client.resource(Pod, namespace);
    const made = await runningPod(world, "web", { ...LASTING, activeDeadlineSeconds: 5000 });
    assert.deepEqual([made.metadata.generation, made.status?.observedGeneration], [1, 1]);
    for (const [patch, generation] of [
      [{ metadata: { labels: { some: "label" } } }, 1],
      [{ spec: { activeDeadlineSeconds: 4000 } }, 2],
      [{ spec: { tolerations: [{ key: "any", operator: "Exists" }] } }, 3],
    ] as const) {
      await pods.patch("web", patch, { type: "strategic" });
      const seen = await until(pods, "web", (now) => now?.status?.observedGeneration === generation);
      assert.equal(seen?.metadata.generation, generation);
    }
  },
);

behaviour(
  "[sig-node] Pods Extended (pod generation) Pod Generation custom-set generation on new pods and graceful delete [Conformance]",
  async (world) => {
    const { client, namespace } = world;
    const pods = client.resource(Pod, namespace);
    const made = await pods.create({
      metadata: { name: "web", generation: 100 },
      spec: shellPod("trap '' TERM; while :; do sleep 0.1; done", { terminationGracePeriodSeconds: 2 }),
    });
    assert.equal(made.metadata.generation, 1);
    await until(pods, "web", (pod) => pod?.status?.phase === "Running");
    const leaving = await pods.delete("web");
    assert.equal((leaving as Pod).metadata.generation, 2);
    await until(pods, "web", (pod) => pod === undefined);
  },
);

behaviour(
  "[sig-node] Pods Extended (pod generation) Pod Generation issue 500 podspec updates and verify generation and observedGeneration eventually converge [MinimumKubeletVersion:1.34] [Conformance]",
  async (world) => {
    const { client, namespace } = world;
    const pods = client.resource(Pod, namespace);
    await runningPod(world, "web", LASTING);
    for (let at = 0; at < 499; at++) {
      const patch = { spec: { activeDeadlineSeconds: 10_000 - at } };
      await pods.patch("web", patch, { type: "strategic" });
    }
    const pod = await until(pods, "web", (now) => now?.status?.observedGeneration === 500);
    assert.equal(pod?.metadata.generation, 500);
  },
);

behaviour(
  "[sig-node] Pods should support remote command execution over websockets [NodeConformance] [Conformance]",
  async (world) => {
    await runningPod(world, "web", LASTING);
    const query = "stderr=1&stdout=1&container=main&command=echo&command=remote+execution+test";
    const socket = await world.node.openWebSocket(podPath(world, `exec?${query}`), "v4.channel.k8s.io");
    assert.equal(socket.protocol, "v4.channel.k8s.io");
    assert.equal((await socket.rest()).get(1), "remote execution test\n");
  },
);

behaviour(
  "[sig-node] Pods should support retrieving logs from the container over websockets [NodeConformance] [Conformance]",
  async (world) => {
    const { client, namespace } = world;
    await runningPod(world, "web", shellPod("echo container is alive; sleep 1000"));
    await until(client.resource(Pod, namespace), "web", (pod) => pod?.status?.phase === "Running");
    for (const [protocol, decoded] of [
      ["binary.k8s.io", (payload: Buffer) => payload.toString()],
      ["base64.binary.k8s.io", (payload: Buffer) => Buffer.from(payload.toString(), "base64").toString()],
    ] as const) {
      const socket = await world.node.openWebSocket(
        podPath(world, "log?container=main&follow=true"),
        protocol,
      );
      assert.equal(socket.protocol, protocol);
      let said = "";
      while (!said.includes("\n")) said += decoded((await socket.next())!);
      assert.equal(said, "container is alive\n");
      socket.raw.destroy();
    }
  },
);

function podPath({ namespace }: World, rest: string): string {
  return `/api/v1/namespaces/${namespace}/pods/web/${rest}`;
}
