/** What real containers use, as the kubelet's server tells it. */
import assert from "node:assert/strict";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import type { Pod } from "../../src/api/schema/core.v1.generated.ts";
import { systemClock } from "../../src/base/clock.ts";
import { openCgroupTree } from "../../src/host/cgroups/cgroup-tree.ts";
import { readMachineFacts } from "../../src/host/machine/machine-facts.ts";
import { containerResources } from "../../src/kubelet/resources/container-resources.ts";
import { startPodCgroups } from "../../src/kubelet/resources/pod-cgroups.ts";
import { openContainerRuntime } from "../../src/kubelet/runtime/container-runtime.ts";
import { createKubeletStats } from "../../src/kubelet/stats/kubelet-stats.ts";
import { startContainerd } from "./harness/containerd.ts";
import { BUSYBOX } from "./harness/images.ts";
import { cannotRunContainers } from "./harness/machine.ts";

const skip = cannotRunContainers;
const UID = "0f0f0f0f-0000-4000-8000-000000000001";
/** Uses CPU and network. */
const WORK = "ping -c 1 127.0.0.1; i=0; while [ $i -lt 200000 ]; do i=$((i+1)); done";

test("what a pod uses is told from its control groups, its network and its disk", { skip }, async (t) => {
  const tree = openCgroupTree();
  assert.ok(tree);
  const root = `/kybern-test-stats-${process.pid}`;
  t.after(() => tree.remove(root));
  const [containerd, machine, cgroups] = await Promise.all([
    startContainerd(t),
    readMachineFacts(),
    startPodCgroups({ tree, driver: "cgroupfs", root }),
  ]);
  const runtime = openContainerRuntime(containerd.socket);
  t.after(() => runtime.close());
  const paths = { root: join(containerd.directory, "kubelet"), podLogs: join(containerd.directory, "logs") };
  await mkdir(paths.root);
  const limits = { cpu: "500m", memory: "64Mi" };
  const container = { name: "c", image: BUSYBOX, resources: { requests: { memory: "32Mi" }, limits } };
  const pod: Pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web", namespace: "default", uid: UID },
    spec: { containers: [container] },
  };
  const config = {
    metadata: { name: "web", uid: UID, namespace: "default", attempt: 0 },
    logDirectory: join(paths.podLogs, `default_web_${UID}`),
    linux: { cgroupParent: await cgroups.ensure(pod) },
  };
  const { podSandboxId } = await runtime.runPodSandbox({ config });
  const settings = { memoryCapacity: machine.memoryBytes, cgroupVersion: tree.version, lowestOomScoreAdj: 0 };
  const { containerId } = await runtime.createContainer({
    podSandboxId,
    config: {
      metadata: { name: "c" },
      image: { image: BUSYBOX },
      logPath: "c/0.log",
      linux: { resources: containerResources(pod, container, settings) },
    },
    sandboxConfig: config,
  });
  await mkdir(join(config.logDirectory, "c"), { recursive: true });
  await runtime.startContainer({ containerId });
  const started = await runtime.containerStatus({ containerId });
  const startedAt = new Date((started.status?.startedAt ?? 0) / 1e6).toISOString();
  pod.status = {
    startTime: startedAt,
    containerStatuses: [
      {
        name: "c",
        image: BUSYBOX,
        imageID: "",
        ready: true,
        restartCount: 0,
        containerID: `containerd://${containerId}`,
        state: { running: { startedAt } },
      },
    ],
  };
  await runtime.execSync({ containerId, cmd: ["/bin/sh", "-c", WORK], timeout: 120 });
  const stats = createKubeletStats({
    nodeName: "n",
    machine,
    tree,
    cgroups,
    pods: { list: () => [pod], sandboxID: async () => podSandboxId },
    runtime,
    paths,
    clock: systemClock,
  });

  const { node, pods } = await stats.summary();
  assert.equal(pods.length, 1);
  const [told] = pods[0]!.containers;
  assert.ok(told!.cpu!.usageCoreNanoSeconds! > 1e7, JSON.stringify(told));
  assert.ok(told!.memory!.workingSetBytes! > 4096);
  assert.ok(told!.memory!.availableBytes! < 64 * 2 ** 20);
  // The runtime measures layers every ten seconds: what was written is not counted yet.
  assert.ok(told!.rootfs!.capacityBytes! > 0);
  assert.ok(told!.logs!.usedBytes! >= 0);
  assert.ok(pods[0]!["ephemeral-storage"]!.usedBytes! >= told!.logs!.usedBytes!);
  assert.equal(pods[0]!.network?.name, "eth0");
  assert.ok(pods[0]!.cpu!.usageCoreNanoSeconds! >= told!.cpu!.usageCoreNanoSeconds!);
  assert.ok(pods[0]!.process_stats!.process_count! >= 2);
  assert.ok(node.memory!.availableBytes! > 0 && node.fs!.capacityBytes! > 0);
  assert.ok(node.rlimit!.curproc! > 0);

  const resource = await stats.resourceMetrics();
  assert.match(
    resource,
    /container_cpu_usage_seconds_total\{container="c",namespace="default",pod="web"\} [\d.]+ \d{13}/,
  );
  const cadvisor = await stats.cadvisorMetrics();
  assert.match(
    cadvisor,
    new RegExp(`container_spec_memory_limit_bytes\\{container="c",id="[^"]*${containerId}`),
  );
  assert.match(cadvisor, /container_network_receive_bytes_total\{container="POD",[^}]*interface="eth0"/);
  await runtime.stopPodSandbox({ podSandboxId });
  await cgroups.remove(UID);
});
