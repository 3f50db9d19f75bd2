import assert from "node:assert/strict";
import { Pod } from "../../../src/api/core/pods.ts";
import type { Container, ContainerStatus, PodSpec } from "../../../src/api/schema/core.v1.generated.ts";
import { until } from "../../scenario/until.ts";
import {
  behaviour,
  isReady,
  outputOf,
  runningPod,
  shell,
  shellPod,
  untilSaid,
  updated,
  type World,
} from "./behaviour.ts";

const statusOf = (pod: Pod | undefined, at = 0): ContainerStatus | undefined =>
  pod?.status?.containerStatuses?.[at];

async function watched(
  { client, namespace }: World,
  spec: PodSpec,
  is: (pod: Pod | undefined) => boolean,
): Promise<Pod> {
  const pods = client.resource(Pod, namespace);
  await pods.create({ metadata: { name: "watched" }, spec });
  return (await until(pods, "watched", is))!;
}

/* How containers end. */

behaviour(
  "[sig-node] Container Runtime blackbox test when starting a container that exits should run with the expected status [NodeConformance] [Conformance]",
  async (world) => {
    const volumes = [{ name: "restarts", emptyDir: {} }];
    const volumeMounts = [{ name: "restarts", mountPath: "/restarts" }];
    // Exits as often as it was told to with 1, then runs on or exits with 0.
    const command = (last: string): string =>
      `test -e /restarts/1 && { test -e /restarts/2 && ${last}; touch /restarts/2; exit 1; }; touch /restarts/1; exit 1`;
    const pods = world.client.resource(Pod, world.namespace);
    const run = async (name: string, restartPolicy: string, last: string): Promise<void> => {
      const spec = shellPod(command(last), { restartPolicy, volumes }, { volumeMounts });
      await pods.create({ metadata: { name }, spec });
    };
    await Promise.all([
      run("always", "Always", "exec sleep 1000"),
      run("onfailure", "OnFailure", "exit 0"),
      run("never", "Never", "exit 0"),
    ]);
    const always = await until(pods, "always", (pod) => statusOf(pod)?.restartCount === 2 && isReady(pod!));
    assert.deepEqual(
      [always?.status?.phase, Object.keys(statusOf(always)?.state ?? {})],
      ["Running", ["running"]],
    );
    const onFailure = await until(pods, "onfailure", (pod) => pod?.status?.phase === "Succeeded");
    assert.deepEqual([statusOf(onFailure)?.restartCount, statusOf(onFailure)?.ready], [2, false]);
    const never = await until(pods, "never", (pod) => pod?.status?.phase === "Failed");
    assert.equal(statusOf(never)?.restartCount, 0);
  },
);

async function messageOf(
  world: World,
  command: string,
  container: Partial<Container>,
): Promise<string | undefined> {
  const spec = shellPod(command, {}, container);
  const pod = await watched(world, spec, (now) => statusOf(now)?.state?.terminated !== undefined);
  return statusOf(pod)?.state?.terminated?.message;
}

const FALLBACK = { terminationMessagePolicy: "FallbackToLogsOnError" };

behaviour(
  "[sig-node] Container Runtime blackbox test on terminated container should report termination message as empty when pod succeeds and TerminationMessagePolicy FallbackToLogsOnError is set [NodeConformance] [Conformance]",
  async (world) => {
    assert.equal(await messageOf(world, "echo DONE", FALLBACK), undefined);
  },
);
behaviour(
  "[sig-node] Container Runtime blackbox test on terminated container should report termination message from file when pod succeeds and TerminationMessagePolicy FallbackToLogsOnError is set [NodeConformance] [Conformance]",
  async (world) => {
    const command = "printf OK > /dev/termination-log; echo DONE";
    assert.equal(await messageOf(world, command, FALLBACK), "OK");
  },
);
behaviour(
  "[sig-node] Container Runtime blackbox test on terminated container should report termination message from log output if TerminationMessagePolicy FallbackToLogsOnError is set [NodeConformance] [Conformance]",
  async (world) => {
    assert.match((await messageOf(world, "printf DONE; exit 1", FALLBACK)) ?? "", /^DONE\n?$/);
  },
);
behaviour(
  "[sig-node] Container Runtime blackbox test on terminated container should report termination message if TerminationMessagePath is set as non-root user and at a non-default path [NodeConformance] [Conformance]",
  async (world) => {
    const container = {
      terminationMessagePath: "/dev/termination-custom-log",
      securityContext: { runAsUser: 1000 },
    };
    assert.equal(await messageOf(world, "printf DONE > /dev/termination-custom-log", container), "DONE");
  },
);

/* Init containers. */

const init = (name: string, command: string): Container => shell(command, { name });

behaviour(
  "[sig-node] InitContainer [NodeConformance] should invoke init containers on a RestartNever pod [Conformance]",
  async (world) => {
    const spec = shellPod("true", { initContainers: [init("init1", "true"), init("init2", "true")] });
    const pod = await watched(world, spec, (now) => now?.status?.phase === "Succeeded");
    const initialized = pod.status?.conditions?.find(({ type }) => type === "Initialized");
    assert.equal(initialized?.status, "True");
    assert.deepEqual(
      pod.status?.initContainerStatuses?.map(({ state }) => state?.terminated?.exitCode),
      [0, 0],
    );
  },
);

behaviour(
  "[sig-node] InitContainer [NodeConformance] should invoke init containers on a RestartAlways pod [Conformance]",
  async (world) => {
    const initContainers = [init("init1", "true"), init("init2", "true")];
    const spec = shellPod("sleep 1000", { initContainers, restartPolicy: "Always" });
    const pod = await watched(world, spec, (now) => now !== undefined && isReady(now));
    assert.deepEqual(
      pod.status?.initContainerStatuses?.map(({ ready, state }) => [ready, state?.terminated?.exitCode]),
      [
        [true, 0],
        [true, 0],
      ],
    );
  },
);

behaviour(
  "[sig-node] InitContainer [NodeConformance] should not start app containers if init containers fail on a RestartAlways pod [Conformance]",
  async (world) => {
    const initContainers = [init("init1", "false"), init("init2", "true")];
    const spec = shellPod("sleep 1000", { initContainers, restartPolicy: "Always" });
    const pod = await watched(
      world,
      spec,
      (now) => (now?.status?.initContainerStatuses?.[0]?.restartCount ?? 0) >= 2,
    );
    assert.equal(pod.status?.phase, "Pending");
    assert.equal(statusOf(pod)?.state?.waiting?.reason, "PodInitializing");
    const initialized = pod.status?.conditions?.find(({ type }) => type === "Initialized");
    assert.deepEqual([initialized?.status, initialized?.reason], ["False", "ContainersNotInitialized"]);
    assert.equal(initialized?.message, "containers with incomplete status: [init1 init2]");
  },
);

behaviour(
  "[sig-node] InitContainer [NodeConformance] should not start app containers and fail the pod if init containers fail on a RestartNever pod [Conformance]",
  async (world) => {
    const initContainers = [init("init1", "true"), init("init2", "false")];
    const spec = shellPod("true", { initContainers });
    const pod = await watched(world, spec, (now) => now?.status?.phase === "Failed");
    assert.equal(statusOf(pod)?.state?.waiting?.reason, "PodInitializing");
    const initialized = pod.status?.conditions?.find(({ type }) => type === "Initialized");
    assert.equal(initialized?.message, "containers with incomplete status: [init2]");
  },
);

/* Hooks. */

/** Long before it is told to, which is after the hook, it knows what to do then. */
const ENDS = "trap 'exit 0' TERM; sleep 1000 & wait";

/** A pod that says of each request what was asked for; its address. */
async function listener(world: World): Promise<string> {
  const command = "mkdir /tmp/www; exec httpd -f -vv -p 8080 -h /tmp/www";
  const readinessProbe = { tcpSocket: { port: 8080 }, periodSeconds: 1 };
  const pod = await runningPod(world, "listener", shellPod(command, {}, { readinessProbe }));
  return pod.status!.podIP!;
}

function untilHeard(world: World, path: string): Promise<void> {
  return untilSaid(world, "listener", `url:${path}`);
}

async function deleted({ client, namespace }: World, name: string): Promise<void> {
  const pods = client.resource(Pod, namespace);
  await pods.delete(name);
  await until(pods, name, (pod) => pod === undefined);
}

behaviour(
  "[sig-node] Container Lifecycle Hook when create a pod with lifecycle hook should execute poststart exec hook properly [NodeConformance] [Conformance]",
  async (world) => {
    const ip = await listener(world);
    const exec = { command: ["/bin/sh", "-c", `wget -q -O - http://${ip}:8080/poststart; true`] };
    await runningPod(world, "hooked", shellPod("sleep 1000", {}, { lifecycle: { postStart: { exec } } }));
    await untilHeard(world, "/poststart");
  },
);

behaviour(
  "[sig-node] Container Lifecycle Hook when create a pod with lifecycle hook should execute poststart http hook properly [NodeConformance] [Conformance]",
  async (world) => {
    const httpGet = { host: await listener(world), port: 8080, path: "/poststart" };
    await runningPod(world, "hooked", shellPod("sleep 1000", {}, { lifecycle: { postStart: { httpGet } } }));
    await untilHeard(world, "/poststart");
  },
);

behaviour(
  "[sig-node] Container Lifecycle Hook when create a pod with lifecycle hook should execute prestop exec hook properly [NodeConformance] [Conformance]",
  async (world) => {
    const ip = await listener(world);
    const exec = { command: ["/bin/sh", "-c", `wget -q -O - http://${ip}:8080/prestop`] };
    const pod = shellPod(ENDS, { terminationGracePeriodSeconds: 60 }, { lifecycle: { preStop: { exec } } });
    await runningPod(world, "hooked", pod);
    await deleted(world, "hooked");
    await untilHeard(world, "/prestop");
  },
);

behaviour(
  "[sig-node] Container Lifecycle Hook when create a pod with lifecycle hook should execute prestop http hook properly [NodeConformance] [Conformance]",
  async (world) => {
    const httpGet = { host: await listener(world), port: 8080, path: "/prestop" };
    const pod = shellPod(
      ENDS,
      { terminationGracePeriodSeconds: 60 },
      { lifecycle: { preStop: { httpGet } } },
    );
    await runningPod(world, "hooked", pod);
    await deleted(world, "hooked");
    await untilHeard(world, "/prestop");
  },
);

behaviour("[sig-node] PreStop should call prestop when killing a pod [Conformance]", async (world) => {
  const ip = await listener(world);
  const exec = { command: ["wget", "-q", "-O", "-", "--post-data=received", `http://${ip}:8080/write`] };
  const pod = shellPod(ENDS, { terminationGracePeriodSeconds: 60 }, { lifecycle: { preStop: { exec } } });
  await runningPod(world, "tester", pod);
  await deleted(world, "tester");
  await untilHeard(world, "/write");
});

/* Ephemeral containers. */

async function addEphemeral({ client, namespace }: World, name: string): Promise<Pod | undefined> {
  const pods = client.resource(Pod, namespace);
  await updated(pods, "debugged", "ephemeralcontainers", ({ spec }) => ({
    ephemeralContainers: [
      ...(spec?.ephemeralContainers ?? []),
      { ...shell("echo here; sleep 1000", { name }), targetContainerName: "main" },
    ],
  }));
  return until(pods, "debugged", (now) =>
    (now?.status?.ephemeralContainerStatuses ?? []).some(
      (one) => one.name === name && one.state?.running !== undefined,
    ),
  );
}

behaviour(
  "[sig-node] Ephemeral Containers [NodeConformance] will start an ephemeral container in an existing pod [Conformance]",
  async (world) => {
    await runningPod(world, "debugged", shellPod("sleep 1000"));
    const pod = await addEphemeral(world, "debugger");
    assert.equal(statusOf(pod)?.restartCount, 0);
  },
);

behaviour(
  "[sig-node] Ephemeral Containers [NodeConformance] should update the ephemeral containers in an existing pod [Conformance]",
  async (world) => {
    await runningPod(world, "debugged", shellPod("sleep 1000"));
    await addEphemeral(world, "debugger-1");
    const pod = await addEphemeral(world, "debugger-2");
    assert.equal(pod?.spec?.ephemeralContainers?.length, 2);
    assert.equal(pod?.status?.ephemeralContainerStatuses?.length, 2);
  },
);

/* What a container sees. */

behaviour(
  "[sig-node] Kubelet when scheduling a busybox command in a pod should print the output to logs [NodeConformance] [Conformance]",
  async (world) => {
    const said = await outputOf(world, shellPod("echo Hello; echo World >&2"));
    // Two streams: which of them is read first nobody knows.
    assert.deepEqual(said.trim().split("\n").sort(), ["Hello", "World"]);
  },
);

behaviour(
  "[sig-node] Kubelet when scheduling a busybox command that always fails in a pod should have an terminated reason [NodeConformance] [Conformance]",
  async (world) => {
    const spec = shellPod("", {}, { command: ["/bin/false"] });
    const pod = await watched(world, spec, (now) => statusOf(now)?.state?.terminated !== undefined);
    const { exitCode, reason } = statusOf(pod)?.state?.terminated ?? {};
    assert.deepEqual([exitCode, reason], [1, "Error"]);
  },
);

behaviour(
  "[sig-node] Kubelet when scheduling a busybox command that always fails in a pod should be possible to delete [NodeConformance] [Conformance]",
  async (world) => {
    const spec = shellPod("", { restartPolicy: "Always" }, { command: ["/bin/false"] });
    await watched(world, spec, (now) => (statusOf(now)?.restartCount ?? 0) > 0);
    await deleted(world, "watched");
  },
);

behaviour(
  "[sig-node] Kubelet when scheduling a read only busybox container should not write to root filesystem [LinuxOnly] [NodeConformance] [Conformance]",
  async (world) => {
    const container = { securityContext: { readOnlyRootFilesystem: true } };
    const said = await outputOf(world, shellPod("echo test > /file; ls /file; true", {}, container));
    assert.match(said, /Read-only file system/);
  },
);

behaviour(
  "[sig-node] Kubelet when scheduling an agnhost Pod with hostAliases should write entries to /etc/hosts [NodeConformance] [Conformance]",
  async (world) => {
    const hostAliases = [{ ip: "123.45.67.89", hostnames: ["foo", "bar"] }];
    const said = await outputOf(world, shellPod("cat /etc/hosts", { hostAliases }));
    assert.match(said, /^# Kubernetes-managed hosts file\.$/m);
    assert.match(said, /^123\.45\.67\.89\tfoo\tbar$/m);
  },
);

behaviour(
  "[sig-node] KubeletManagedEtcHosts should test kubelet managed /etc/hosts file [NodeConformance] [Conformance]",
  async (world) => {
    const managed = /^# Kubernetes-managed hosts file/m;
    const volumes = [{ name: "own", hostPath: { path: "/etc/hosts", type: "File" } }];
    const volumeMounts = [{ name: "own", mountPath: "/etc/hosts" }];
    const cat = "cat /etc/hosts";
    assert.match(await outputOf(world, shellPod(cat)), managed);
    assert.doesNotMatch(await outputOf(world, shellPod(cat, { volumes }, { volumeMounts })), managed);
    assert.doesNotMatch(
      await outputOf(world, shellPod(cat, { hostNetwork: true })),
      /^# Kubernetes-managed hosts file\.$/m,
    );
  },
);
