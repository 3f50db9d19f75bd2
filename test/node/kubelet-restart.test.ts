/** A kubelet that ends, and another that comes in its place. */
import assert from "node:assert/strict";
import test from "node:test";
import { Pod } from "../../src/api/core/pod/pod.ts";
import { hasPodEnded, isPodReady } from "../../src/api/core/pod/state.ts";
import { openContainerRuntime } from "../../src/kubelet/runtime/container-runtime.ts";
import { endsWhenTold, startNode } from "./harness/kubelet.ts";
import { cannotRunContainers as skip } from "./harness/machine.ts";
import { untilNone } from "./harness/until-there.ts";

const main = { name: "main", image: "localhost/busybox:1", ...endsWhenTold() };

test("Kubelet that is restarted goes on with what runs, and ends what was deleted meanwhile", {
  skip,
  timeout: 300_000,
}, async (t) => {
  const node = await startNode(t);
  const pods = node.cluster.client.resource(Pod, "default");
  await node.run("stays", { containers: [main] });
  await node.run("goes", { containers: [main] });
  await node.run("ends", { restartPolicy: "Never", containers: [main] });
  const before = await node.pod("stays", isPodReady);
  await node.pod("goes", isPodReady);
  const ends = await node.pod("ends", isPodReady);
  const runtime = openContainerRuntime(node.containerd.socket);
  t.after(() => runtime.close());
  await node.restart(async () => {
    const [, containerId = ""] = ends.status?.containerStatuses?.[0]?.containerID?.split("//") ?? [];
    await runtime.stopContainer({ containerId, timeout: 60 }, 90_000);
    await pods.delete("goes", { gracePeriodSeconds: 0 });
    await node.gone("goes");
  });
  // Both become another status: what happened while no kubelet ran is told, the rest is not touched.
  const ended = await node.pod("ends", hasPodEnded);
  assert.equal(ended.status?.phase, "Succeeded");
  await untilNone(node.paths.podLogs, (name) => name.startsWith("default_goes_"));
  const after = await pods.get("stays");
  assert.deepEqual(after.status, before.status);
  assert.deepEqual(node.warnings, []);
});
