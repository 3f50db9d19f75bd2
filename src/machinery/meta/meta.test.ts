import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { FieldError } from "../field/field-error.ts";
import { FieldPath } from "../field/path.ts";
import { nameIsDNSSubdomain } from "../names/names.ts";
import { validateLabelSelector } from "../selectors/validate.ts";
import { generateName } from "./generate-name.ts";
import { controllerOf, controllerReference, isControlledBy } from "./owner.ts";
import { validateFieldManager, validateObjectMeta, validateObjectMetaUpdate } from "./validation.ts";

const texts = (errors: FieldError[]) => errors.map(({ field, body }) => `${field}: ${body}`);
const rules = { namespaced: true, name: nameIsDNSSubdomain };
const good = { name: "a", namespace: "default" };

describe("metadata", () => {
  it("is valid when its parts are", () => {
    const meta = {
      name: "a.b",
      generateName: "a-",
      namespace: "default",
      labels: { constructor: "x", "a.io/b": "" },
      annotations: { "A.io/B": "any text" },
      finalizers: ["kubernetes"],
      ownerReferences: [{ apiVersion: "apps/v1", kind: "ReplicaSet", name: "r", uid: "1", controller: true }],
      managedFields: [{ manager: "kubectl", operation: "Apply", fieldsType: "FieldsV1" }],
    };
    assert.deepEqual(validateObjectMeta(meta, rules), []);
  });

  it("is refused on create in upstream's words", () => {
    const cases: [Parameters<typeof validateObjectMeta>[0], string[]][] = [
      [{ namespace: "a" }, ["metadata.name: Required value: name or generateName is required"]],
      [{ name: "a" }, ["metadata.namespace: Required value"]],
      [
        { ...good, generation: -1 },
        ["metadata.generation: Invalid value: -1: must be greater than or equal to 0"],
      ],
      [
        { ...good, annotations: { a: "x".repeat(262144) } },
        ["metadata.annotations: Too long: may not be more than 262144 bytes"],
      ],
      [
        { ...good, finalizers: ["orphan", "foregroundDeletion"] },
        [
          'metadata.finalizers: Invalid value: ["orphan","foregroundDeletion"]: finalizer orphan and foregroundDeletion cannot be both set',
        ],
      ],
      [
        { ...good, managedFields: [{ operation: "Sow", fieldsType: "FieldsV2", manager: "m" }] },
        [
          'metadata.managedFields[0].operation: Invalid value: "Sow": must be `Apply` or `Update`',
          'metadata.managedFields[0].fieldsType: Invalid value: "FieldsV2": must be `FieldsV1`',
        ],
      ],
      [
        { ...good, ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: "", uid: "" }] },
        [
          'metadata.ownerReferences.name: Invalid value: "": must not be empty',
          'metadata.ownerReferences.uid: Invalid value: "": must not be empty',
        ],
      ],
    ];
    for (const [meta, expected] of cases) assert.deepEqual(texts(validateObjectMeta(meta, rules)), expected);
    assert.deepEqual(texts(validateObjectMeta(good, { ...rules, namespaced: false })), [
      "metadata.namespace: Forbidden: not allowed on this type",
    ]);
    const two = ["a", "b"].map((name) => ({
      apiVersion: "v1",
      kind: "Pod",
      name,
      uid: "1",
      controller: true,
    }));
    assert.match(
      texts(validateObjectMeta({ ...good, ownerReferences: two }, rules))[0]!,
      /Found "true" in references for Pod\/a and Pod\/b$/,
    );
    assert.match(
      texts(validateObjectMeta({ ...good, labels: { "a b": "-" } }, rules)).join(),
      /name part.*a valid label/,
    );
  });

  it("keeps what may not change on update", () => {
    const old = {
      ...good,
      uid: "1",
      resourceVersion: "5",
      generation: 2,
      creationTimestamp: "2026-01-01T00:00:00Z",
      deletionTimestamp: "2026-01-01T00:00:00Z",
      finalizers: ["a/b"],
    };
    assert.deepEqual(validateObjectMetaUpdate({ ...old, finalizers: [] }, old), []);
    const { deletionTimestamp: _, ...undeleted } = old;
    assert.deepEqual(texts(validateObjectMetaUpdate(undeleted, old)), [
      "metadata.deletionTimestamp: Invalid value: null: field is immutable",
    ]);
    const changed = { ...old, uid: "2", resourceVersion: "", generation: 1, finalizers: ["a/b", "c/d"] };
    assert.deepEqual(texts(validateObjectMetaUpdate(changed, old)), [
      'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"c/d"}',
      'metadata.resourceVersion: Invalid value: "": must be specified for an update',
      "metadata.generation: Invalid value: 1: must not be decremented",
      'metadata.uid: Invalid value: "2": field is immutable',
    ]);
  });

  it("names field managers with printable characters", () => {
    const path = FieldPath.root("fieldManager");
    assert.deepEqual(validateFieldManager("kubectl éü", path), []);
    assert.deepEqual(texts(validateFieldManager("a\n", path)), [
      'fieldManager: Invalid value: "a\\n": invalid character U+000A (at position 1)',
    ]);
    assert.equal(validateFieldManager("x".repeat(129), path)[0]?.type, "FieldValueTooLong");
  });
});

it("generateName leaves room for the suffix", () => {
  assert.equal(
    generateName("web-", (length) => "bcdfg".slice(0, length)),
    "web-bcdfg",
  );
  assert.equal(generateName("a".repeat(70), () => "bcdfg").length, 63);
});

it("controllerOf finds the owner that manages", () => {
  const owner = { apiVersion: "apps/v1", kind: "ReplicaSet", metadata: { name: "r", uid: "1" } };
  const object = {
    metadata: {
      ownerReferences: [{ apiVersion: "v1", kind: "Pod", name: "p", uid: "2" }, controllerReference(owner)],
    },
  };
  assert.equal(controllerOf(object)?.name, "r");
  assert.equal(isControlledBy(object, owner), true);
  assert.equal(isControlledBy({ metadata: {} }, owner), false);
});

it("validateLabelSelector reports each requirement by its path", () => {
  const selector = {
    matchExpressions: [
      { key: "a", operator: "In" },
      { key: "b", operator: "Exists", values: ["-"] },
      { key: "c", operator: "Gt", values: [] },
    ],
  };
  assert.deepEqual(
    validateLabelSelector(selector, FieldPath.root("spec", "selector")).map(
      ({ type, field }) => `${type} ${field}`,
    ),
    [
      "FieldValueRequired spec.selector.matchExpressions[0].values",
      "FieldValueForbidden spec.selector.matchExpressions[1].values",
      "FieldValueInvalid spec.selector.matchExpressions[1].values[0]",
      "FieldValueInvalid spec.selector.matchExpressions[2].operator",
    ],
  );
});
