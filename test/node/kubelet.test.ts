/** Pods that run for real, from their creation to their end. */
import assert from "node:assert/strict";
import test from "node:test";
import { Pod } from "../../src/api/core/pod/pod.ts";
import { isPodReady } from "../../src/api/core/pod/state.ts";
import { startNode } from "./harness/kubelet.ts";
import { cannotRunContainers as skip } from "./harness/machine.ts";

test("Kubelet runs a pod until it is deleted", { skip, timeout: 120_000 }, async (t) => {
  const node = await startNode(t);
  await node.run("web", {});
  const ready = await node.pod("web", isPodReady);
  assert.equal(ready.status?.phase, "Running");
  assert.match(ready.status?.podIP ?? "", /^198\.19\./);
  assert.match(ready.status?.containerStatuses?.[0]?.containerID ?? "", /^containerd:\/\/[0-9a-f]{64}$/);
  await node.cluster.client.resource(Pod, "default").delete("web");
  await node.gone("web");
  assert.deepEqual(node.warnings, []);
});
