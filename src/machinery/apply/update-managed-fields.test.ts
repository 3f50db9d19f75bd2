import assert from "node:assert/strict";
import { test } from "node:test";
import type { ManagedFieldsEntry } from "./managed-fields.ts";
import { schemas } from "./testdata/schemas.ts";
import { type Managed, type Updating, updateManagedFields } from "./update-managed-fields.ts";

const FIRST = "2026-01-01T00:00:00Z";
const LATER = "2026-01-02T00:00:00Z";

function object(fields: object, metadata: object = {}): Managed {
  return {
    apiVersion: "v1",
    kind: "Thing",
    ...fields,
    metadata: { name: "x", namespace: "n", ...metadata },
  } as Managed;
}

function update(live: Managed | undefined, updated: Managed, more: Partial<Updating> = {}) {
  return updateManagedFields({
    schemas,
    id: "Thing",
    live,
    updated,
    manager: "tester",
    apiVersion: "v1",
    subresource: "",
    time: FIRST,
    resets: ["status"],
    ...more,
  });
}

/** The object as it is stored after a create or update. */
function stored(live: Managed | undefined, updated: Managed, more: Partial<Updating> = {}): Managed {
  const managedFields = update(live, updated, more);
  return { ...updated, metadata: { ...updated.metadata, uid: "u", managedFields } };
}

const fieldsOf = (entries: ManagedFieldsEntry[] | undefined, at = 0) =>
  JSON.stringify(entries?.[at]?.fieldsV1);

const container = {
  name: "c",
  image: "i",
  ports: [{ port: 443 }, { port: 80, protocol: "UDP" }],
  resources: {},
};

test("updateManagedFields gives a creator all that it sets, in upstream's form", () => {
  const created = object(
    {
      spec: {
        args: ["a"],
        containers: [container],
        paused: false,
        rolling: { maxSurge: 1 },
        selector: { a: "b" },
      },
      status: { ready: 1 },
      data: { "8080": "x", a: "y" },
    },
    {
      labels: { app: "x" },
      finalizers: ["z", "a"],
      ownerReferences: [{ uid: "1", name: "o" }],
      uid: "u",
      resourceVersion: "1",
    },
  );
  assert.deepEqual(update(undefined, created), [
    {
      manager: "tester",
      operation: "Update",
      apiVersion: "v1",
      time: FIRST,
      fieldsType: "FieldsV1",
      fieldsV1: {
        "f:data": { ".": {}, "f:8080": {}, "f:a": {} },
        "f:metadata": {
          "f:finalizers": { ".": {}, 'v:"a"': {}, 'v:"z"': {} },
          "f:labels": { ".": {}, "f:app": {} },
          "f:ownerReferences": { ".": {}, 'k:{"uid":"1"}': {} },
        },
        "f:spec": {
          "f:args": {},
          "f:containers": {
            'k:{"name":"c"}': {
              ".": {},
              "f:image": {},
              "f:name": {},
              "f:ports": {
                ".": {},
                'k:{"port":80,"protocol":"UDP"}': { ".": {}, "f:port": {}, "f:protocol": {} },
                'k:{"port":443,"protocol":"TCP"}': { ".": {}, "f:port": {} },
              },
              "f:resources": {},
            },
          },
          "f:rolling": { ".": {}, "f:maxSurge": {} },
          "f:selector": {},
        },
      },
    },
  ]);
  assert.match(
    fieldsOf(update(undefined, created))!,
    /^\{"f:data":.*"f:metadata":\{"f:finalizers":.*"k:\{\\"port\\":80,.*"k:\{\\"port\\":443,/,
  );
});

test("updateManagedFields answers the same array when nothing changes", () => {
  const live = stored(undefined, object({ spec: { containers: [container] } }));
  const again = object(
    { spec: { containers: [{ ...container }] } },
    { uid: "u", resourceVersion: "7", managedFields: structuredClone(live.metadata.managedFields) },
  );
  assert.equal(update(live, again, { time: LATER, manager: "other" }), live.metadata.managedFields);
});

test("updateManagedFields does not track what the endpoint resets", () => {
  const live = stored(undefined, object({ spec: { replicas: 1 } }));
  const changed = { ...object({ spec: { replicas: 1 }, status: { ready: 3 } }), metadata: live.metadata };
  assert.equal(update(live, changed, { time: LATER }), live.metadata.managedFields);
  const status = update(live, changed, {
    time: LATER,
    subresource: "status",
    resets: ["spec"],
    manager: "controller",
  });
  assert.deepEqual(status?.[1], {
    manager: "controller",
    operation: "Update",
    apiVersion: "v1",
    time: LATER,
    fieldsType: "FieldsV1",
    fieldsV1: { "f:status": { "f:ready": {} } },
    subresource: "status",
  });
});

test("updateManagedFields moves a changed field to who changed it", () => {
  const live = stored(undefined, object({ spec: { replicas: 1, args: ["a"] } }));
  const scaled = { ...object({ spec: { replicas: 2, args: ["a"] } }), metadata: live.metadata };
  const entries = update(live, scaled, { manager: "scaler", time: LATER, subresource: "scale" });
  assert.deepEqual(
    entries?.map((e) => [e.manager, e.time, e.subresource, JSON.stringify(e.fieldsV1)]),
    [
      ["tester", FIRST, undefined, '{"f:spec":{"f:args":{}}}'],
      ["scaler", LATER, "scale", '{"f:spec":{"f:replicas":{}}}'],
    ],
  );
});

test("updateManagedFields keeps the time of a manager that only removes", () => {
  const live = stored(undefined, object({ data: { a: "1", b: "2" } }));
  const less = { ...object({ data: { a: "1" } }), metadata: live.metadata };
  const entries = update(live, less, { time: LATER });
  assert.deepEqual(
    [entries?.length, entries?.[0]?.time, fieldsOf(entries)],
    [1, FIRST, '{"f:data":{".":{},"f:a":{}}}'],
  );
});

test("updateManagedFields drops a manager that has nothing left, and all below what goes", () => {
  const live = stored(undefined, object({ spec: { replicas: 1 } }));
  const mixed = stored(
    live,
    { ...object({ spec: { replicas: 1, containers: [container] } }), metadata: live.metadata },
    { manager: "adder" },
  );
  const gone = { ...object({ spec: { replicas: 2 } }), metadata: mixed.metadata };
  assert.deepEqual(
    update(mixed, gone, { manager: "third" })?.map((e) => [e.manager, JSON.stringify(e.fieldsV1)]),
    [["third", '{"f:spec":{"f:replicas":{}}}']],
  );
});

test("updateManagedFields leaves an object without managers untracked", () => {
  const live = object({ data: { a: "1" } }, { uid: "u" });
  assert.equal(update(live, object({ data: { a: "2" } })), undefined);
});

test("updateManagedFields forgets all managers when asked to, and not for an empty list", () => {
  const live = stored(undefined, object({ data: { a: "1" } }));
  const send = (managedFields: ManagedFieldsEntry[]) =>
    update(live, object({ data: { a: "1" } }, { managedFields }));
  assert.equal(send([{}]), undefined);
  assert.equal(send([]), live.metadata.managedFields);
});

test("updateManagedFields takes managers that a client sends, unless they make no sense", () => {
  const live = stored(undefined, object({ data: { a: "1" } }));
  const send = (entry: object) => update(live, object({ data: { a: "1" } }, { managedFields: [entry] }));
  const mine = {
    manager: "me",
    operation: "Apply",
    apiVersion: "v1",
    fieldsType: "FieldsV1",
    fieldsV1: { "f:data": { "f:a": {} } },
  };
  assert.deepEqual(send(mine), [mine]);
  assert.equal(send({ ...mine, fieldsV1: { nonsense: {} } }), live.metadata.managedFields);
  assert.equal(send({ ...mine, operation: "Look" }), live.metadata.managedFields);
  const status = object({ data: { a: "1" } }, { managedFields: [mine] });
  assert.equal(update(live, status, { subresource: "status" }), live.metadata.managedFields);
});

test("updateManagedFields puts the oldest of more than ten updaters together", () => {
  let live = stored(undefined, object({ data: { k: "0" } }), { manager: "m0" });
  for (let i = 1; i <= 12; i++) {
    const data = { ...(live as unknown as { data: object }).data, [`k${i}`]: "x" };
    const time = `2026-01-01T00:00:${String(i).padStart(2, "0")}Z`;
    live = stored(live, { ...object({ data }), metadata: live.metadata }, { manager: `m${i}`, time });
  }
  const entries = live.metadata.managedFields!;
  assert.equal(entries.length, 10);
  assert.equal(entries[0]?.manager, "ancient-changes");
  assert.equal(fieldsOf(entries), '{"f:data":{".":{},"f:k":{},"f:k1":{},"f:k2":{},"f:k3":{}}}');
});

test("updateManagedFields looks into what a custom resource leaves open", () => {
  const created = object({ spec: { a: { b: [1] }, c: 1 } });
  assert.equal(
    fieldsOf(update(undefined, created, { id: "Custom" })),
    '{"f:spec":{".":{},"f:a":{".":{},"f:b":{}},"f:c":{}}}',
  );
});

test("updateManagedFields counts list elements of equal keys as one field", () => {
  const twice = [
    { name: "a", image: "1" },
    { name: "a", image: "2" },
  ];
  const live = stored(undefined, object({ spec: { containers: twice } }));
  assert.equal(
    fieldsOf(live.metadata.managedFields),
    '{"f:spec":{"f:containers":{"k:{\\"name\\":\\"a\\"}":{}}}}',
  );
});

test("updateManagedFields keeps keys of the user that prototypes have", () => {
  const data = JSON.parse('{"__proto__":"a","constructor":"b"}');
  assert.equal(
    fieldsOf(update(undefined, object({ data }))),
    '{"f:data":{".":{},"f:__proto__":{},"f:constructor":{}}}',
  );
});

test("updateManagedFields takes a key that is undefined for absent", () => {
  const containers = [{ name: "a", image: undefined, resources: { limits: undefined } }];
  assert.equal(
    fieldsOf(
      update(undefined, object({ spec: { containers, replicas: undefined } }, { selfLink: undefined })),
    ),
    '{"f:spec":{"f:containers":{"k:{\\"name\\":\\"a\\"}":{".":{},"f:name":{},"f:resources":{}}}}}',
  );
});
