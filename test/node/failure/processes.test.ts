/** Any process of a node is killed, or hangs: what it did goes on, once. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import { Deployment } from "../../../src/api/apps/deployment.ts";
import { Pod } from "../../../src/api/core/pods.ts";
import { runCommand } from "../../../src/host/command.ts";
import { commandOf, processIDs } from "../../../src/host/processes.ts";
import { until } from "../../scenario/until.ts";
import { cannotRunContainers as skip } from "../harness/machine.ts";
import { startTestNode, type TestNode } from "../harness/test-node.ts";
import { killUntilReplaced, processIn } from "./pid-file.ts";
import { containerOf, isReady, podWhere, runScript, untilTold, WAIT } from "./pods.ts";

function containerdPid({ layout }: TestNode): string {
  return join(layout.containerd.run, "pid");
}

async function parentOf(pid: number): Promise<number> {
  return Number(/^PPid:\s+(\d+)$/m.exec(await readFile(`/proc/${pid}/status`, "utf8"))?.[1]);
}

/** The container's own process, and those of its sandbox. */
async function processesOf({ layout }: TestNode, containerID: string) {
  const tasks = join(layout.containerd.run, "state/io.containerd.runtime.v2.task/k8s.io", containerID);
  const container = Number(await readFile(join(tasks, "init.pid"), "utf8"));
  const shim = await parentOf(container);
  for (const pid of await processIDs()) {
    const [program] = (await commandOf(pid)) ?? [];
    if (program === "/pause" && (await parentOf(pid).catch(() => 0)) === shim)
      return { container, shim, pause: pid };
  }
  throw new Error(`no sandbox of ${containerID}`);
}

function deployment(name: string, replicas: number, image: string): Omit<Deployment, "apiVersion" | "kind"> {
  const labels = { app: name };
  const containers = [{ name: "c", image, command: ["/bin/sh", "-c", WAIT] }];
  const spec = { terminationGracePeriodSeconds: 2, containers };
  return {
    metadata: { name },
    spec: { replicas, selector: { matchLabels: labels }, template: { metadata: { labels }, spec } },
  };
}

test("a node whose processes are killed or hang", { skip, timeout: 400_000 }, async (t) => {
  await using node = await startTestNode();
  const pods = node.client.resource(Pod, "default");
  const deployments = node.client.resource(Deployment, "default");
  await runScript(node, "other", WAIT);
  const other = containerOf(await podWhere(node, "other", isReady));

  await t.test("starts a container again whose process was killed", async () => {
    await runScript(node, "killed", WAIT);
    const before = containerOf(await podWhere(node, "killed", isReady));
    process.kill((await processesOf(node, before.id)).container, "SIGKILL");
    const after = await podWhere(node, "killed", (pod) => containerOf(pod).restarts === 1 && isReady(pod));
    const { lastState } = after.status!.containerStatuses![0]!;
    assert.deepEqual([lastState?.terminated?.exitCode, lastState?.terminated?.reason], [137, "Error"]);
  });

  for (const process_ of ["shim", "pause"] as const) {
    await t.test(`gives a pod a new sandbox whose ${process_} process was killed`, async () => {
      await runScript(node, process_, WAIT);
      const before = containerOf(await podWhere(node, process_, isReady));
      process.kill((await processesOf(node, before.id))[process_], "SIGKILL");
      await podWhere(node, process_, (pod) => containerOf(pod).restarts === 1 && isReady(pod));
      const told = "SandboxChanged Pod sandbox changed, it will be killed and re-created.";
      await untilTold(node, process_, told);
    });
  }

  await t.test("starts all pods of a burst in which containerd was killed", async () => {
    const name = "burst";
    await deployments.create(deployment(name, 3, node.images.busybox));
    // The middle of the burst: others are still to be started.
    await node.untilRunning("default", `app=${name}`);
    await killUntilReplaced(containerdPid(node));
    await until(deployments, name, (now) => now?.status?.readyReplicas === 3);
    const { items } = await pods.list({ labelSelector: `app=${name}` });
    // One that was just being started may have been started again.
    for (const pod of items) assert.ok(containerOf(pod).restarts <= 1, JSON.stringify(pod.status));
  });

  await t.test("goes on when containerd answers again, and starts nothing twice", async () => {
    const pid = await processIn(containerdPid(node));
    process.kill(pid, "SIGSTOP");
    await runScript(node, "meanwhile", WAIT);
    // It was asked for the sandbox by now, and does not answer.
    await podWhere(node, "meanwhile", ({ status }) => status?.startTime !== undefined);
    process.kill(pid, "SIGCONT");
    const pod = await podWhere(node, "meanwhile", isReady);
    assert.equal(containerOf(pod).restarts, 0);
    const socket = join(node.layout.containerd.run, "containerd.sock");
    const filter = `labels."io.kubernetes.pod.uid"==${pod.metadata.uid}`;
    const ids = await runCommand("ctr", ["-a", socket, "-n", "k8s.io", "containers", "ls", "-q", filter]);
    assert.equal(ids.trim().split("\n").length, 2, "a sandbox and a container");
  });

  await t.test("leaves everybody else alone", async () => {
    assert.deepEqual(containerOf(await pods.get("other")), other);
  });
});
