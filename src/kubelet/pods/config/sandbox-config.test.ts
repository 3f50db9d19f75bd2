import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import test from "node:test";
import type { Container, Pod, PodSpec } from "../../../api/schema/core.v1.generated.ts";
import { containerConfig, stopSignalName } from "./container-config.ts";
import { containerHash } from "./container-hash.ts";
import { sandboxConfig } from "./sandbox-config.ts";

const pod = (spec: Partial<PodSpec> = {}): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "p", namespace: "ns", uid: "u", labels: { a: "b" }, annotations: { c: "d" } },
  spec: { containers: [], terminationGracePeriodSeconds: 7, ...spec },
});
const place = {
  attempt: 2,
  hostname: "h",
  resolver: { servers: [], searches: [], options: [] },
  logDirectory: "/logs/ns_p_u",
  cgroupParent: "/kubepods/podu",
};

test("sandboxConfig is found again by its labels, and maps ports of the node", () => {
  const ports = [
    { containerPort: 80, hostPort: 8080, protocol: "UDP", hostIP: "192.0.2.1" },
    { containerPort: 81 },
  ];
  const config = sandboxConfig(pod({ containers: [{ name: "main", ports }] }), place);
  assert.deepEqual(config.metadata, { name: "p", namespace: "ns", uid: "u", attempt: 2 });
  assert.deepEqual(Object.fromEntries(config.labels ?? []), {
    a: "b",
    "io.kubernetes.pod.name": "p",
    "io.kubernetes.pod.namespace": "ns",
    "io.kubernetes.pod.uid": "u",
  });
  assert.deepEqual(config.portMappings, [
    { protocol: 1, containerPort: 80, hostPort: 8080, hostIp: "192.0.2.1" },
  ]);
  assert.equal(config.hostname, "h");
});

test("sandboxConfig of a pod in the node's network has neither name nor ports", () => {
  const ports = [{ containerPort: 80, hostPort: 80 }];
  const config = sandboxConfig(pod({ hostNetwork: true, containers: [{ name: "main", ports }] }), place);
  assert.equal(config.hostname, undefined);
  assert.deepEqual(config.portMappings, []);
});

test("containerConfig expands its command, and says what the next kubelet must know", () => {
  const container: Container = {
    name: "main",
    image: "web:1",
    command: ["run", "$(PORT)"],
    args: ["$$(PORT)"],
    lifecycle: { preStop: { sleep: { seconds: 1 } }, stopSignal: "SIGUSR1" },
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "File",
  };
  const config = containerConfig(pod(), container, {
    restartCount: 3,
    imageRef: "sha256:abc",
    environment: new Map([["PORT", Buffer.from("80")]]),
    mounts: [],
    devices: [],
    fsGroups: [],
    machine: { memoryCapacity: 2 ** 30, cgroupVersion: 2 },
    security: { seccompDefault: false, seccompProfiles: "/seccomp" },
  });
  assert.deepEqual([config.command, config.args], [["run", "80"], ["$(PORT)"]]);
  assert.equal(config.logPath, "main/3.log");
  assert.equal(stopSignalName(config.stopSignal ?? 0), "SIGUSR1");
  assert.deepEqual(Object.fromEntries(config.annotations ?? []), {
    "io.kubernetes.container.hash": containerHash(container),
    "io.kubernetes.container.restartCount": "3",
    "io.kubernetes.container.terminationMessagePath": "/dev/termination-log",
    "io.kubernetes.container.terminationMessagePolicy": "File",
    "io.kubernetes.pod.terminationGracePeriod": "7",
    "io.kubernetes.container.preStopHandler": '{"sleep":{"seconds":1}}',
  });
});

test("containerHash changes with the image, and with nothing that can change while it runs", () => {
  const before = containerHash({ name: "main", image: "web:1" });
  assert.notEqual(containerHash({ name: "main", image: "web:2" }), before);
  const more = { name: "main", image: "web:1", resources: { limits: { cpu: "1" } } };
  assert.equal(containerHash(more), before);
});

const numbers = new URL("../../../../../shared/reference/cri-field-numbers.json", import.meta.url);

test("stopSignalName knows all signals of the CRI", {
  skip: !existsSync(numbers) && "the reference is not here",
}, () => {
  const text = readFileSync(numbers, "utf8");
  const [, list = ""] = /"Signal": *\{\s*"__enum": *\{([^}]*)\}/.exec(text) ?? [];
  const signals = Object.entries(JSON.parse(`{${list}}`) as Record<string, number>);
  assert.ok(signals.length > 60);
  for (const [name, number] of signals) {
    const expected = number === 0 ? undefined : name.replace("PLUS", "+").replace("MINUS", "-");
    assert.equal(stopSignalName(number), expected);
  }
});
