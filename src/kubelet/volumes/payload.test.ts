import assert from "node:assert/strict";
import test from "node:test";
import type { ConfigMap } from "../../api/core/config-map.ts";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import { configMapPayload, downwardPayload, type Payload, secretPayload } from "./payload.ts";

const CONFIG_MAP: ConfigMap = {
  apiVersion: "v1",
  kind: "ConfigMap",
  metadata: { name: "c" },
  data: { text: "a" },
  binaryData: { bytes: "AAE=" },
};

const POD: Pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: {
    name: "web",
    labels: { b: "2", a: '1 "x"\n\u00a0é😀' },
    annotations: { "x.io/y": "z" },
  },
  spec: { containers: [{ name: "c", image: "i", resources: { limits: { cpu: "1500m" } } }] },
};

function shown(payload: Payload): Record<string, string> {
  return Object.fromEntries(
    [...payload].map(([path, { data, mode }]) => [
      path,
      `${mode.toString(8)} ${Buffer.from(data).toString()}`,
    ]),
  );
}

test("configMapPayload has all keys, or the chosen ones at their paths and modes", () => {
  assert.deepEqual(shown(configMapPayload(CONFIG_MAP, { mode: 0o640 })), {
    text: "640 a",
    bytes: "640 \0\x01",
  });
  const items = [{ key: "text", path: "a/b", mode: 0o400 }];
  assert.deepEqual(shown(configMapPayload(CONFIG_MAP, { mode: 0o644, items })), { "a/b": "400 a" });
});

test("payloads name the key that is missing unless it is optional", () => {
  const items = [{ key: "none", path: "p" }];
  assert.throws(() => configMapPayload(CONFIG_MAP, { mode: 0o644, items }), {
    message: "configmap references non-existent config key: none",
  });
  const secret = { apiVersion: "v1", kind: "Secret", metadata: {} };
  assert.throws(() => secretPayload(secret, { mode: 0o644, items }), {
    message: "references non-existent secret key: none",
  });
  assert.equal(secretPayload(secret, { mode: 0o644, items, optional: true }).size, 0);
});

test("keys that name members of objects are files like others", () => {
  const data = JSON.parse('{"__proto__":"a","constructor":"b"}') as Record<string, string>;
  assert.deepEqual(
    [...configMapPayload({ ...CONFIG_MAP, binaryData: undefined, data }, { mode: 0 }).keys()],
    ["__proto__", "constructor"],
  );
});

test("downwardPayload writes labels sorted and quoted, fields and resources", () => {
  const payload = downwardPayload(
    POD,
    [
      { path: "labels", fieldRef: { fieldPath: "metadata.labels" } },
      { path: "one", fieldRef: { fieldPath: "metadata.labels['b']" } },
      { path: "annotations", fieldRef: { fieldPath: "metadata.annotations" }, mode: 0o400 },
      { path: "name", fieldRef: { fieldPath: "metadata.name" } },
      { path: "cpu", resourceFieldRef: { containerName: "c", resource: "limits.cpu" } },
      { path: "memory", resourceFieldRef: { containerName: "c", resource: "limits.memory", divisor: "1Mi" } },
    ],
    0o644,
    { memory: "64Mi" },
  );
  assert.deepEqual(shown(payload), {
    labels: '644 a="1 \\"x\\"\\n\\u00a0é😀"\nb="2"',
    one: "644 2",
    annotations: '400 x.io/y="z"',
    name: "644 web",
    cpu: "644 2",
    memory: "644 64",
  });
});

test("downwardPayload refuses what it does not know", () => {
  const one = (item: object) => () => downwardPayload(POD, [{ path: "p", ...item }], 0o644, {});
  assert.throws(one({ fieldRef: { fieldPath: "spec.none" } }), {
    message: "unsupported fieldPath: spec.none",
  });
  assert.throws(one({ resourceFieldRef: { containerName: "d", resource: "limits.cpu" } }), {
    message: "container d not found",
  });
});
