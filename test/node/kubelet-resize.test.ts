/** Other resources for pods that run. */
import assert from "node:assert/strict";
import test from "node:test";
import { Pod } from "../../src/api/core/pod/pod.ts";
import { isPodReady, podCondition } from "../../src/api/core/pod/state.ts";
import { openCgroupTree } from "../../src/host/cgroups/cgroup-tree.ts";
import { startNode } from "./harness/kubelet.ts";
import { cannotRunContainers as skip } from "./harness/machine.ts";

test("Kubelet resizes pods that run", { skip, timeout: 300_000 }, async (t) => {
  const node = await startNode(t);
  const pods = node.cluster.client.resource(Pod, "default");
  const resize = (name: string, resources: object) =>
    pods.patch(
      name,
      { spec: { containers: [{ name: "main", resources }] } },
      { type: "strategic", subresource: "resize" },
    );
  const command = ["/bin/sh", "-c", "trap 'exit 0' TERM; sleep 3600 & wait"];
  const sized = (cpu: string, memory: string) => ({ requests: { cpu, memory }, limits: { cpu, memory } });
  const main = { name: "main", image: "localhost/busybox:1", command };
  const cpuOf = ({ status }: Pod) => status?.containerStatuses?.[0]?.resources?.limits?.cpu;
  const idOf = ({ status }: Pod) =>
    status?.containerStatuses?.find(({ name }) => name === main.name)?.containerID;

  await node.run("web", {
    containers: [
      {
        ...main,
        resources: sized("100m", "64Mi"),
        resizePolicy: [{ resourceName: "memory", restartPolicy: "RestartContainer" }],
      },
    ],
  });
  const small = await node.pod("web", isPodReady);
  assert.equal(cpuOf(small), "100m");

  await resize("web", sized("200m", "64Mi"));
  const large = await node.pod(
    "web",
    (pod) => cpuOf(pod) === "200m" && !podCondition(pod, "PodResizeInProgress"),
  );
  assert.equal(idOf(large), idOf(small));
  assert.deepEqual(large.status?.containerStatuses?.[0]?.allocatedResources, { cpu: "200m", memory: "64Mi" });
  const tree = openCgroupTree();
  assert.ok(tree);
  const group = `${node.cgroupRoot}/kubepods/pod${small.metadata.uid}/${idOf(small)?.slice("containerd://".length)}`;
  const file = tree.version === 1 ? "cpu.cfs_quota_us" : "cpu.max";
  assert.match((await tree.read(group, file)) ?? "", /^20000\b/);

  await resize("web", sized("50m", "64Mi"));
  await node.pod("web", (pod) => cpuOf(pod) === "50m");
  assert.match((await tree.read(group, file)) ?? "", /^5000\b/);

  await resize("web", sized("50m", "96Mi"));
  const restarted = await node.pod(
    "web",
    (pod) => pod.status?.containerStatuses?.[0]?.restartCount === 1 && isPodReady(pod),
  );
  assert.equal(restarted.status?.containerStatuses?.[0]?.resources?.limits?.memory, "96Mi");

  await resize("web", sized("900", "96Mi"));
  const pending = await node.pod("web", (pod) => podCondition(pod, "PodResizePending") !== undefined);
  assert.deepEqual(
    [podCondition(pending, "PodResizePending")?.reason, podCondition(pending, "PodResizePending")?.message],
    ["Infeasible", "Node didn't have enough capacity: cpu, requested: 900000, capacity: 8000"],
  );
  await resize("web", sized("50m", "96Mi"));
  await node.pod("web", (pod) => podCondition(pod, "PodResizePending") === undefined);

  await node.run("other", { containers: [{ ...main, resources: sized("6", "64Mi") }] });
  await node.pod("other", isPodReady);
  await resize("web", sized("3", "96Mi"));
  await node.pod("web", (pod) => podCondition(pod, "PodResizePending")?.reason === "Deferred");
  await pods.delete("other");
  await node.pod("web", (pod) => cpuOf(pod) === "3");
  await pods.delete("web");
  await node.gone("web");

  const containers = [main, { ...main, name: "limited", resources: sized("50m", "32Mi") }];
  await node.run("whole", { containers, resources: sized("300m", "128Mi") });
  const whole = await node.pod("whole", isPodReady);
  assert.deepEqual(whole.status?.resources, sized("300m", "128Mi"));
  assert.equal(whole.status?.qosClass, "Guaranteed");
  const ofPod = `${node.cgroupRoot}/kubepods/pod${whole.metadata.uid}`;
  const ofMain = `${ofPod}/${idOf(whole)?.slice("containerd://".length)}`;
  assert.match((await tree.read(ofPod, file)) ?? "", /^30000\b/);
  assert.match((await tree.read(ofMain, file)) ?? "", /^30000\b/);
  const spec = { resources: sized("400m", "96Mi") };
  await pods.patch("whole", { spec }, { type: "strategic", subresource: "resize" });
  const resized = await node.pod(
    "whole",
    (pod) =>
      pod.status?.resources?.limits?.cpu === "400m" && podCondition(pod, "PodResizeInProgress") === undefined,
  );
  assert.deepEqual(resized.status?.allocatedResources, { cpu: "400m", memory: "96Mi" });
  assert.match((await tree.read(ofPod, file)) ?? "", /^40000\b/);
  assert.match((await tree.read(ofMain, file)) ?? "", /^40000\b/);
  const memory = tree.version === 1 ? "memory.limit_in_bytes" : "memory.max";
  assert.equal(Number(await tree.read(ofPod, memory)), 96 * 2 ** 20);
  assert.equal(resized.status?.containerStatuses?.[0]?.restartCount, 0);
  await pods.delete("whole");
  await node.gone("whole");
  assert.deepEqual(node.warnings, []);
});
