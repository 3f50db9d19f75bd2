/** What goes wrong on a node, and how pods come through it. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import test from "node:test";
import { Pod } from "../../src/api/core/pod/pod.ts";
import { hasPodEnded, isPodReady, podCondition } from "../../src/api/core/pod/state.ts";
import type { EphemeralContainer } from "../../src/api/schema/core.v1.generated.ts";
import { openContainerRuntime } from "../../src/kubelet/runtime/container-runtime.ts";
import { startNode } from "./harness/kubelet.ts";
import { cannotRunContainers as skip } from "./harness/machine.ts";

const image = "localhost/busybox:1";
const sh = (script: string): string[] => ["/bin/sh", "-c", script];
const command = sh("trap 'exit 0' TERM; sleep 3600 & wait");
const main = { name: "main", image, command };
const idOf = ({ status }: Pod): string | undefined => status?.containerStatuses?.[0]?.containerID;

/** The process whose command line has all of these. */
function processWith(...words: string[]): number {
  for (const pid of readdirSync("/proc")) {
    if (!/^\d+$/.test(pid)) continue;
    try {
      const line = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
      if (words.every((word) => line.some((one) => one.includes(word))) && line[0]?.endsWith("containerd"))
        return Number(pid);
    } catch {
      // It ended meanwhile.
    }
  }
  throw new Error(`no process of ${words}`);
}

test("Kubelet", { skip, timeout: 400_000 }, async (t) => {
  const node = await startNode(t);
  const pods = node.cluster.client.resource(Pod, "default");

  await t.test("goes on when the runtime was killed, and its containers with it", async () => {
    await node.run("survivor", { containers: [main] });
    const before = await node.pod("survivor", isPodReady);
    process.kill(processWith(node.containerd.directory), "SIGKILL");
    await node.run("next", { containers: [main] });
    await node.pod("next", isPodReady);
    const after = await pods.get("survivor");
    assert.equal(idOf(after), idOf(before));
    assert.equal(after.status?.containerStatuses?.[0]?.restartCount, 0);
    await pods.delete("survivor");
    await node.gone("survivor");
    await pods.delete("next");
    await node.gone("next");
    node.warnings.length = 0;
  });

  await t.test("gives a pod a new sandbox where the old one was lost", async () => {
    await node.run("homeless", {
      containers: [main],
      initContainers: [{ name: "init", image, command: ["true"] }],
    });
    const before = await node.pod("homeless", isPodReady);
    const runtime = openContainerRuntime(node.containerd.socket);
    const podSandboxId = await node.kubelet.pods.sandboxID(before.metadata.uid ?? "");
    const { info } = await runtime.podSandboxStatus({ podSandboxId, verbose: true });
    runtime.close();
    // Stopped by the CRI, its containers would end before it, and could begin once more in it.
    process.kill((JSON.parse(info.get("info") ?? "") as { pid: number }).pid, "SIGKILL");
    const after = await node.pod("homeless", (pod) => isPodReady(pod) && idOf(pod) !== idOf(before));
    assert.notEqual(after.status?.podIP, before.status?.podIP);
    assert.equal(after.status?.initContainerStatuses?.[0]?.restartCount, 1);
    await node.event("homeless", "SandboxChanged", "Pod sandbox changed, it will be killed and re-created.");
    await pods.delete("homeless");
    await node.gone("homeless");
  });

  await t.test("refuses pods that the node has no room for, or that may not be here", async () => {
    await node.run("large", { containers: [{ ...main, resources: { requests: { cpu: "9" } } }] });
    const large = await node.pod("large", hasPodEnded);
    assert.deepEqual(
      [large.status?.phase, large.status?.reason, large.status?.message],
      [
        "Failed",
        "OutOfcpu",
        "Pod was rejected: Node didn't have enough resource: cpu, requested: 9000, used: 0, capacity: 8000",
      ],
    );
    await node.run("elsewhere", { containers: [main], nodeSelector: { "kubernetes.io/os": "plan9" } });
    assert.equal((await node.pod("elsewhere", hasPodEnded)).status?.reason, "NodeAffinity");
    await node.run("unsafe", {
      containers: [main],
      securityContext: { sysctls: [{ name: "kernel.msgmax", value: "1" }] },
    });
    assert.equal((await node.pod("unsafe", hasPodEnded)).status?.reason, "SysctlForbidden");
    for (const name of ["large", "elsewhere", "unsafe"]) {
      await pods.delete(name);
      await node.gone(name);
    }
  });

  await t.test("evicts", async () => {
    await node.run("victim", { containers: [main] });
    const pod = await node.pod("victim", isPodReady);
    const message = "The node was low on resource: memory.";
    await node.kubelet.pods.evict(pod.metadata.uid ?? "", {
      reason: "Evicted",
      message,
      disruption: "TerminationByKubelet",
      graceSeconds: 0,
    });
    const evicted = await node.pod("victim", hasPodEnded);
    assert.deepEqual(
      [evicted.status?.phase, evicted.status?.reason, evicted.status?.message],
      ["Failed", "Evicted", message],
    );
    assert.equal(podCondition(evicted, "DisruptionTarget")?.reason, "TerminationByKubelet");
    await pods.delete("victim");
    await node.gone("victim");
  });

  await t.test("restarts a container whose hook after its start fails", async () => {
    const lifecycle = { postStart: { exec: { command: sh("exit 1") } } };
    await node.run("unhooked", { containers: [{ ...main, lifecycle }] });
    await node.pod(
      "unhooked",
      ({ status }) => status?.containerStatuses?.[0]?.state?.waiting?.reason === "CrashLoopBackOff",
    );
    await node.event("unhooked", "FailedPostStartHook", "PostStartHook failed");
    await pods.delete("unhooked");
    await node.gone("unhooked");
  });

  await t.test("runs ephemeral containers in pods, among the processes of a container", async () => {
    const exec = { command: sh("ps -o args | grep -q '^sleep 3600'") };
    const readinessProbe = { exec, periodSeconds: 1, timeoutSeconds: 60 };
    await node.run("subject", { containers: [{ ...main, readinessProbe }] });
    await node.pod("subject", isPodReady);
    const debug: EphemeralContainer = {
      name: "debug",
      image,
      command: sh("ps -o args | grep -q '^sleep 3600' && echo -n seen > /dev/termination-log"),
      terminationMessagePath: "/dev/termination-log",
      terminationMessagePolicy: "File",
      imagePullPolicy: "IfNotPresent",
      targetContainerName: "main",
    };
    await pods.patch(
      "subject",
      { spec: { ephemeralContainers: [debug] } },
      { type: "strategic", subresource: "ephemeralcontainers" },
    );
    const pod = await node.pod(
      "subject",
      ({ status }) => status?.ephemeralContainerStatuses?.[0]?.state?.terminated !== undefined,
    );
    assert.equal(pod.status?.ephemeralContainerStatuses?.[0]?.state?.terminated?.message, "seen");
    assert.ok(isPodReady(pod));
    await pods.delete("subject");
    await node.gone("subject");
  });

  await t.test("tells that memory ran out", async () => {
    const eat = sh("x=a; while true; do x=$x$x; done");
    await node.run("hungry", {
      restartPolicy: "Never",
      containers: [{ name: "main", image, command: eat, resources: { limits: { memory: "24Mi" } } }],
    });
    const endOf = ({ status }: Pod) => status?.containerStatuses?.[0]?.state?.terminated;
    // The runtime may tell of the end first.
    const hungry = await node.pod("hungry", (pod) => hasPodEnded(pod) && endOf(pod)?.reason === "OOMKilled");
    assert.equal(endOf(hungry)?.exitCode, 137);
    await pods.delete("hungry");
    await node.gone("hungry");
  });
  assert.deepEqual(node.warnings, []);
});
