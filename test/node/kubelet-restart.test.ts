/** A kubelet that ends, and another that comes in its place. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { watch } from "node:fs/promises";
import test from "node:test";
import { Pod } from "../../src/api/core/pod/pod.ts";
import { hasPodEnded, isPodReady } from "../../src/api/core/pod/state.ts";
import { startNode } from "./harness/kubelet.ts";
import { cannotRunContainers as skip } from "./harness/machine.ts";

const IMAGE = "localhost/busybox:1";
const WAIT = ["/bin/sh", "-c", "trap 'exit 0' TERM; sleep 3600 & wait"];

test("Kubelet that is restarted goes on with what runs, and ends what was deleted meanwhile", {
  skip,
  timeout: 120_000,
}, async (t) => {
  const node = await startNode(t);
  const pods = node.cluster.client.resource(Pod, "default");
  const probed = { exec: { command: ["true"] }, periodSeconds: 1 };
  await node.run("stays", {
    containers: [{ name: "main", image: IMAGE, command: WAIT, readinessProbe: probed }],
  });
  await node.run("goes", { containers: [{ name: "main", image: IMAGE, command: WAIT }] });
  await node.run("ends", {
    restartPolicy: "Never",
    containers: [{ name: "main", image: IMAGE, command: ["sleep", "2"] }],
  });
  const before = await node.pod("stays", isPodReady);
  await node.pod("goes", isPodReady);
  await node.pod("ends", isPodReady);
  await node.restart(async () => {
    await pods.delete("goes", { gracePeriodSeconds: 0 });
    await node.gone("goes");
  });
  // Both become another status: what happened while no kubelet ran is told, the rest is not touched.
  const ended = await node.pod("ends", hasPodEnded);
  assert.equal(ended.status?.phase, "Succeeded");
  const changes = watch(node.paths.podLogs, { signal: AbortSignal.timeout(20_000) });
  const goes = (): boolean =>
    readdirSync(node.paths.podLogs).some((name) => name.startsWith("default_goes_"));
  if (goes()) for await (const _ of changes) if (!goes()) break;
  const after = await pods.get("stays");
  assert.deepEqual(after.status, before.status);
  assert.deepEqual(node.warnings, []);
});
