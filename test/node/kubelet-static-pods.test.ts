/** Pods of a folder, and their mirrors in the API. */
import assert from "node:assert/strict";
import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import { Pod } from "../../src/api/core/pod/pod.ts";
import { isPodReady } from "../../src/api/core/pod/state.ts";
import { NODE, startNode } from "./harness/kubelet.ts";
import { cannotRunContainers as skip } from "./harness/machine.ts";

const manifest = (greeting: string): string => `apiVersion: v1
kind: Pod
metadata:
  name: agent
  namespace: default
spec:
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: localhost/busybox:1
    command: ["/bin/sh", "-c", "trap 'exit 0' TERM; sleep 3600 & wait"]
    env:
    - name: GREETING
      value: ${greeting}
`;

test("Kubelet runs static pods, with a mirror of each in the API", { skip, timeout: 300_000 }, async (t) => {
  const node = await startNode(t, { staticPods: true });
  const pods = node.cluster.client.resource(Pod, "default");
  const file = join(node.paths.staticPods ?? "", "agent.yaml");
  const name = `agent-${NODE}`;
  /** At once: a kubelet may look at any time. */
  const write = async (text: string): Promise<void> => {
    const draft = join(node.containerd.directory, "agent.yaml");
    await writeFile(draft, text);
    await rename(draft, file);
  };
  await write(manifest("hello"));
  const mirror = await node.pod(name, isPodReady);
  assert.equal(mirror.metadata.annotations?.["kubernetes.io/config.source"], "file");
  assert.equal(mirror.metadata.ownerReferences?.[0]?.name, NODE);
  const container = mirror.status?.containerStatuses?.[0]?.containerID;

  await pods.delete(name);
  const again = await node.pod(name, (pod) => pod.metadata.uid !== mirror.metadata.uid && isPodReady(pod));
  assert.equal(again.status?.containerStatuses?.[0]?.containerID, container);

  await write(manifest("good morning"));
  const other = await node.pod(
    name,
    (pod) => isPodReady(pod) && pod.spec?.containers[0]?.env?.[0]?.value === "good morning",
  );
  assert.notEqual(other.status?.containerStatuses?.[0]?.containerID, container);

  await rm(file);
  await node.gone(name);
  assert.deepEqual(node.warnings, []);
});
