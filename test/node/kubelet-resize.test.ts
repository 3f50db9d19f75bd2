/** Other resources for pods that run. */
import assert from "node:assert/strict";
import test from "node:test";
import { Pod } from "../../src/api/core/pod/pod.ts";
import { isPodReady, podCondition } from "../../src/api/core/pod/state.ts";
import { openCgroupTree } from "../../src/host/cgroups/cgroup-tree.ts";
import { startNode } from "./harness/kubelet.ts";
import { cannotRunContainers as skip } from "./harness/machine.ts";

test("Kubelet resizes pods that run", { skip, timeout: 120_000 }, async (t) => {
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
  const idOf = ({ status }: Pod) => status?.containerStatuses?.[0]?.containerID;

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
  assert.deepEqual(node.warnings, []);
});
