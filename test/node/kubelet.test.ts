/** Pods that run for real, from their creation to their end. */
import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import { Pod } from "../../src/api/core/pod/pod.ts";
import { hasPodEnded, isPodReady, podCondition } from "../../src/api/core/pod/state.ts";
import type { ContainerStatus } from "../../src/api/schema/core.v1.generated.ts";
import { openContainerRuntime } from "../../src/kubelet/runtime/container-runtime.ts";
import { startNode } from "./harness/kubelet.ts";
import { cannotRunContainers as skip } from "./harness/machine.ts";
import { untilNone } from "./harness/until-there.ts";

const IMAGE = "localhost/busybox:1";
const sh = (script: string) => ["/bin/sh", "-c", script];
/** Ends at once when it is told to. */
const WAIT = "trap 'exit 0' TERM; sleep 3600 & wait";

const waiting = ({ status }: Pod): string | undefined =>
  status?.containerStatuses?.[0]?.state?.waiting?.reason;
const first = ({ status }: Pod): ContainerStatus => status?.containerStatuses?.[0] as ContainerStatus;

test("Kubelet", { skip, timeout: 400_000 }, async (t) => {
  const node = await startNode(t);
  const pods = node.cluster.client.resource(Pod, "default");

  await t.test("runs a pod until it is deleted, and leaves nothing of it", async () => {
    await node.run("web", { containers: [{ name: "main", image: IMAGE, command: sh(WAIT) }] });
    const ready = await node.pod("web", isPodReady);
    assert.equal(ready.status?.phase, "Running");
    assert.match(ready.status?.podIP ?? "", /^198\.19\./);
    assert.deepEqual(ready.status?.hostIPs, [{ ip: "198.18.0.1" }]);
    assert.match(first(ready).containerID ?? "", /^containerd:\/\/[0-9a-f]{64}$/);
    assert.equal(first(ready).started, true);
    assert.equal(podCondition(ready, "PodReadyToStartContainers")?.status, "True");
    assert.equal(podCondition(ready, "Ready")?.observedGeneration, 1);
    await pods.delete("web");
    await node.gone("web");
    assert.equal(existsSync(join(node.paths.root, "pods", ready.metadata.uid ?? "")), false);
  });

  await t.test("tells how pods end that are not restarted", async () => {
    const run = (name: string, script: string) =>
      node.run(name, {
        restartPolicy: "Never",
        containers: [{ name: "main", image: IMAGE, command: sh(script) }],
      });
    await run("good", "echo fine; echo -n done > /dev/termination-log");
    await run("bad", "echo -n broken > /dev/termination-log; exit 3");
    const good = await node.pod("good", hasPodEnded);
    assert.equal(good.status?.phase, "Succeeded");
    const end = first(good).state?.terminated;
    assert.deepEqual([end?.exitCode, end?.reason, end?.message], [0, "Completed", "done"]);
    assert.equal(await node.log(good, "main", (text) => text.endsWith("\n")), "fine\n");
    assert.equal(podCondition(good, "Ready")?.reason, "PodCompleted");
    const bad = await node.pod("bad", hasPodEnded);
    assert.equal(bad.status?.phase, "Failed");
    const failure = first(bad).state?.terminated;
    assert.deepEqual([failure?.exitCode, failure?.reason, failure?.message], [3, "Error", "broken"]);
    for (const name of ["good", "bad"]) {
      await pods.delete(name);
      await node.gone(name);
    }
  });

  await t.test("restarts what crashes, later each time", async () => {
    const command = sh("echo said it >&2; exit 7");
    const container = {
      name: "main",
      image: IMAGE,
      command,
      terminationMessagePolicy: "FallbackToLogsOnError",
    };
    await node.run("crash", { containers: [container] });
    const crashing = await node.pod("crash", (pod) => waiting(pod) === "CrashLoopBackOff");
    assert.equal(crashing.status?.phase, "Running");
    assert.equal(first(crashing).restartCount, 1);
    assert.match(
      first(crashing).state?.waiting?.message ?? "",
      /^back-off 10s restarting failed container=main pod=crash_default\(/,
    );
    assert.equal(first(crashing).lastState?.terminated?.message, "said it\n");
    await pods.delete("crash");
    await node.gone("crash");
  });

  await t.test("runs init containers and sidecars in their order, and ends sidecars last", async () => {
    await node.run("ordered", {
      restartPolicy: "Never",
      terminationGracePeriodSeconds: 60,
      initContainers: [
        {
          name: "one",
          image: IMAGE,
          command: sh("mkfifo /data/go && echo one >> /data/order"),
          volumeMounts: [WORK],
        },
        {
          name: "side",
          image: IMAGE,
          restartPolicy: "Always",
          command: sh(
            "trap 'echo side ends >> /data/order; exit 0' TERM; echo side >> /data/order; sleep 3600 & wait",
          ),
          volumeMounts: [WORK],
          startupProbe: {
            exec: { command: ["grep", "side", "/data/order"] },
            periodSeconds: 1,
            timeoutSeconds: 60,
            failureThreshold: 60,
          },
        },
        { name: "two", image: IMAGE, command: sh("echo two >> /data/order"), volumeMounts: [WORK] },
      ],
      containers: [
        {
          name: "main",
          image: IMAGE,
          command: sh("read line < /data/go; echo main >> /data/order"),
          volumeMounts: [WORK],
        },
      ],
      volumes: [{ name: "shared", emptyDir: {} }],
    });
    const data = (pod: Pod, name: string) =>
      join(node.paths.root, "pods", pod.metadata.uid ?? "", "volumes/kubernetes.io~empty-dir/shared", name);
    const running = await node.pod("ordered", isPodReady);
    assert.deepEqual(
      running.status?.initContainerStatuses?.map(({ name, ready, started }) => [name, ready, started]),
      [
        ["one", true, false],
        ["side", true, true],
        ["two", true, false],
      ],
    );
    assert.equal(await readFile(data(running, "order"), "utf8"), "one\nside\ntwo\n");
    await writeFile(data(running, "go"), "on\n");
    const ended = await node.pod("ordered", hasPodEnded);
    assert.equal(ended.status?.phase, "Succeeded");
    assert.equal(ended.status?.initContainerStatuses?.[1]?.state?.terminated?.exitCode, 0);
    await pods.delete("ordered");
    await node.gone("ordered");
  });

  await t.test("says why a container cannot be started, and starts it when it can", async () => {
    const env = [{ name: "COLOR", valueFrom: { configMapKeyRef: { name: "colors", key: "main" } } }];
    await node.run("wanting", {
      containers: [{ name: "main", image: IMAGE, command: sh(`echo $COLOR; ${WAIT}`), env }],
    });
    const stuck = await node.pod("wanting", (pod) => waiting(pod) === "CreateContainerConfigError");
    assert.equal(first(stuck).state?.waiting?.message, 'configmap "colors" not found');
    assert.equal(stuck.status?.phase, "Pending");
    const maps = node.cluster.client.resource(
      { group: "", version: "v1", kind: "ConfigMap", plural: "configmaps", scope: "Namespaced" },
      "default",
    );
    await maps.create({ metadata: { name: "colors" }, data: { main: "green" } } as never);
    const pod = await node.pod("wanting", isPodReady);
    assert.equal(await node.log(pod, "main", (text) => text.endsWith("\n")), "green\n");
    await node.run("missing", {
      restartPolicy: "Never",
      containers: [{ name: "main", image: IMAGE, command: ["/no/such"] }],
    });
    const missing = await node.pod("missing", hasPodEnded);
    assert.deepEqual(
      [first(missing).state?.terminated?.reason, first(missing).state?.terminated?.exitCode],
      ["StartError", 128],
    );
    await node.run("absent", {
      containers: [{ name: "main", image: "localhost/absent:1", imagePullPolicy: "Never" }],
    });
    await node.pod("absent", (pod) => waiting(pod) === "ErrImageNeverPull");
    for (const name of ["wanting", "missing", "absent"]) {
      await pods.delete(name);
      await node.gone(name);
    }
  });

  await t.test("kills what does not end in time, and at once when told again", async () => {
    const deaf = { name: "main", image: IMAGE, command: sh("trap '' TERM; sleep 3600") };
    await node.run("deaf", { terminationGracePeriodSeconds: 1, containers: [deaf] });
    await node.run("impatient", { terminationGracePeriodSeconds: 600, containers: [deaf] });
    await node.pod("deaf", isPodReady);
    await node.pod("impatient", isPodReady);
    await pods.delete("impatient");
    await pods.delete("deaf");
    await node.gone("deaf");
    await pods.delete("impatient", { gracePeriodSeconds: 1 });
    await node.gone("impatient");
  });

  await t.test("ends pods that run longer than they may", async () => {
    await node.run("late", {
      activeDeadlineSeconds: 1,
      containers: [{ name: "main", image: IMAGE, command: sh(WAIT) }],
    });
    const late = await node.pod("late", hasPodEnded);
    assert.deepEqual([late.status?.phase, late.status?.reason], ["Failed", "DeadlineExceeded"]);
    await pods.delete("late");
    await node.gone("late");
  });

  await t.test("gives back what pods used: no sandbox, container or log of them is left", async () => {
    // It goes after the pods left the API.
    await untilNone(node.paths.podLogs, () => true);
    assert.deepEqual(readdirSync(node.paths.containerLogs), []);
    const runtime = openContainerRuntime(node.containerd.socket);
    t.after(() => runtime.close());
    assert.deepEqual((await runtime.listContainers({})).containers, []);
    assert.deepEqual((await runtime.listPodSandbox({})).items, []);
  });
});

const WORK = { name: "shared", mountPath: "/data" };
