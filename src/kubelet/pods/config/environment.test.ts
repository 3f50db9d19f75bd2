import assert from "node:assert/strict";
import test from "node:test";
import type { Container, Pod } from "../../../api/schema/core.v1.generated.ts";
import { PodError } from "../../ports.ts";
import { containerEnvironment, type EnvironmentSources, environmentObjects } from "./environment.ts";

const pod: Pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "p", namespace: "ns", labels: { "a/b": "c" } },
  spec: { containers: [] },
};

function sources(more: Partial<EnvironmentSources> = {}): EnvironmentSources {
  return {
    services: new Map([["DB_SERVICE_HOST", "10.0.0.1"]]),
    allocatable: { cpu: "4", memory: "8Gi" },
    configMap: (name) => (name === "map" ? ({ data: { a: "1", b: "2" } } as never) : undefined),
    secret: (name) => (name === "keys" ? ({ data: { user: btoa("ann") } } as never) : undefined),
    fileKey: (volume, path, key) => (volume === "notes" && path === "env" && key === "A" ? "1" : undefined),
    hostIPs: ["192.0.2.1"],
    podIPs: ["10.244.0.5", "fd00::5"],
    ...more,
  };
}

function environment(
  container: Partial<Container>,
  more?: Partial<EnvironmentSources>,
): Record<string, string> {
  const values = containerEnvironment(pod, { name: "main", ...container }, sources(more));
  return Object.fromEntries([...values].map(([name, value]) => [name, value.toString()]));
}

test("containerEnvironment lets env win over envFrom, and envFrom over Services", () => {
  const found = environment({
    envFrom: [{ configMapRef: { name: "map" } }, { prefix: "P_", secretRef: { name: "keys" } }],
    env: [
      { name: "b", value: "3" },
      { name: "DB_SERVICE_HOST", value: "mine" },
    ],
  });
  assert.deepEqual(found, { a: "1", P_user: "ann", b: "3", DB_SERVICE_HOST: "mine" });
});

test("containerEnvironment expands by what came before it", () => {
  const found = environment({
    env: [
      { name: "EARLY", value: "$(LATE)" },
      { name: "LATE", value: "x" },
      { name: "BOTH", value: "$(LATE)$(DB_SERVICE_HOST)" },
    ],
  });
  assert.equal(found.EARLY, "$(LATE)");
  assert.equal(found.BOTH, "x10.0.0.1");
});

test("containerEnvironment reads fields, and resources in their divisor, of the node where there is no limit", () => {
  const fields = ["metadata.labels['a/b']", "metadata.annotations['none']", "status.podIPs", "status.hostIP"];
  const found = environment({
    resources: { limits: { cpu: "1500m" }, requests: { memory: "64Mi" } },
    env: [
      ...fields.map((fieldPath, i) => ({ name: `F${i}`, valueFrom: { fieldRef: { fieldPath } } })),
      { name: "CPU", valueFrom: { resourceFieldRef: { resource: "limits.cpu" } } },
      { name: "MILLI", valueFrom: { resourceFieldRef: { resource: "limits.cpu", divisor: "1m" } } },
      { name: "ASKED", valueFrom: { resourceFieldRef: { resource: "requests.memory", divisor: "1Mi" } } },
      { name: "LIMIT", valueFrom: { resourceFieldRef: { resource: "limits.memory", divisor: "1Gi" } } },
    ],
  });
  assert.deepEqual([found.F0, found.F1, found.F2, found.F3], ["c", "", "10.244.0.5,fd00::5", "192.0.2.1"]);
  assert.deepEqual([found.CPU, found.MILLI, found.ASKED, found.LIMIT], ["2", "1500", "64", "8"]);
});

test("containerEnvironment takes limits of the whole pod for containers without their own", () => {
  const whole: Pod = { ...pod, spec: { containers: [], resources: { limits: { cpu: "2500m" } } } };
  const env = ["limits.cpu", "limits.memory", "requests.cpu"].map((resource) => ({
    name: resource,
    valueFrom: { resourceFieldRef: { resource } },
  }));
  const found = containerEnvironment(whole, { name: "main", env }, sources());
  assert.deepEqual(
    [...found].slice(-3).map(([, value]) => value.toString()),
    ["3", String(8 * 2 ** 30), "0"],
  );
});

for (const [valueFrom, message] of [
  [{ configMapKeyRef: { name: "none", key: "a" } }, 'configmap "none" not found'],
  [{ configMapKeyRef: { name: "map", key: "z" } }, "couldn't find key z in ConfigMap ns/map"],
  [{ secretKeyRef: { name: "none", key: "a" } }, 'secret "none" not found'],
  [{ secretKeyRef: { name: "keys", key: "z" } }, "couldn't find key z in Secret ns/keys"],
  [
    { fileKeyRef: { volumeName: "notes", path: "env", key: "B" } },
    'environment variable key "B" not found in file "env"',
  ],
] as const) {
  test(`containerEnvironment says: ${message}, unless it is optional`, () => {
    const refused = (error: unknown): boolean =>
      error instanceof PodError && error.reason === "CreateContainerConfigError" && error.message === message;
    assert.throws(() => environment({ env: [{ name: "X", valueFrom }] }), refused);
    const [[kind, ref]] = Object.entries(valueFrom) as [[string, object]];
    const optional = { [kind]: { ...ref, optional: true } };
    assert.equal(environment({ env: [{ name: "X", valueFrom: optional }] }).X, undefined);
  });
}

test("containerEnvironment reads variables of files in volumes", () => {
  const fileKeyRef = { volumeName: "notes", path: "env", key: "A" };
  assert.equal(environment({ env: [{ name: "X", valueFrom: { fileKeyRef } }] }).X, "1");
});

test("containerEnvironment keeps names that JavaScript's objects have", () => {
  const data = JSON.parse('{"__proto__": "p", "constructor": "c"}') as object;
  const found = containerEnvironment(
    pod,
    { name: "main", envFrom: [{ configMapRef: { name: "odd" } }] },
    sources({ configMap: () => ({ data }) as never }),
  );
  assert.deepEqual([found.get("__proto__")?.toString(), found.get("constructor")?.toString()], ["p", "c"]);
});

test("environmentObjects names what must be read", () => {
  const { configMaps, secrets } = environmentObjects({
    name: "main",
    envFrom: [{ configMapRef: { name: "a" } }, { secretRef: { name: "b" } }],
    env: [
      { name: "X", valueFrom: { configMapKeyRef: { name: "c", key: "k" } } },
      { name: "Y", valueFrom: { secretKeyRef: { name: "d", key: "k" } } },
      { name: "Z", value: "z" },
    ],
  });
  assert.deepEqual(
    [[...configMaps], [...secrets]],
    [
      ["a", "c"],
      ["b", "d"],
    ],
  );
});
