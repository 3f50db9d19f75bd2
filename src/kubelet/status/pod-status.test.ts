import assert from "node:assert/strict";
import test from "node:test";
import type { ContainerStatus, Pod, PodSpec, PodStatus } from "../../api/schema/core.v1.generated.ts";
import type { ContainerRecord, PodRuntime } from "../pods/runtime-state.ts";
import { type PodFacts, podStatus } from "./pod-status.ts";

const NOW = Date.parse("2026-01-01T00:00:10Z");
const AT = "2026-01-01T00:00:10Z";
const sandboxes: PodRuntime["sandboxes"] = [
  { id: "s", attempt: 0, ready: true, createdAt: 0, ips: ["10.0.0.1"], hostNetwork: false },
];

function record(
  name: string,
  state: ContainerRecord["state"],
  more: Partial<ContainerRecord> = {},
): ContainerRecord {
  const id = `${name}-${more.restartCount ?? 0}`;
  return {
    ...({
      mounts: [],
      image: "web:1",
      imageRef: "sha256:1",
      reason: "",
      message: "",
      stopSignal: 0,
    } as unknown as ContainerRecord),
    ...{ id, name, state, sandboxID: "s", restartCount: 0, exitCode: 0, createdAt: 1 },
    ...{ startedAt: NOW - 5000, finishedAt: state === "exited" ? NOW - 1000 : 0 },
    ...more,
  };
}

interface Seen extends Partial<PodFacts> {
  spec?: Partial<PodSpec>;
  before?: PodStatus;
  containers?: ContainerRecord[];
}

function statusOf({ spec, before = {}, containers = [], ...facts }: Seen): PodStatus {
  const pod: Pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", namespace: "ns", generation: 3 },
    spec: { containers: [{ name: "main", image: "web:1" }], restartPolicy: "Always", ...spec },
    status: before,
  };
  return podStatus(pod, {
    runtime: { sandboxes, containers },
    waiting: new Map(),
    hasStarted: () => true,
    isReady: () => true,
    messageOf: () => "",
    actualOf: () => undefined,
    isOver: false,
    mounted: true,
    conditions: [],
    hostIPs: ["192.0.2.1"],
    runtimeName: "containerd",
    seenAt: NOW,
    now: NOW,
    ...facts,
  });
}
const first = (status: PodStatus): ContainerStatus => status.containerStatuses?.[0] as ContainerStatus;
const condition = (status: PodStatus, type: string) => {
  const found = status.conditions?.find((one) => one.type === type);
  return found && [found.status, found.reason, found.message];
};
const failed = record("main", "exited", { exitCode: 1 });
const done = record("main", "exited");
const running = record("main", "running");

test("podStatus of a pod that runs", () => {
  const status = statusOf({ containers: [running] });
  assert.equal(status.phase, "Running");
  assert.deepEqual([status.podIP, status.hostIP, status.startTime], ["10.0.0.1", "192.0.2.1", AT]);
  assert.deepEqual(first(status), {
    name: "main",
    state: { running: { startedAt: "2026-01-01T00:00:05Z" } },
    lastState: {},
    ready: true,
    restartCount: 0,
    image: "web:1",
    imageID: "sha256:1",
    containerID: "containerd://main-0",
    started: true,
    resources: { claims: undefined },
  });
  assert.deepEqual(
    status.conditions?.map(({ type, status: is, observedGeneration }) => [type, is, observedGeneration]),
    [
      ["PodReadyToStartContainers", "True", 3],
      ["Initialized", "True", 3],
      ["Ready", "True", 3],
      ["ContainersReady", "True", 3],
      ["PodScheduled", "True", 3],
    ],
  );
});

test("podStatus of a pod that begins", () => {
  const status = statusOf({ runtime: { sandboxes: [], containers: [] } });
  assert.equal(status.phase, "Pending");
  assert.equal(status.podIP, undefined);
  assert.deepEqual(first(status).state, { waiting: { reason: "ContainerCreating" } });
  assert.deepEqual(condition(status, "PodReadyToStartContainers"), ["False", undefined, undefined]);
  assert.deepEqual(condition(status, "Ready"), [
    "False",
    "ContainersNotReady",
    "containers with unready status: [main]",
  ]);
});

test("podStatus keeps the times of conditions that stay, and the conditions of others", () => {
  const lastTransitionTime = "2025-01-01T00:00:00Z";
  const conditions = [
    { type: "Ready", status: "True", lastTransitionTime },
    { type: "Initialized", status: "False", lastTransitionTime },
    { type: "example.com/own", status: "Unknown", lastTransitionTime },
  ];
  const status = statusOf({ before: { conditions }, containers: [running] });
  const timeOf = (type: string) => status.conditions?.find((one) => one.type === type)?.lastTransitionTime;
  assert.deepEqual(
    [timeOf("Ready"), timeOf("Initialized"), timeOf("example.com/own")],
    [lastTransitionTime, AT, lastTransitionTime],
  );
});

for (const [restartPolicy, record_, isOver, phase] of [
  ["Always", failed, false, "Running"],
  ["Always", done, false, "Running"],
  ["OnFailure", failed, false, "Running"],
  ["OnFailure", done, false, "Succeeded"],
  ["Never", failed, false, "Failed"],
  ["Never", done, false, "Succeeded"],
  ["Always", done, true, "Succeeded"],
  ["Always", failed, true, "Failed"],
] as const) {
  const how = `${restartPolicy}, exit code ${record_.exitCode}${isOver ? ", on its way out" : ""}`;
  test(`podStatus is ${phase} for ${how}`, () => {
    assert.equal(statusOf({ spec: { restartPolicy }, containers: [record_], isOver }).phase, phase);
  });
}

test("podStatus does not tell the end before everything ended", () => {
  const spec = { restartPolicy: "Never", initContainers: [{ name: "side", restartPolicy: "Always" }] };
  const before = { phase: "Running" };
  const containers = [done, record("side", "running")];
  assert.equal(statusOf({ spec, before, containers }).phase, "Running");
  assert.equal(statusOf({ spec, before, containers: [done, record("side", "exited")] }).phase, "Succeeded");
  const ending = { reason: "Evicted", message: "low" };
  const evicted = statusOf({ before, ending, containers: [running] });
  assert.deepEqual([evicted.phase, evicted.reason], ["Running", "Evicted"]);
  assert.equal(statusOf({ before, ending, containers: [done], isOver: true }).phase, "Failed");
});

test("podStatus never takes an end back", () => {
  assert.equal(statusOf({ before: { phase: "Succeeded" }, containers: [failed] }).phase, "Succeeded");
});

test("podStatus of a pod that has ended is not ready, and says how it ended", () => {
  const status = statusOf({ spec: { restartPolicy: "Never" }, containers: [done] });
  assert.deepEqual(condition(status, "Ready"), ["False", "PodCompleted", undefined]);
  assert.deepEqual(condition(status, "Initialized"), ["True", "PodCompleted", undefined]);
  const bad = statusOf({ spec: { restartPolicy: "Never" }, containers: [failed] });
  assert.deepEqual(condition(bad, "ContainersReady"), ["False", "PodFailed", undefined]);
});

test("podStatus shows why a container does not start, and how it ended before", () => {
  const why = { reason: "CrashLoopBackOff", message: "back-off" };
  const status = statusOf({
    containers: [failed],
    waiting: new Map([["main", why]]),
    messageOf: () => "said",
  });
  assert.deepEqual(first(status).state, { waiting: why });
  assert.deepEqual(first(status).lastState?.terminated, {
    exitCode: 1,
    reason: "Error",
    message: "said",
    startedAt: "2026-01-01T00:00:05Z",
    finishedAt: "2026-01-01T00:00:09Z",
    containerID: "containerd://main-0",
  });
});

test("podStatus of a container that was restarted shows the last end", () => {
  const containers = [
    record("main", "running", { restartCount: 2 }),
    record("main", "exited", { restartCount: 1, exitCode: 2 }),
  ];
  const status = first(statusOf({ containers }));
  assert.deepEqual([status.restartCount, status.lastState?.terminated?.exitCode], [2, 2]);
});

test("podStatus of init containers and sidecars", () => {
  const spec = {
    initContainers: [{ name: "one" }, { name: "side", restartPolicy: "Always" }, { name: "two" }],
  };
  const containers = [record("two", "running"), record("side", "running"), record("one", "exited")];
  const status = statusOf({ spec, containers, isReady: (id) => id !== "side-0" });
  assert.equal(status.phase, "Pending");
  assert.deepEqual(
    status.initContainerStatuses?.map(({ name, ready, started }) => [name, ready, started]),
    [
      ["one", true, false],
      ["side", false, true],
      ["two", false, true],
    ],
  );
  assert.deepEqual(first(status).state, { waiting: { reason: "PodInitializing" } });
  assert.deepEqual(condition(status, "Initialized"), [
    "False",
    "ContainersNotInitialized",
    "containers with incomplete status: [two]",
  ]);
  const unready = statusOf({ spec, containers: [running, ...containers], isReady: (id) => id !== "side-0" });
  assert.equal(condition(unready, "Ready")?.[2], "containers with unready status: [side]");
});

test("podStatus of a pod whose init container failed for good", () => {
  const spec = { restartPolicy: "Never", initContainers: [{ name: "one" }] };
  const status = statusOf({ spec, containers: [record("one", "exited", { exitCode: 3 })] });
  assert.equal(status.phase, "Failed");
});

test("podStatus waits for readiness gates", () => {
  const spec = { readinessGates: [{ conditionType: "example.com/gate" }] };
  assert.deepEqual(condition(statusOf({ spec, containers: [running] }), "Ready"), [
    "False",
    "ReadinessGatesNotReady",
    'corresponding condition of pod readiness gate "example.com/gate" does not exist.',
  ]);
  const before = { conditions: [{ type: "example.com/gate", status: "True" }] };
  assert.deepEqual(condition(statusOf({ spec, before, containers: [running] }), "Ready"), [
    "True",
    undefined,
    undefined,
  ]);
});

test("podStatus of a container that the runtime has lost", () => {
  const told = (state: ContainerStatus["state"]): PodStatus => ({
    phase: "Running",
    containerStatuses: [
      {
        name: "main",
        image: "web:1",
        imageID: "i",
        ready: true,
        restartCount: 4,
        containerID: "containerd://x",
        state,
      },
    ],
  });
  const status = first(statusOf({ before: told({ running: { startedAt: AT } }) }));
  assert.deepEqual([status.state?.waiting?.reason, status.restartCount], ["ContainerCreating", 5]);
  assert.deepEqual(
    [status.lastState?.terminated?.reason, status.lastState?.terminated?.exitCode],
    ["ContainerStatusUnknown", 137],
  );
  const terminated = { exitCode: 0, reason: "Completed" };
  assert.deepEqual(first(statusOf({ before: told({ terminated }) })).state, { terminated });
  const over = statusOf({ before: told({ running: { startedAt: AT } }), isOver: true });
  assert.equal(
    first(over).state?.terminated?.message,
    "The container could not be located when the pod was terminated",
  );
  assert.equal(over.phase, "Failed");
});

test("podStatus of a pod in the node's network has the node's addresses", () => {
  const hostIPs = ["192.0.2.1", "2001:db8::1"];
  const runtime = { sandboxes: [{ ...sandboxes[0]!, hostNetwork: true, ips: [] }], containers: [running] };
  const status = statusOf({ spec: { hostNetwork: true }, hostIPs, runtime });
  assert.deepEqual(status.podIPs, [{ ip: "192.0.2.1" }, { ip: "2001:db8::1" }]);
});

test("podStatus tells mounts, users, and resources as granted and as they are", () => {
  const resources = { requests: { cpu: "2" } };
  const volumeMounts = [
    { name: "v", mountPath: "/v", readOnly: true },
    { name: "v", mountPath: "w", readOnly: true, recursiveReadOnly: "IfPossible" },
    { name: "v", mountPath: "/x" },
  ];
  const mounts = [
    { containerPath: "/v", recursiveReadOnly: false },
    { containerPath: "/w", recursiveReadOnly: true },
  ] as unknown as ContainerRecord["mounts"];
  const spec = { containers: [{ name: "main", resources, volumeMounts }] };
  const user = { uid: 1, gid: 2, supplementalGroups: [3] };
  const status = first(
    statusOf({
      spec,
      containers: [record("main", "running", { user, mounts })],
      actualOf: () => ({ requests: { cpu: "1" } }),
    }),
  );
  assert.deepEqual(status.allocatedResources, { cpu: "2" });
  assert.deepEqual(status.resources?.requests, { cpu: "1" });
  assert.deepEqual(status.volumeMounts, [
    { name: "v", mountPath: "/v", readOnly: true, recursiveReadOnly: "Disabled" },
    { name: "v", mountPath: "w", readOnly: true, recursiveReadOnly: "Enabled" },
    { name: "v", mountPath: "/x" },
  ]);
  assert.deepEqual(status.user, { linux: { uid: 1, gid: 2, supplementalGroups: [3] } });
});

const RESTARTS_ALL = {
  restartPolicy: "Never",
  containers: [
    { name: "main", image: "web:1" },
    {
      name: "trigger",
      image: "web:1",
      restartPolicy: "Never",
      restartPolicyRules: [{ action: "RestartAllContainers", exitCodes: { operator: "In", values: [42] } }],
    },
  ],
};
const killed = record("main", "exited", { exitCode: 137 });
const asked = record("trigger", "exited", { exitCode: 42 });

test("podStatus says that all containers are being restarted, and not that the pod ended", () => {
  const before: PodStatus = { conditions: [{ type: "Initialized", status: "True" }] };
  const told = statusOf({
    spec: { ...RESTARTS_ALL, initContainers: [{ name: "init", image: "web:1" }] },
    before,
    containers: [killed, asked, record("init", "exited", { exitCode: 137 })],
    restartingAll: true,
  });
  assert.equal(told.phase, "Running");
  assert.deepEqual(condition(told, "AllContainersRestarting"), [
    "True",
    "RestartAllContainersStarted",
    "container exited with restart policy rule",
  ]);
  assert.equal(condition(told, "Initialized")?.[0], "True");
  const ended = statusOf({ spec: RESTARTS_ALL, containers: [killed, asked], isOver: true });
  assert.deepEqual(condition(ended, "AllContainersRestarting"), ["False", "PodFailed", undefined]);
  assert.equal(condition(statusOf({ containers: [done] }), "AllContainersRestarting"), undefined);
});

test("podStatus keeps the restarts and the ends of containers that were removed so that all begin anew", () => {
  const runtime: PodRuntime = { sandboxes, containers: [], former: [killed, asked] };
  const told = statusOf({ spec: RESTARTS_ALL, runtime });
  assert.equal(told.phase, "Running");
  assert.deepEqual(condition(told, "AllContainersRestarting"), ["False", undefined, undefined]);
  const [status] = told.containerStatuses ?? [];
  assert.deepEqual(status?.state, { waiting: { reason: "ContainerCreating" } });
  assert.deepEqual([status?.lastState?.terminated?.exitCode, status?.restartCount], [137, 0]);
  const again = record("main", "running", { restartCount: 1 });
  const runs = statusOf({ spec: RESTARTS_ALL, runtime: { ...runtime, containers: [again] } });
  assert.equal(first(runs).lastState?.terminated?.exitCode, 137);
});

test("podStatus takes ends that a former kubelet told of before it removed containers for those of last time", () => {
  const before = statusOf({ spec: RESTARTS_ALL, containers: [killed, asked], restartingAll: true });
  const told = statusOf({ spec: RESTARTS_ALL, before });
  assert.deepEqual(first(told).state, { waiting: { reason: "ContainerCreating" } });
  assert.equal(first(told).lastState?.terminated?.exitCode, 137);
  assert.equal(told.phase, "Running");
});

test("podStatus tells what the pod has for all its containers, where it says something of it", () => {
  const resources = { requests: { cpu: "2" }, limits: { cpu: "3" } };
  const told = statusOf({ spec: { resources }, actualPod: { requests: { cpu: "1" } } });
  assert.deepEqual(told.resources, { requests: { cpu: "1" } });
  assert.deepEqual(told.allocatedResources, { cpu: "2" });
  const none = statusOf({});
  assert.deepEqual([none.resources, none.allocatedResources], [undefined, undefined]);
});

test("podStatus says nothing of the containers of a pod that the node did not take", () => {
  const scheduled = { type: "PodScheduled", status: "True" };
  const ending = { reason: "OutOfcpu", message: "Pod was rejected: no" };
  const told = statusOf({ before: { conditions: [scheduled] }, isOver: true, isRejected: true, ending });
  assert.deepEqual(told, {
    conditions: [scheduled],
    observedGeneration: 3,
    phase: "Failed",
    ...ending,
    startTime: AT,
    qosClass: "BestEffort",
  });
  assert.deepEqual(statusOf({ before: told, isOver: true }), told, "nor after the kubelet was started anew");
});

test("podStatus lists containers by name, and init containers in their order", () => {
  const named = (name: string) => ({ name, image: "web:1" });
  const told = statusOf({
    spec: {
      containers: [named("b"), named("a")],
      initContainers: [named("d"), named("c")],
    },
  });
  const names = (list: readonly ContainerStatus[] = []) => list.map(({ name }) => name);
  assert.deepEqual(names(told.containerStatuses), ["a", "b"]);
  assert.deepEqual(names(told.initContainerStatuses), ["d", "c"]);
  const reasons = [...(told.initContainerStatuses ?? []), ...(told.containerStatuses ?? [])].map(
    ({ state }) => state?.waiting?.reason,
  );
  assert.deepEqual(new Set(reasons), new Set(["PodInitializing"]));
});

test("podStatus tells which generation of the pod each condition is of, that of others' schedule too", () => {
  const conditions = [
    {
      type: "PodScheduled",
      status: "True",
      observedGeneration: 1,
      lastTransitionTime: "2025-01-01T00:00:00Z",
    },
    { type: "mine", status: "True", observedGeneration: 1 },
  ];
  const told = statusOf({ before: { conditions }, containers: [record("main", "running")] });
  const observed = new Map(told.conditions?.map((one) => [one.type, one.observedGeneration]));
  assert.equal(observed.get("mine"), 1);
  observed.delete("mine");
  assert.deepEqual(new Set(observed.values()), new Set([3]));
  const scheduled = told.conditions?.find(({ type }) => type === "PodScheduled");
  assert.equal(scheduled?.lastTransitionTime, "2025-01-01T00:00:00Z");
});

test("podStatus names all readiness gates that are closed", () => {
  const told = statusOf({
    spec: { readinessGates: [{ conditionType: "a" }, { conditionType: "b" }, { conditionType: "c" }] },
    before: {
      conditions: [
        { type: "b", status: "Unknown" },
        { type: "c", status: "True" },
      ],
    },
    containers: [record("main", "running")],
  });
  assert.deepEqual(condition(told, "Ready"), [
    "False",
    "ReadinessGatesNotReady",
    'corresponding condition of pod readiness gate "a" does not exist., the status of pod readiness gate "b" is not "True", but Unknown',
  ]);
});

test("podStatus leaves containers waiting whose turn never came when the pod ended", () => {
  const init = (name: string) => ({ name, image: "web:1" });
  const told = statusOf({
    spec: { restartPolicy: "Never", initContainers: [init("first"), init("bad"), init("third")] },
    containers: [record("bad", "exited", { exitCode: 1 })],
    isOver: true,
  });
  const reasons = [...(told.initContainerStatuses ?? []), ...(told.containerStatuses ?? [])].map(
    ({ state }) => state?.waiting?.reason ?? state?.terminated?.reason,
  );
  assert.deepEqual(reasons, ["ContainerStatusUnknown", "Error", "PodInitializing", "PodInitializing"]);
  assert.equal(told.phase, "Failed");
  const message = "containers with incomplete status: [first bad third]";
  assert.deepEqual(condition(told, "Initialized"), ["False", "ContainersNotInitialized", message]);
});

test("podStatus takes containers for lost that were begun, or might have been, when the pod ended", () => {
  const lost = (seen: Seen): unknown => first(statusOf({ isOver: true, ...seen })).state?.terminated?.reason;
  const initContainers = [{ name: "init", image: "web:1" }];
  assert.equal(lost({}), "ContainerStatusUnknown");
  assert.equal(lost({ spec: { initContainers } }), undefined);
  assert.equal(
    lost({ spec: { initContainers }, containers: [record("init", "exited")] }),
    "ContainerStatusUnknown",
  );
});

test("podStatus says that containers can start when the pod has its sandbox and its volumes, or any container", () => {
  const ready = (seen: Seen) => condition(statusOf(seen), "PodReadyToStartContainers")?.[0];
  const nothing: PodRuntime = { sandboxes: [], containers: [] };
  assert.equal(ready({}), "True");
  assert.equal(ready({ mounted: false }), "False");
  assert.equal(ready({ mounted: false, containers: [record("main", "running")] }), "True");
  assert.equal(ready({ runtime: nothing }), "False");
});
