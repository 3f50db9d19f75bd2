/** create, update and patch beyond the core cases: agreement of names, dry runs, generation, tracking of fields. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { systemRandom } from "../../../src/apiserver/random.ts";
import {
  at,
  configMap,
  deployment,
  NAMESPACED,
  pod,
  type Shown,
  startTestServer,
  statusOf,
  type TestServer,
} from "./harness.ts";

const MAPS = `${NAMESPACED}/configmaps`;
const DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments";
const LEASES = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
const MERGE = { "content-type": "application/merge-patch+json" };
const JSON_PATCH = { "content-type": "application/json-patch+json" };
const STRATEGIC = { "content-type": "application/strategic-merge-patch+json" };
const APPLY = { "content-type": "application/apply-patch+yaml" };

let server: TestServer;
before(async () => {
  server = await startTestServer();
  await server.create(`${NAMESPACED}/serviceaccounts`, {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name: "default" },
  });
});
after(() => server[Symbol.asyncDispose]());

const lease = (name: string, holder?: string) => ({
  apiVersion: "coordination.k8s.io/v1",
  kind: "Lease",
  metadata: { name },
  spec: { holderIdentity: holder },
});

describe("names and namespaces of path and body", () => {
  const cases: [what: string, method: string, url: string, body: object, code: number, message: string][] = [
    [
      "a create in another namespace",
      "POST",
      MAPS,
      { ...configMap("x"), metadata: { name: "x", namespace: "other" } },
      400,
      "the namespace of the provided object does not match the namespace sent on the request",
    ],
    [
      "an update under another name",
      "PUT",
      `${MAPS}/agree`,
      configMap("other"),
      400,
      "the name of the object (other) does not match the name on the URL (agree)",
    ],
    [
      "an update without a name",
      "PUT",
      `${MAPS}/agree`,
      { apiVersion: "v1", kind: "ConfigMap", metadata: {} },
      400,
      "the name of the object (agree based on URL) was undeterminable: name must be provided",
    ],
    [
      "an update in another namespace",
      "PUT",
      `${MAPS}/agree`,
      { ...configMap("agree"), metadata: { name: "agree", namespace: "other" } },
      400,
      "the namespace of the provided object does not match the namespace sent on the request",
    ],
    [
      "another kind",
      "POST",
      MAPS,
      { apiVersion: "v1", kind: "Secret", metadata: { name: "x" } },
      400,
      "the object provided is unrecognized (must be of type ConfigMap): couldn't get version/kind",
    ],
    [
      "another version",
      "POST",
      MAPS,
      { apiVersion: "v2", kind: "ConfigMap", metadata: { name: "x" } },
      400,
      "the API version in the data (v2) does not match the expected API version (v1)",
    ],
    [
      "no name at all",
      "POST",
      MAPS,
      { apiVersion: "v1", kind: "ConfigMap", metadata: {} },
      422,
      "name or generateName is required",
    ],
  ];
  before(() => server.create(MAPS, configMap("agree")));
  for (const [what, method, url, body, code, message] of cases) {
    test(`${what} is refused`, async () => {
      const answer = await server.ask(method, url, { body });
      assert.equal(answer.code, code, answer.text);
      if (what === "another kind")
        assert.match(answer.object.message, /Secret in version "v1" cannot be handled as a ConfigMap/);
      else assert.ok(answer.object.message.includes(message), answer.object.message);
    });
  }

  test("a namespace in the body of a cluster-scoped object is dropped", async () => {
    const made = await server.create("/apis/scheduling.k8s.io/v1/priorityclasses", {
      apiVersion: "scheduling.k8s.io/v1",
      kind: "PriorityClass",
      metadata: { name: "high", namespace: "default" },
      value: 10,
    });
    assert.equal(made.metadata.namespace, undefined);
  });
});

describe("create", () => {
  test("resourceVersion in a new object is refused", async () => {
    const body = { ...configMap("versioned"), metadata: { name: "versioned", resourceVersion: "5" } };
    const { code, object } = await server.ask("POST", MAPS, { body });
    assert.equal(code, 500);
    assert.equal(object.message, "resourceVersion should not be set on objects to be created");
  });

  test("what only the server may say of an object is taken back", async () => {
    const metadata = {
      name: "wiped",
      uid: "mine",
      creationTimestamp: "2001-01-01T00:00:00Z",
      deletionTimestamp: "2001-01-01T00:00:00Z",
      deletionGracePeriodSeconds: 5,
      selfLink: "/x",
    };
    const made = await server.create(MAPS, { ...configMap("wiped"), metadata });
    assert.notEqual(made.metadata.uid, "mine");
    assert.equal(
      made.metadata.creationTimestamp,
      new Date(server.clock.now()).toISOString().replace(".000", ""),
    );
    assert.equal(made.metadata.deletionTimestamp, undefined);
    assert.equal(made.metadata.deletionGracePeriodSeconds, undefined);
    assert.equal(made.metadata.selfLink, undefined);
  });

  test("generateName appends five characters, and each object gets its own", async () => {
    const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { generateName: "gen-" } };
    const names = new Set<string>();
    for (let i = 0; i < 20; i++) names.add((await server.create(MAPS, body)).metadata.name ?? "");
    assert.equal(names.size, 20);
    for (const name of names) assert.match(name, /^gen-[bcdfghjklmnpqrstvwxz2456789]{5}$/);
  });

  test("a generated name that is taken gives way to another, eight times", async () => {
    const suffixes = ["aaaaa", "aaaaa", "bbbbb", ...Array.from({ length: 8 }, () => "aaaaa")];
    const random = { ...systemRandom(), suffix: () => suffixes.shift() ?? "zzzzz" };
    await using own = await startTestServer({ random });
    const body = { apiVersion: "v1", kind: "ConfigMap", metadata: { generateName: "gen-" } };
    assert.equal((await own.create(MAPS, body)).metadata.name, "gen-aaaaa");
    assert.equal((await own.create(MAPS, body)).metadata.name, "gen-bbbbb");
    assert.deepEqual(statusOf(await own.ask("POST", MAPS, { body })), {
      kind: "Status",
      status: "Failure",
      reason: "AlreadyExists",
      code: 409,
      message:
        'configmaps "gen-aaaaa" already exists, the server was not able to generate a unique name for the object',
      details: { name: "gen-aaaaa", kind: "configmaps", retryAfterSeconds: 1 },
    });
    assert.deepEqual(suffixes, []);
  });

  test("a long generateName is cut so that the name fits", async () => {
    const metadata = { generateName: "a".repeat(80) };
    const made = await server.create(MAPS, { apiVersion: "v1", kind: "ConfigMap", metadata });
    assert.equal(made.metadata.name?.length, 63);
    assert.ok(made.metadata.name?.startsWith("a".repeat(58)));
  });

  test("a namespace that is not there, or that ends, takes nothing new", async () => {
    const missing = await server.ask("POST", "/api/v1/namespaces/nowhere/configmaps", {
      body: configMap("x"),
    });
    assert.equal(missing.code, 404);
    assert.equal(missing.object.message, 'namespaces "nowhere" not found');
    await server.create("/api/v1/namespaces", {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "ending" },
    });
    await server.create("/api/v1/namespaces/ending/configmaps", configMap("last"));
    const deleted = await server.ask("DELETE", "/api/v1/namespaces/ending");
    assert.equal(deleted.code, 200);
    assert.equal(at(deleted.object, "status.phase"), "Terminating");
    const late = await server.ask("POST", "/api/v1/namespaces/ending/configmaps", { body: configMap("x") });
    assert.equal(late.code, 403);
    assert.equal(
      late.object.message,
      'configmaps "x" is forbidden: unable to create new content in namespace ending because it is being terminated',
    );
    const { causes } = late.object.details as { causes: unknown };
    assert.deepEqual(causes, [
      {
        reason: "NamespaceTerminating",
        message: "namespace ending is being terminated",
        field: "metadata.namespace",
      },
    ]);
  });
});

describe("dry runs", () => {
  test("answer as the real request would, and store nothing", async () => {
    const watch = server.watch(`${MAPS}?watch=true&labelSelector=dry%3Drun`);
    const dry = await server.ask("POST", `${MAPS}?dryRun=All`, {
      body: configMap("dry", {}, { dry: "run" }),
    });
    assert.equal(dry.code, 201);
    assert.ok(dry.object.metadata.uid);
    assert.equal((await server.get(`${MAPS}/dry`)).code, 404);
    const made = await server.create(MAPS, configMap("dry", { data: { a: "1" } }, { dry: "run" }));
    const put = await server.ask("PUT", `${MAPS}/dry?dryRun=All`, { body: { ...made, data: { a: "2" } } });
    assert.deepEqual([put.code, put.object.data], [200, { a: "2" }]);
    const headers = MERGE;
    const patched = await server.ask("PATCH", `${MAPS}/dry?dryRun=All`, {
      headers,
      body: { data: { a: "3" } },
    });
    assert.deepEqual([patched.code, patched.object.data], [200, { a: "3" }]);
    const deleted = await server.ask("DELETE", `${MAPS}/dry?dryRun=All`);
    assert.deepEqual([deleted.code, deleted.object.status], [200, "Success"]);
    const body = { kind: "DeleteOptions", apiVersion: "v1", dryRun: ["All"] };
    assert.equal((await server.ask("DELETE", `${MAPS}/dry`, { body })).code, 200);
    const all = await server.ask("DELETE", `${MAPS}?dryRun=All&labelSelector=dry%3Drun`);
    assert.equal(all.object.items.length, 1);
    assert.deepEqual((await server.get(`${MAPS}/dry`)).object, made);
    await server.ask("DELETE", `${MAPS}/dry`);
    const told = await watch.take(2);
    watch.close();
    assert.deepEqual(
      told.map(({ type }) => type),
      ["ADDED", "DELETED"],
    );
  });

  test("of subresources store nothing either", async () => {
    const made = await server.create(DEPLOYMENTS, deployment("dry-status"));
    const body = { ...made, status: { replicas: 3 } };
    const status = await server.ask("PUT", `${DEPLOYMENTS}/dry-status/status?dryRun=All`, { body });
    assert.equal(at(status.object, "status.replicas"), 3, status.text);
    const scale = await server.ask("PATCH", `${DEPLOYMENTS}/dry-status/scale?dryRun=All`, {
      headers: MERGE,
      body: { spec: { replicas: 7 } },
    });
    assert.equal(scale.object.spec.replicas, 7);
    await server.create(`${NAMESPACED}/pods`, pod("dry-bind"));
    const binding = { apiVersion: "v1", kind: "Binding", target: { kind: "Node", name: "n" } };
    const bound = await server.ask("POST", `${NAMESPACED}/pods/dry-bind/binding?dryRun=All`, {
      body: binding,
    });
    assert.equal(bound.code, 201, bound.text);
    assert.equal((await server.get(`${NAMESPACED}/pods/dry-bind`)).object.spec.nodeName, undefined);
    assert.deepEqual((await server.get(`${DEPLOYMENTS}/dry-status`)).object, made);
  });

  test("other values of dryRun are refused on every verb", async () => {
    for (const [method, kind] of [
      ["POST", "CreateOptions"],
      ["PUT", "UpdateOptions"],
      ["PATCH", "PatchOptions"],
      ["DELETE", "DeleteOptions"],
    ] as const) {
      const url = method === "POST" ? MAPS : `${MAPS}/agree`;
      const body = method === "DELETE" ? undefined : configMap("agree");
      const headers: Record<string, string> = method === "PATCH" ? MERGE : {};
      const { code, object } = await server.ask(method, `${url}?dryRun=Some`, { body, headers });
      assert.equal(code, 422, method);
      assert.equal(
        object.message,
        `${kind}.meta.k8s.io "" is invalid: dryRun: Unsupported value: ["Some"]: supported values: "All"`,
      );
    }
  });
});

describe("update", () => {
  test("without a resourceVersion is unconditional where the kind allows it, and refused where not", async () => {
    await server.create(MAPS, configMap("free"));
    const free = await server.ask("PUT", `${MAPS}/free`, { body: configMap("free", { data: { a: "b" } }) });
    assert.deepEqual([free.code, free.object.data], [200, { a: "b" }]);
    await server.create(LEASES, lease("strict"));
    const strict = await server.ask("PUT", `${LEASES}/strict`, { body: lease("strict", "me") });
    assert.equal(strict.code, 422);
    assert.equal(
      strict.object.message,
      'leases.coordination.k8s.io "strict" is invalid: metadata.resourceVersion: Invalid value: 0x0: must be specified for an update',
    );
  });

  test("creates a missing object of the kinds that allow it, and only of those", async () => {
    const created = await server.ask("PUT", `${LEASES}/made`, { body: lease("made", "me") });
    assert.equal(created.code, 201, created.text);
    const missing = await server.ask("PUT", `${MAPS}/missing`, { body: configMap("missing") });
    assert.equal(missing.code, 404);
  });

  test("of another uid is a Conflict, whether or not something stands there", async () => {
    const made = await server.create(MAPS, configMap("recreated"));
    const uid = "00000000-0000-0000-0000-000000000000";
    const text = (there: string): string =>
      `Operation cannot be fulfilled on configmaps "recreated": StorageError: invalid object, Code: 4, Key: /registry/configmaps/default/recreated, ResourceVersion: 0, AdditionalErrorMsg: Precondition failed: UID in precondition: ${uid}, UID in object meta: ${there}`;
    const body = { ...configMap("recreated"), metadata: { name: "recreated", uid } };
    const other = await server.ask("PUT", `${MAPS}/recreated`, { body });
    assert.deepEqual([other.code, other.object.message], [409, text(made.metadata.uid ?? "")]);
    await server.ask("DELETE", `${MAPS}/recreated`);
    const gone = await server.ask("PUT", `${MAPS}/recreated`, { body });
    assert.deepEqual([gone.code, gone.object.message], [409, text("")]);
  });

  test("raises the generation for changes of the spec, and for nothing else", async () => {
    const made = await server.create(DEPLOYMENTS, deployment("generation"));
    assert.equal(made.metadata.generation, 1);
    const patch = async (subresource: string, body: object): Promise<Shown> =>
      (await server.ask("PATCH", `${DEPLOYMENTS}/generation${subresource}`, { headers: MERGE, body })).object;
    assert.equal((await patch("", { metadata: { labels: { a: "b" } } })).metadata.generation, 1);
    assert.equal((await patch("", { spec: { paused: true } })).metadata.generation, 2);
    assert.equal((await patch("/status", { status: { replicas: 1 } })).metadata.generation, 2);
    assert.equal((await patch("", { metadata: { generation: 90 } })).metadata.generation, 2);
    await patch("/scale", { spec: { replicas: 4 } });
    assert.equal((await server.get(`${DEPLOYMENTS}/generation`)).object.metadata.generation, 3);
  });

  test("of spec and of status cannot overwrite each other", async () => {
    const made = await server.create(DEPLOYMENTS, deployment("apart", 2));
    const status = await server.ask("PUT", `${DEPLOYMENTS}/apart/status`, {
      body: { ...made, spec: { ...made.spec, replicas: 9 }, status: { replicas: 5 } },
    });
    assert.deepEqual([status.object.spec.replicas, at(status.object, "status.replicas")], [2, 5]);
    const spec = await server.ask("PUT", `${DEPLOYMENTS}/apart`, {
      body: { ...status.object, spec: { ...made.spec, replicas: 9 }, status: { replicas: 77 } },
    });
    assert.deepEqual([spec.object.spec.replicas, at(spec.object, "status.replicas")], [9, 5]);
  });
});

describe("patch", () => {
  test("in each of its types changes the object", async () => {
    await server.create(DEPLOYMENTS, deployment("types"));
    const url = `${DEPLOYMENTS}/types`;
    const json = await server.ask("PATCH", url, {
      headers: JSON_PATCH,
      body: [{ op: "replace", path: "/spec/replicas", value: 3 }],
    });
    assert.equal(json.object.spec.replicas, 3, json.text);
    const merge = await server.ask("PATCH", url, { headers: MERGE, body: { spec: { replicas: 4 } } });
    assert.equal(merge.object.spec.replicas, 4);
    const containers = [{ name: "second", image: "registry.k8s.io/pause:3.9" }];
    const body = { spec: { template: { spec: { containers } } } };
    const strategic = await server.ask("PATCH", url, { headers: STRATEGIC, body });
    const names = at(strategic.object, "spec.template.spec.containers") as { name: string }[];
    assert.deepEqual(names.map(({ name }) => name).sort(), ["main", "second"]);
    const merged = await server.ask("PATCH", url, { headers: MERGE, body });
    assert.equal((at(merged.object, "spec.template.spec.containers") as unknown[]).length, 1);
    const applied = await server.ask("PATCH", `${url}?fieldManager=me&force=true`, {
      headers: APPLY,
      body: "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: types\nspec:\n  replicas: 6\n",
    });
    assert.equal(applied.object.spec.replicas, 6, applied.text);
  });

  test("that empties apiVersion and kind, or removes them, leaves them as they are", async () => {
    await server.create(MAPS, configMap("typed"));
    const operations = [
      { op: "remove", path: "/apiVersion" },
      { op: "replace", path: "/kind", value: "" },
      { op: "replace", path: "/data/by", value: "json" },
    ];
    for (const [by, headers, body] of [
      ["strategic", STRATEGIC, { apiVersion: "", kind: "", data: { by: "strategic" } }],
      ["merge", MERGE, { apiVersion: null, kind: "", data: { by: "merge" } }],
      ["json", JSON_PATCH, operations],
    ] as const) {
      const patched = await server.ask("PATCH", `${MAPS}/typed`, { headers, body });
      const read = await server.ask("GET", `${MAPS}/typed`);
      for (const { object, text } of [patched, read]) {
        assert.deepEqual(
          [object.apiVersion, object.kind, at(object, "data.by")],
          ["v1", "ConfigMap", by],
          text,
        );
      }
    }
  });

  test("that adds a label without a value adds an empty one", async () => {
    await server.create(MAPS, configMap("label", {}, { a: "b" }));
    const body = [{ op: "add", path: "/metadata/labels/isolated" }];
    const { object, text } = await server.ask("PATCH", `${MAPS}/label`, { headers: JSON_PATCH, body });
    assert.deepEqual(object.metadata?.labels, { a: "b", isolated: "" }, text);
  });

  test("of a missing object is NotFound, save apply, which creates", async () => {
    for (const headers of [MERGE, STRATEGIC]) {
      const { code } = await server.ask("PATCH", `${MAPS}/nothing`, { headers, body: {} });
      assert.equal(code, 404);
    }
    const body = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: nothing\n";
    const { code } = await server.ask("PATCH", `${MAPS}/nothing?fieldManager=me`, { headers: APPLY, body });
    assert.equal(code, 201);
  });

  test("with the wrong resourceVersion is a Conflict", async () => {
    await server.create(MAPS, configMap("guarded"));
    const body = { metadata: { resourceVersion: "1" }, data: { a: "b" } };
    const { code, object } = await server.ask("PATCH", `${MAPS}/guarded`, { headers: MERGE, body });
    assert.equal(code, 409);
    assert.match(
      object.message,
      /^Operation cannot be fulfilled on configmaps "guarded": the object has been modified/,
    );
  });

  test("refusals have upstream's codes and texts", async () => {
    await server.create(MAPS, configMap("refused", { data: { a: "1" } }));
    const url = `${MAPS}/refused`;
    const failing = [{ op: "test", path: "/data/a", value: "2" }];
    assert.deepEqual(statusOf(await server.ask("PATCH", url, { headers: JSON_PATCH, body: failing })), {
      kind: "Status",
      status: "Failure",
      reason: "Invalid",
      code: 422,
      message: "the server rejected our request due to an error in our request",
      details: {},
    });
    const media = await server.ask("PATCH", url, { headers: { "content-type": "text/plain" }, body: "{}" });
    assert.deepEqual(
      [media.code, media.object.reason, media.object.message],
      [
        415,
        "UnsupportedMediaType",
        "the body of the request was in an unknown format - accepted media types include: application/json-patch+json, application/merge-patch+json, application/strategic-merge-patch+json, application/apply-patch+yaml",
      ],
    );
    const nobody = await server.ask("PATCH", url, { headers: APPLY, body: "{}" });
    assert.deepEqual(
      [nobody.code, nobody.object.message],
      [
        422,
        'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch',
      ],
    );
    const forced = await server.ask("PATCH", `${url}?force=true`, { headers: MERGE, body: {} });
    assert.deepEqual(
      [forced.code, forced.object.message],
      [
        422,
        'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch',
      ],
    );
    const many = Array.from({ length: 10_001 }, () => ({ op: "test", path: "/data/a", value: "1" }));
    const large = await server.ask("PATCH", url, { headers: JSON_PATCH, body: many });
    assert.equal(large.code, 413);
    const renamed = await server.ask("PATCH", url, { headers: MERGE, body: { metadata: { name: "other" } } });
    assert.equal(renamed.code, 400);
    assert.equal(
      renamed.object.message,
      "the name of the object (other) does not match the name on the URL (refused)",
    );
  });
});

describe("managed fields", () => {
  const managersOf = (object: Shown): string[] =>
    (object.metadata.managedFields ?? []).map(
      ({ manager, operation, subresource = "" }) => `${manager} ${operation} ${subresource}`,
    );

  test("name who created, updated, patched the status of and applied an object", async () => {
    const agent = (name: string) => ({ "user-agent": `${name}/1.0 (linux)` });
    const body = deployment("managed");
    await server.ask("POST", DEPLOYMENTS, { body, headers: agent("creator") });
    const url = `${DEPLOYMENTS}/managed`;
    await server.ask("PATCH", `${url}?fieldManager=patcher`, {
      headers: MERGE,
      body: { spec: { replicas: 2 } },
    });
    await server.ask("PATCH", `${url}/status`, {
      headers: { ...MERGE, ...agent("reporter") },
      body: { status: { replicas: 2 } },
    });
    const applied = await server.ask("PATCH", `${url}?fieldManager=applier`, {
      headers: APPLY,
      body: "apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: managed\n  labels:\n    by: applier\n",
    });
    assert.deepEqual(managersOf(applied.object).sort(), [
      "applier Apply ",
      "creator Update ",
      "patcher Update ",
      "reporter Update status",
    ]);
    const scaled = await server.ask("PATCH", `${url}/scale?fieldManager=scaler`, {
      headers: MERGE,
      body: { spec: { replicas: 8 } },
    });
    assert.equal(scaled.code, 200);
    const { object } = await server.get(url);
    assert.ok(managersOf(object).includes("scaler Update scale"), managersOf(object).join());
  });

  test("make an apply of a field of another manager a Conflict unless forced", async () => {
    const url = `${MAPS}/shared`;
    const apply = (manager: string, value: string, more = "") =>
      server.ask("PATCH", `${url}?fieldManager=${manager}${more}`, {
        headers: APPLY,
        body: `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: shared\ndata:\n  key: ${value}\n`,
      });
    assert.equal((await apply("one", "a")).code, 201);
    assert.equal((await apply("two", "a")).code, 200);
    const refused = await apply("three", "b");
    assert.equal(refused.code, 409);
    assert.equal(
      refused.object.message,
      'Apply failed with 2 conflicts: conflicts with "one":\n- .data.key\nconflicts with "two":\n- .data.key',
    );
    assert.equal(refused.object.reason, "Conflict");
    const forced = await apply("three", "b", "&force=true");
    assert.deepEqual([forced.code, forced.object.data], [200, { key: "b" }]);
    assert.deepEqual(managersOf(forced.object), ["three Apply "]);
  });

  test("can be taken away by a list of an empty entry, and are tracked again afterwards", async () => {
    await server.create(MAPS, configMap("reset", { data: { a: "b" } }));
    const url = `${MAPS}/reset?fieldManager=again`;
    const cleared = await server.ask("PATCH", url, {
      headers: MERGE,
      body: { metadata: { managedFields: [{}] } },
    });
    assert.equal(cleared.object.metadata.managedFields, undefined);
    const body = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: reset\ndata:\n  b: c\n";
    const tracked = await server.ask("PATCH", url, { headers: APPLY, body });
    assert.deepEqual(managersOf(tracked.object), ["again Apply ", "before-first-apply Update "]);
  });
});
