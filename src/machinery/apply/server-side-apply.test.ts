import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject } from "../json/json-object.ts";
import type { StatusError } from "../status/status-error.ts";
import { type Applying, serverSideApply } from "./server-side-apply.ts";
import { schemas } from "./testdata/schemas.ts";
import { type Managed, updateManagedFields } from "./update-managed-fields.ts";

const TIME = "2026-01-01T00:00:00Z";
const LATER = "2026-01-02T00:00:00Z";
const common = { schemas, id: "Thing", apiVersion: "v1", subresource: "", time: TIME, resets: ["status"] };

function configuration(fields: object, metadata: object = {}): JsonObject {
  return { apiVersion: "v1", kind: "Thing", ...fields, metadata: { name: "x", namespace: "n", ...metadata } };
}

function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null) {
    for (const inner of Object.values(value)) frozen(inner);
    Object.freeze(value);
  }
  return value;
}

function apply(live: Managed | undefined, applied: JsonObject, more: Partial<Applying> = {}): Managed {
  const { object } = serverSideApply({
    ...common,
    live,
    applied: frozen(applied),
    manager: "applier",
    force: false,
    prepare: (merged) => merged as unknown as Managed,
    ...more,
  });
  object.metadata.uid = "u";
  return frozen(object);
}

function put(live: Managed | undefined, fields: object, manager: string, metadata: object = {}): Managed {
  const updated = configuration(fields, { ...live?.metadata, ...metadata }) as unknown as Managed;
  const managedFields = updateManagedFields({ ...common, live, updated, manager, time: LATER });
  return frozen({ ...updated, metadata: { ...updated.metadata, uid: "u", managedFields } });
}

const rest = ({ apiVersion: _, kind: __, metadata: ___, ...fields }: Managed & JsonObject) => fields;
const state = (object: Managed) => rest(object as Managed & JsonObject);
const owners = (object: Managed) =>
  object.metadata.managedFields?.map((e) => [e.manager, e.operation, JSON.stringify(e.fieldsV1)]);

test("serverSideApply creates, and owns what it was given", () => {
  const made = apply(
    undefined,
    configuration(
      { spec: { containers: [{ name: "a", ports: [{ port: 80 }] }], rolling: {} } },
      { labels: { l: "1" } },
    ),
  );
  assert.deepEqual(made.metadata.managedFields, [
    {
      manager: "applier",
      operation: "Apply",
      apiVersion: "v1",
      time: TIME,
      fieldsType: "FieldsV1",
      fieldsV1: {
        "f:metadata": { "f:labels": { "f:l": {} } },
        "f:spec": {
          "f:containers": {
            'k:{"name":"a"}': {
              ".": {},
              "f:name": {},
              "f:ports": { 'k:{"port":80,"protocol":"TCP"}': { ".": {}, "f:port": {} } },
            },
          },
          "f:rolling": {},
        },
      },
    },
  ]);
});

test("serverSideApply changes nothing when applied again", () => {
  const applied = configuration({
    spec: { replicas: 1, containers: [{ name: "a", image: "i" }] },
    data: { a: "1" },
  });
  const made = apply(undefined, applied);
  const again = apply(made, applied, { time: LATER });
  assert.deepEqual(again, made);
  assert.equal(again.metadata.managedFields, made.metadata.managedFields);
});

test("serverSideApply changes nothing when applied again over a default within an atomic value", () => {
  const applied = configuration({ spec: { selector: { a: "1" } } });
  const prepare = (merged: JsonObject) => {
    const { selector, ...spec } = merged.spec as { selector: object };
    const selected = { ...spec, selector: { ...selector, byDefault: "yes" } };
    return { ...merged, spec: selected } as unknown as Managed;
  };
  const made = apply(undefined, applied, { prepare });
  const again = apply(made, applied, { prepare, time: LATER });
  assert.deepEqual(state(again), { spec: { selector: { a: "1", byDefault: "yes" } } });
  assert.equal(again.metadata.managedFields, made.metadata.managedFields);
});

test("serverSideApply takes away what it no longer names and nobody else owns", () => {
  const first = { name: "a", image: "i", resources: { limits: { cpu: "1" } } };
  const made = apply(
    undefined,
    configuration({ spec: { replicas: 1, containers: [first, { name: "b" }] }, data: { a: "1", b: "2" } }),
  );
  const others = put(made, { ...state(made), data: { a: "1", b: "2", c: "3" } }, "other");
  const less = apply(
    others,
    configuration({ spec: { containers: [{ name: "a", image: "i" }] }, data: { a: "1" } }),
  );
  assert.deepEqual(state(less), {
    spec: { containers: [{ name: "a", image: "i" }] },
    data: { a: "1", c: "3" },
  });
  assert.deepEqual(owners(less)?.[1], ["other", "Update", '{"f:data":{"f:c":{}}}']);
});

test("serverSideApply leaves a shared field to the other owner", () => {
  const one = apply(undefined, configuration({ spec: { replicas: 1 } }));
  const two = apply(one, configuration({ spec: { replicas: 1 } }), { manager: "second" });
  assert.deepEqual(
    owners(two)?.map((o) => o[0]),
    ["applier", "second"],
  );
  const none = apply(two, configuration({}));
  assert.deepEqual(
    [state(none), owners(none)],
    [{ spec: { replicas: 1 } }, [["second", "Apply", '{"f:spec":{"f:replicas":{}}}']]],
  );
});

test("serverSideApply removes a default together with what stood beside it", () => {
  const made = apply(undefined, configuration({ spec: { rolling: { maxSurge: 1 }, replicas: 1 } }), {
    prepare: (merged) => {
      ((merged.spec as JsonObject).rolling as JsonObject).partition = 0;
      return merged as unknown as Managed;
    },
  });
  assert.deepEqual(state(apply(made, configuration({ spec: { replicas: 1 } }))), { spec: { replicas: 1 } });
});

const conflicts: [name: string, applied: object, message: string, causes: [string, string][]][] = [
  [
    "one field",
    { spec: { replicas: 3 } },
    'Apply failed with 1 conflict: conflict with "kubectl" using v1: .spec.replicas',
    [['conflict with "kubectl" using v1', ".spec.replicas"]],
  ],
  [
    "several fields",
    { spec: { replicas: 3, containers: [{ name: "a", image: "z" }] } },
    'Apply failed with 2 conflicts: conflicts with "kubectl" using v1:\n- .spec.containers[name="a"].image\n- .spec.replicas',
    [
      ['conflict with "kubectl" using v1', '.spec.containers[name="a"].image'],
      ['conflict with "kubectl" using v1', ".spec.replicas"],
    ],
  ],
];

for (const [name, applied, message, causes] of conflicts) {
  test(`serverSideApply refuses to change ${name} of another manager`, () => {
    const live = put(
      undefined,
      { spec: { replicas: 1, containers: [{ name: "a", image: "i" }] } },
      "kubectl",
    );
    assert.throws(
      () => apply(live, configuration(applied)),
      (error: StatusError) => {
        assert.deepEqual([error.code, error.reason, error.message], [409, "Conflict", message]);
        const expected = causes.map(([message, field]) => ({
          reason: "FieldManagerConflict",
          message,
          field,
        }));
        assert.deepEqual(error.details, { causes: expected });
        return true;
      },
    );
  });
}

test("serverSideApply takes the fields over when forced", () => {
  const live = put(undefined, { spec: { replicas: 1 }, data: { a: "1" } }, "other");
  const forced = apply(live, configuration({ spec: { replicas: 3 } }), { force: true });
  assert.deepEqual(state(forced), { spec: { replicas: 3 }, data: { a: "1" } });
  assert.deepEqual(owners(forced), [
    ["applier", "Apply", '{"f:spec":{"f:replicas":{}}}'],
    ["other", "Update", '{"f:data":{".":{},"f:a":{}}}'],
  ]);
});

test("serverSideApply names the subresource of the manager that it meets", () => {
  const live = apply(undefined, configuration({ data: { a: "1" } }));
  const updated = { ...live, spec: { replicas: 4 } } as Managed;
  const managedFields = updateManagedFields({
    ...common,
    live,
    updated,
    manager: "hpa",
    subresource: "scale",
  });
  const scaled = { ...updated, metadata: { ...updated.metadata, managedFields } };
  assert.throws(() => apply(scaled, configuration({ spec: { replicas: 1 } })), {
    message:
      'Apply failed with 1 conflict: conflict with "hpa" with subresource "scale" using v1: .spec.replicas',
  });
});

test("serverSideApply gives what was there to before-first-apply", () => {
  const live = frozen(configuration({ data: { a: "1" } }, { uid: "u" })) as unknown as Managed;
  assert.deepEqual(owners(apply(live, configuration({ data: { b: "2" } }))), [
    ["applier", "Apply", '{"f:data":{"f:b":{}}}'],
    ["before-first-apply", "Update", '{"f:data":{".":{},"f:a":{}}}'],
  ]);
});

const LAST = "kubectl.kubernetes.io/last-applied-configuration";

test("serverSideApply lets kubectl take over what kubectl set without it", () => {
  const last = JSON.stringify(configuration({ spec: { replicas: 1 }, data: { a: "1" } }));
  const fields = { spec: { replicas: 1 }, data: { a: "1" } };
  const live = put(undefined, fields, "kubectl-client-side-apply", { annotations: { [LAST]: last } });
  const applied = configuration({ spec: { replicas: 5 }, data: { a: "1" } });
  const taken = apply(live, applied, { manager: "kubectl" });
  assert.deepEqual(state(taken), { spec: { replicas: 5 }, data: { a: "1" } });
  const { annotations } = taken.metadata as { annotations?: Record<string, string> };
  assert.deepEqual(JSON.parse(annotations![LAST]!), applied);
  assert.throws(() => apply(live, applied, { manager: "other" }), { code: 409 });
  const changed = put(live, { spec: { replicas: 2 }, data: { a: "1" } }, "scaler");
  assert.throws(() => apply(changed, applied, { manager: "kubectl" }), {
    message: 'Apply failed with 1 conflict: conflict with "scaler" using v1: .spec.replicas',
  });
});

test("serverSideApply replaces atomic values and joins sets", () => {
  const live = put(undefined, { spec: { args: ["a", "b"], selector: { a: "1" } } }, "other", {
    finalizers: ["x"],
  });
  const applied = configuration({ spec: { args: ["c"], selector: { b: "2" } } }, { finalizers: ["y"] });
  const done = apply(live, applied, { force: true });
  assert.deepEqual(state(done), { spec: { args: ["c"], selector: { b: "2" } } });
  assert.deepEqual((done.metadata as { finalizers?: string[] }).finalizers, ["x", "y"]);
});

const orders: [live: string, applied: string, result: string][] = [
  ["abc", "ca", "bca"],
  ["ab", "x", "abx"],
  ["ab", "xb", "axb"],
  ["abcd", "dxb", "acdxb"],
  ["", "ba", "ba"],
];
for (const [was, applied, result] of orders) {
  test(`serverSideApply of elements ${applied} to ${was || "nothing"} gives ${result}`, () => {
    const list = (names: string) => ({ spec: { containers: [...names].map((name) => ({ name })) } });
    const live = put(undefined, list(was), "other");
    const { containers } = (
      state(apply(live, configuration(list(applied)))) as { spec: { containers: { name: string }[] } }
    ).spec;
    assert.equal(containers.map((c) => c.name).join(""), result);
  });
}

test("serverSideApply reads a null as a claim on the field's absence", () => {
  const live = apply(undefined, configuration({ spec: { replicas: 1, paused: true } }));
  assert.deepEqual(state(apply(live, configuration({ spec: { replicas: null, paused: true } }))), {
    spec: { paused: true },
  });
});

const refused: [name: string, applied: JsonObject, more: Partial<Applying>, code: number, message: string][] =
  [
    [
      "no manager",
      configuration({}),
      { manager: "" },
      422,
      'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
    ],
    [
      "managedFields",
      configuration({}, { managedFields: [] }),
      {},
      400,
      "metadata.managedFields must be nil",
    ],
    [
      "another version",
      { ...configuration({}), apiVersion: "v2" },
      {},
      400,
      "Incorrect version specified in apply patch. Specified patch version: v2, expected: v1",
    ],
    [
      "an unknown field",
      configuration({ spec: { containers: [{ name: "a", imag: "x" }] } }),
      {},
      500,
      'failed to create typed patch object (n/x; /v1, Kind=Thing): .spec.containers[name="a"].imag: field not declared in schema',
    ],
    [
      "equal keys",
      configuration({ spec: { containers: [{ name: "a" }, { name: "a" }] } }),
      {},
      500,
      'failed to create typed patch object (n/x; /v1, Kind=Thing): .spec.containers: duplicate entries for key [name="a"]',
    ],
    [
      "an element without key",
      configuration({ spec: { containers: [{ image: "a" }] } }),
      {},
      500,
      'failed to create typed patch object (n/x; /v1, Kind=Thing): .spec.containers: element 0: associative list with keys has an element that omits key field "name" (and doesn\'t have default value)',
    ],
  ];
for (const [name, applied, more, code, message] of refused) {
  test(`serverSideApply refuses ${name}`, () =>
    assert.throws(() => apply(undefined, applied, more), { code, message }));
}
