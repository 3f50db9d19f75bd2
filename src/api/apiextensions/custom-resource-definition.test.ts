import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { RequestContext } from "../resource.ts";
import { CustomResourceDefinition } from "./index.ts";

const context = { now: "2026-01-01T00:00:00Z" } as unknown as RequestContext;

const names = { plural: "widgets", kind: "Widget" };
const schema = (properties: object = {}) => ({ openAPIV3Schema: { type: "object", properties } });
const v1 = { name: "v1", served: true, storage: true, schema: schema() };

function made(spec: object, metadata: object = {}): CustomResourceDefinition {
  const object = structuredClone({
    apiVersion: "apiextensions.k8s.io/v1",
    kind: "CustomResourceDefinition",
    metadata: { name: "widgets.example.com", ...metadata },
    spec: { group: "example.com", names, scope: "Namespaced", versions: [v1], ...spec },
  }) as CustomResourceDefinition;
  CustomResourceDefinition.defaults?.(object);
  CustomResourceDefinition.prepareForCreate?.(object, context);
  return object;
}

function said(errors: { field: string; body: string }[] | undefined): string[] {
  return (errors ?? []).map(({ field, body }) => `${field}: ${body}`);
}

const judged = (spec: object, metadata?: object) =>
  said(CustomResourceDefinition.validate?.(made(spec, metadata), context));
/** Of a schema for `spec.x` of the only version. */
const ofField = (x: object) => judged({ versions: [{ ...v1, schema: schema({ x }) }] });
const X = "spec.validation.openAPIV3Schema.properties[x]";

function updated(now: object, old: object, status?: object): string[] {
  const before = { ...made(old), ...(status ? { status: { ...made(old).status, ...status } } : {}) };
  const after = made(now);
  CustomResourceDefinition.prepareForUpdate?.(after, before, context);
  return said(CustomResourceDefinition.validateUpdate?.(after, before, context));
}

describe("CustomResourceDefinition", () => {
  it("gets its other names, its conversion and the version it stores", () => {
    const { spec, status } = made({});
    assert.deepEqual(spec.names, { ...names, singular: "widget", listKind: "WidgetList" });
    assert.deepEqual(spec.conversion, { strategy: "None" });
    assert.deepEqual(status?.storedVersions, ["v1"]);
    assert.deepEqual(judged({}), []);
  });

  it("is taken with all that a version can have", () => {
    const full = {
      ...v1,
      schema: schema({
        spec: {
          type: "object",
          properties: {
            port: { "x-kubernetes-int-or-string": true, anyOf: [{ type: "integer" }, { type: "string" }] },
            replicas: { type: "integer", minimum: 0, default: 1 },
            color: { type: "string", pattern: "^[a-z]+$" },
            list: {
              type: "array",
              "x-kubernetes-list-type": "map",
              "x-kubernetes-list-map-keys": ["name"],
              items: { type: "object", required: ["name"], properties: { name: { type: "string" } } },
            },
            labels: { type: "object", additionalProperties: { type: "string" } },
          },
          oneOf: [{ required: ["port"] }, { properties: { color: { minLength: 1 } } }],
          "x-kubernetes-validations": [{ rule: "true", fieldPath: ".color" }],
        },
        metadata: { type: "object", properties: { name: { type: "string", maxLength: 10 } } },
      }),
      subresources: {
        status: {},
        scale: { specReplicasPath: ".spec.replicas", statusReplicasPath: ".status.n" },
      },
      additionalPrinterColumns: [{ name: "Color", type: "string", jsonPath: ".spec.color" }],
      selectableFields: [{ jsonPath: ".spec.color" }],
    };
    const webhook = {
      clientConfig: { service: { name: "s", namespace: "n" } },
      conversionReviewVersions: ["v1"],
    };
    const versions = [full, { ...v1, name: "v2", storage: false }];
    assert.deepEqual(judged({ versions, conversion: { strategy: "Webhook", webhook } }), []);
  });

  const cases: [what: string, spec: object, said: (string | RegExp)[], metadata?: object][] = [
    [
      "another name",
      {},
      ['metadata.name: Invalid value: "x": must be spec.names.plural+"."+spec.group'],
      { name: "x" },
    ],
    [
      "a group without dot",
      { group: "example" },
      ['spec.group: Invalid value: "example": should be a domain with at least one dot'],
      { name: "widgets.example" },
    ],
    [
      "an unknown scope",
      { scope: "All" },
      ['spec.scope: Unsupported value: "All": supported values: "Cluster", "Namespaced"'],
    ],
    [
      "no storage version",
      { versions: [{ ...v1, storage: false }] },
      [
        /^spec\.versions: Invalid value: .*: must have exactly one version marked as storage version$/,
        "status.storedVersions: Invalid value: []: must have at least one stored version",
      ],
    ],
    [
      "versions of one name",
      { versions: [v1, { ...v1, storage: false }] },
      [/^spec\.versions: Invalid value: .*: must contain unique version names$/],
    ],
    [
      "no schema",
      { versions: [{ ...v1, schema: undefined }] },
      ["spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required"],
    ],
    [
      "a kind that is no label",
      { names: { ...names, kind: "Wid_get" } },
      [
        /^spec\.names\.singular: Invalid value: "wid_get": a DNS-1035 label/,
        /^spec\.names\.kind: Invalid value: "Wid_get": may have mixed case, but should otherwise match: a DNS-1035/,
        /^spec\.names\.listKind: Invalid value: "Wid_getList"/,
      ],
    ],
    [
      "a list kind that is the kind",
      { names: { ...names, listKind: "Widget" } },
      ['spec.names.listKind: Invalid value: "Widget": kind and listKind may not be the same'],
    ],
    [
      "all fields preserved",
      { preserveUnknownFields: true },
      [
        "spec.preserveUnknownFields: Invalid value: true: cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead",
      ],
    ],
    [
      "a group of Kubernetes' own",
      { group: "x.k8s.io" },
      [
        'metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111',
      ],
      { name: "widgets.x.k8s.io" },
    ],
    [
      "a webhook that nobody uses",
      {
        conversion: { strategy: "None", webhook: { conversionReviewVersions: ["v1"], clientConfig: {} } },
      },
      [
        "spec.conversion.webhookClientConfig: Forbidden: should not be set when strategy is not set to Webhook",
        "spec.conversion.conversionReviewVersions: Forbidden: should not be set when strategy is not set to Webhook",
      ],
    ],
    [
      "a conversion without webhook",
      { conversion: { strategy: "Webhook" } },
      [
        "spec.conversion.webhookClientConfig: Required value: required when strategy is set to Webhook",
        "spec.conversion.conversionReviewVersions: Required value",
      ],
    ],
    [
      "a bad scale and column",
      {
        versions: [
          {
            ...v1,
            subresources: { scale: { specReplicasPath: ".status.n", statusReplicasPath: "" } },
            additionalPrinterColumns: [{ name: "a", type: "text", jsonPath: "x" }],
            selectableFields: [{ jsonPath: ".spec.x" }],
          },
        ],
      },
      [
        'spec.subresources.scale.specReplicasPath: Invalid value: ".status.n": should be a json path under .spec',
        "spec.subresources.scale.statusReplicasPath: Required value",
        'spec.additionalPrinterColumns[0].type: Invalid value: "text": must be one of boolean,date,integer,number,string',
        'spec.additionalPrinterColumns[0].JSONPath: Invalid value: "x": must be a simple json path starting with .',
        'spec.selectableFields[0].jsonPath: Invalid value: ".spec.x": is an invalid path: does not refer to a valid field',
      ],
    ],
    [
      "a warning for what is not deprecated",
      { versions: [{ ...v1, deprecationWarning: "x" }] },
      ['spec.versions[0].deprecationWarning: Invalid value: "x": can only be set for deprecated versions'],
    ],
    [
      "a root that is no object, in one of two versions",
      {
        versions: [
          v1,
          { ...v1, name: "v2", storage: false, schema: { openAPIV3Schema: { type: "string" } } },
        ],
      },
      ['spec.versions[1].schema.openAPIV3Schema.type: Invalid value: "string": must be object at the root'],
    ],
  ];
  for (const [what, spec, expected, metadata] of cases) {
    it(`is refused with ${what}`, () => {
      const errors = judged(spec, metadata);
      assert.equal(errors.length, expected.length, errors.join("\n"));
      for (const [i, wanted] of expected.entries()) {
        if (typeof wanted === "string") assert.equal(errors[i], wanted);
        else assert.match(errors[i]!, wanted);
      }
    });
  }

  it("needs structural schemas", () => {
    assert.deepEqual(ofField({}), [
      `${X}.type: Required value: must not be empty for specified object fields`,
    ]);
    assert.deepEqual(ofField({ type: "array" }), [`${X}.items: Required value: must be specified`]);
    assert.deepEqual(ofField({ type: "object", anyOf: [{ type: "string", nullable: true }] }), [
      `${X}.anyOf[0].nullable: Forbidden: must be false to be structural`,
      `${X}.anyOf[0].type: Forbidden: must be empty to be structural`,
    ]);
    const openAPIV3Schema = { type: "object", allOf: [{ properties: { a: { minLength: 1 } } }] };
    assert.deepEqual(judged({ versions: [{ ...v1, schema: { openAPIV3Schema } }] }), [
      "spec.validation.openAPIV3Schema.properties[a]: Required value: because it is defined in spec.validation.openAPIV3Schema.allOf[0].properties[a]",
    ]);
    assert.deepEqual(ofField({ type: "string", pattern: "(a" }), [
      `${X}.pattern: Invalid value: "(a": must be a valid regular expression, but isn't: error parsing regexp: missing closing ): \`(a\``,
    ]);
    assert.deepEqual(ofField({ type: "object", "x-kubernetes-embedded-resource": true }), [
      `${X}.properties: Required value: must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields`,
    ]);
    const metadata = { type: "object", properties: { labels: { type: "object" } } };
    assert.deepEqual(judged({ versions: [{ ...v1, schema: schema({ metadata }) }] }), [
      "spec.validation.openAPIV3Schema.properties[metadata]: Forbidden: must not specify anything other than name and generateName, but metadata is implicitly specified",
    ]);
  });

  it("refuses what OpenAPI in Kubernetes lacks", () => {
    assert.deepEqual(ofField({ type: "null" }), [
      `${X}.type: Unsupported value: "null": supported values: "array", "boolean", "integer", "number", "object", "string"`,
      `${X}.type: Forbidden: type cannot be set to null, use nullable as an alternative`,
    ]);
    assert.deepEqual(ofField({ $ref: "#/x", type: "string" }), [
      `${X}.$ref: Forbidden: $ref is not supported`,
    ]);
    assert.deepEqual(ofField({ type: "array", uniqueItems: true, items: { type: "string" } }), [
      `${X}.uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic`,
    ]);
    assert.deepEqual(
      ofField({
        type: "array",
        "x-kubernetes-list-type": "map",
        "x-kubernetes-list-map-keys": ["a", "b"],
        items: { type: "object", properties: { a: { type: "string" } } },
      }),
      [
        `${X}.x-kubernetes-list-map-keys: Invalid value: ["a","b"]: entries must all be names of item properties`,
        `${X}.items.properties[a].default: Required value: this property is in x-kubernetes-list-map-keys, so it must have a default or be a required property`,
      ],
    );
    const rule = { rule: "a\nb", reason: "X", fieldPath: ".nope" };
    assert.deepEqual(ofField({ type: "object", "x-kubernetes-validations": [rule] }), [
      `${X}.x-kubernetes-validations[0].message: Required value: message must be specified if rule contains line breaks`,
      `${X}.x-kubernetes-validations[0].reason: Unsupported value: "X": supported values: "FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"`,
      `${X}.x-kubernetes-validations[0].fieldPath: Invalid value: ".nope": fieldPath must be a valid path`,
    ]);
  });

  it("says what is of a wrong type below items, which decoding lets through", () => {
    assert.deepEqual(ofField({ type: "array", items: { properties: { a: 5 }, type: 1 } }), [
      "spec.versions[0].schema.openAPIV3Schema.properties[x].items.properties[a]: Invalid value: 5: must be an object",
      "spec.versions[0].schema.openAPIV3Schema.properties[x].items.type: Invalid value: 1: must be a string",
    ]);
  });

  it("refuses schemas that are nested without end", () => {
    let deep: object = { type: "object" };
    for (let level = 0; level < 4000; level++) deep = { type: "object", properties: { a: deep } };
    const object = made({});
    object.spec.versions[0]!.schema = { openAPIV3Schema: deep };
    const [error] = said(CustomResourceDefinition.validate?.(object, context));
    assert.match(error ?? "", /Forbidden: schemas may not be nested deeper than 250 levels$/);
  });

  it("takes null for absence, also below items", () => {
    const items = { type: "string", properties: null, items: null, default: null, enum: null };
    const object = made({ versions: [{ ...v1, schema: schema({ x: { type: "array", items } }) }] });
    assert.deepEqual(object.spec.versions[0]?.schema?.openAPIV3Schema?.properties?.x?.items, {
      type: "string",
    });
    assert.deepEqual(said(CustomResourceDefinition.validate?.(object, context)), []);
  });

  it("takes properties with the names of what objects inherit", () => {
    const properties = Object.defineProperty({ constructor: { type: "string" } }, "__proto__", {
      value: { type: "string" },
      enumerable: true,
    });
    const object = made({});
    object.spec.versions[0]!.schema = { openAPIV3Schema: { type: "object", properties } };
    assert.deepEqual(said(CustomResourceDefinition.validate?.(object, context)), []);
  });

  it("remembers every version that was stored, and keeps it", () => {
    const v2 = { ...v1, name: "v2" };
    const old = made({});
    const now = made({ versions: [{ ...v1, storage: false }, v2] });
    CustomResourceDefinition.prepareForUpdate?.(now, old, context);
    assert.deepEqual(now.status?.storedVersions, ["v1", "v2"]);
    assert.deepEqual(old.status?.storedVersions, ["v1"]);
    assert.match(
      updated({ versions: [v2] }, {})[0] ?? "",
      /^status\.storedVersions\[0\]: .* missing from spec/,
    );
  });

  it("keeps group and plural, and once established also scope and kind", () => {
    const other = { group: "example.org", names: { plural: "gadgets", kind: "Gadget" }, scope: "Cluster" };
    assert.deepEqual(updated(other, {}), [
      'spec.group: Invalid value: "example.org": field is immutable',
      'spec.names.plural: Invalid value: "gadgets": field is immutable',
    ]);
    const conditions = [{ type: "Established", status: "True" }];
    assert.deepEqual(
      updated(other, {}, { conditions }).map((text) => text.split(":")[0]),
      ["spec.scope", "spec.names.kind", "spec.group", "spec.names.plural"],
    );
  });

  it("may keep what is wrong in what is stored", () => {
    const bad = { versions: [{ ...v1, schema: schema({ x: { type: "foo", nullable: true } }) }] };
    assert.equal(judged(bad).length, 1);
    assert.deepEqual(updated(bad, bad), []);
    assert.equal(updated(bad, {}).length, 1);
  });

  it("warns of formats that nothing checks, when they are new", () => {
    const versions = (format: string) => ({
      versions: [{ ...v1, schema: schema({ x: { type: "string", format } }) }],
    });
    const { warnings } = CustomResourceDefinition;
    assert.deepEqual(warnings?.(made(versions("date-time")), undefined), []);
    assert.deepEqual(warnings?.(made(versions("shape")), undefined), ['unrecognized format "shape"']);
    assert.deepEqual(warnings?.(made(versions("shape")), made(versions("shape"))), []);
  });
});
