import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import { createKubeletMetrics } from "./kubelet-metrics.ts";

test("the kubelet tells what it runs, what it ended and who it is", () => {
  const pod = (name: string, more: Partial<Pod>): Pod => ({
    apiVersion: "v1",
    kind: "Pod",
    ...more,
    metadata: { name, ...more.metadata },
  });
  const container = (name: string, state: object, containerID = "containerd://x") =>
    ({ name, image: "i", imageID: "", ready: true, restartCount: 0, containerID, state }) as never;
  const pods = [
    pod("running", {
      status: {
        phase: "Running",
        podIPs: [{ ip: "10.0.0.1" }],
        containerStatuses: [container("a", { running: {} }), container("b", { terminated: { exitCode: 0 } })],
      },
    }),
    pod("pending", {
      metadata: { annotations: { "kubernetes.io/config.source": "file" } },
      status: { phase: "Pending", containerStatuses: [container("a", { waiting: {} }, "")] },
    }),
    pod("done", { status: { phase: "Succeeded", podIPs: [{ ip: "10.0.0.2" }] } }),
  ];
  const metrics = createKubeletMetrics({
    nodeName: "n1",
    pods: { list: () => pods },
    build: { git_version: "v1.36.2", platform: "linux/amd64" },
  });
  metrics.evicted("memory.available");
  metrics.evicted("memory.available");
  const lines = metrics.exposition().split("\n");
  for (const line of [
    'kubelet_node_name{node="n1"} 1',
    "kubelet_running_pods 1",
    'kubelet_running_containers{container_state="created"} 0',
    'kubelet_running_containers{container_state="exited"} 1',
    'kubelet_running_containers{container_state="running"} 1',
    'kubelet_desired_pods{static=""} 2',
    'kubelet_desired_pods{static="true"} 1',
    'kubelet_evictions{eviction_signal="memory.available"} 2',
    'kubernetes_build_info{git_version="v1.36.2",platform="linux/amd64"} 1',
  ]) {
    assert.ok(lines.includes(line), line);
  }
  const rss = lines.find((line) => line.startsWith("process_resident_memory_bytes "));
  assert.ok(Number(rss?.split(" ")[1]) > 0);
});
