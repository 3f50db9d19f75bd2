/** The forms of bodies and answers: JSON, YAML, protobuf, Table, PartialObjectMetadata; compression and warnings. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { schemas } from "../../../src/api/schema/schemas.ts";
import { decodeObject } from "../../../src/machinery/schema/codec.ts";
import { parseYAML } from "../../../src/machinery/yaml/yaml.ts";
import {
  configMap,
  deployment,
  NAMESPACED,
  pod,
  type Shown,
  startTestServer,
  type TestServer,
} from "./harness.ts";

const MAPS = `${NAMESPACED}/configmaps`;
const PODS = `${NAMESPACED}/pods`;
const DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments";
const PROTOBUF = "application/vnd.kubernetes.protobuf";
const as = (what: string, version = "v1"): { headers: { accept: string } } => ({
  headers: { accept: `application/json;as=${what};v=${version};g=meta.k8s.io` },
});

let server: TestServer;
before(async () => {
  server = await startTestServer();
  await server.create(`${NAMESPACED}/serviceaccounts`, {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name: "default" },
  });
  await server.create(MAPS, configMap("shown", { data: { a: "1", b: "2" } }, { set: "shown" }));
  await server.create(DEPLOYMENTS, deployment("shown", 2));
});
after(() => server[Symbol.asyncDispose]());

const decoded = (definition: string, bytes: Uint8Array): Shown =>
  decodeObject(schemas, definition, bytes, "protobuf", { strict: false }).object as unknown as Shown;

describe("Table", () => {
  for (const version of ["v1", "v1beta1"]) {
    test(`in ${version} shows one object, and a list`, async () => {
      const one = await server.get(`${MAPS}/shown`, as("Table", version));
      assert.equal(one.headers["content-type"], "application/json");
      assert.deepEqual([one.object.kind, one.object.apiVersion], ["Table", `meta.k8s.io/${version}`]);
      assert.deepEqual(
        one.object.columnDefinitions?.map(({ name }) => name),
        ["Name", "Data", "Age"],
      );
      assert.deepEqual(
        one.object.rows.map(({ cells }) => cells),
        [["shown", 2, "0s"]],
      );
      const { kind, apiVersion, metadata } = one.object.rows[0]!.object!;
      assert.deepEqual(
        [kind, apiVersion, metadata.name],
        ["PartialObjectMetadata", `meta.k8s.io/${version}`, "shown"],
      );
      const list = await server.get(`${MAPS}?labelSelector=set%3Dshown`, as("Table", version));
      assert.equal(list.object.rows.length, 1);
      assert.equal(list.object.metadata.resourceVersion, String(await server.store.current()));
    });
  }

  test("of what has no columns, or in protobuf, is not to be had", async () => {
    const review = await server.ask("POST", "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", {
      ...as("Table"),
      body: { spec: { nonResourceAttributes: { path: "/", verb: "get" } } },
    });
    assert.deepEqual([review.code, review.object.reason], [406, "NotAcceptable"], review.text);
    const table = `${PROTOBUF};as=Table;v=v1;g=meta.k8s.io`;
    assert.equal((await server.get(MAPS, { headers: { accept: table } })).code, 406);
    const list = await server.get(MAPS, { headers: { accept: `${table},application/json` } });
    assert.equal(list.object.kind, "ConfigMapList");
  });

  test("embeds what includeObject asks for", async () => {
    const embedded = async (include: string): Promise<unknown> =>
      (await server.get(`${MAPS}/shown?includeObject=${include}`, as("Table"))).object.rows[0]!.object;
    assert.equal(await embedded("None"), null);
    assert.equal(((await embedded("Metadata")) as Shown).data, undefined);
    assert.deepEqual(((await embedded("Object")) as Shown).data, { a: "1", b: "2" });
    const { code, object } = await server.get(`${MAPS}?includeObject=All`, as("Table"));
    assert.deepEqual(
      [code, object.message],
      [
        400,
        "Unable to convert to Table as requested: includeObject: Invalid value: \"All\": must be 'Metadata', 'Object', 'None', or empty",
      ],
    );
  });

  test("pages carry their token", async () => {
    const { object } = await server.get("/api/v1/namespaces?limit=2", as("Table"));
    assert.equal(object.rows.length, 2);
    assert.ok(object.metadata.continue);
    assert.equal(object.metadata.remainingItemCount, 2);
  });

  test("in a watch names its columns once", async () => {
    const watch = server.watch(`${MAPS}?watch=true&labelSelector=set%3Dtable`, as("Table"));
    await server.create(MAPS, configMap("t-1", {}, { set: "table" }));
    await server.create(MAPS, configMap("t-2", {}, { set: "table" }));
    await server.ask("DELETE", `${MAPS}/t-1`);
    const events = await watch.take(3);
    watch.close();
    assert.deepEqual(
      events.map(({ type, object }) => [
        type,
        object.kind,
        object.rows[0]!.cells[0],
        object.columnDefinitions === null,
      ]),
      [
        ["ADDED", "Table", "t-1", false],
        ["ADDED", "Table", "t-2", true],
        ["DELETED", "Table", "t-1", true],
      ],
    );
  });
});

describe("PartialObjectMetadata", () => {
  for (const version of ["v1", "v1beta1"]) {
    test(`in ${version} shows an object, a list and a watch without anything else`, async () => {
      const one = await server.get(`${MAPS}/shown`, as("PartialObjectMetadata", version));
      assert.deepEqual(Object.keys(one.object), ["kind", "apiVersion", "metadata"]);
      assert.deepEqual(
        [one.object.kind, one.object.apiVersion],
        ["PartialObjectMetadata", `meta.k8s.io/${version}`],
      );
      const list = await server.get(
        `${MAPS}?labelSelector=set%3Dshown`,
        as("PartialObjectMetadataList", version),
      );
      assert.deepEqual(
        [list.object.kind, list.object.apiVersion],
        ["PartialObjectMetadataList", `meta.k8s.io/${version}`],
      );
      assert.deepEqual(
        list.object.items.map((item) => [item.metadata.name, item.data]),
        [["shown", undefined]],
      );
      const watch = server.watch(
        `${MAPS}?labelSelector=set%3Dshown&watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
        as("PartialObjectMetadata", version),
      );
      const [added, mark] = await watch.take(2);
      watch.close();
      assert.deepEqual(added!.object, one.object);
      assert.deepEqual([mark!.type, mark!.object.kind], ["BOOKMARK", "PartialObjectMetadata"]);
    });
  }

  test("of a list, or a list of an object, is not to be had", async () => {
    const list = await server.get(MAPS, as("PartialObjectMetadata"));
    assert.deepEqual(
      [list.code, list.object.reason, list.object.message],
      [
        406,
        "NotAcceptable",
        "you requested PartialObjectMetadata, but the requested object is a list (*core.ConfigMapList)",
      ],
    );
    const one = await server.get(`${MAPS}/shown`, as("PartialObjectMetadataList"));
    assert.deepEqual(
      [one.code, one.object.message],
      [
        406,
        "you requested PartialObjectMetadataList, but the requested object is not a list (*core.ConfigMap)",
      ],
    );
  });

  test("in protobuf is what metadata informers read", async () => {
    const headers = { accept: `${PROTOBUF};as=PartialObjectMetadataList;g=meta.k8s.io;v=v1` };
    const { headers: got, bytes } = await server.get(`${MAPS}?labelSelector=set%3Dshown`, { headers });
    assert.equal(got["content-type"], PROTOBUF);
    const list = decoded("meta.v1.PartialObjectMetadataList", bytes);
    assert.deepEqual(
      list.items.map(({ metadata }) => metadata.name),
      ["shown"],
    );
  });
});

describe("content", () => {
  test("goes in and comes out as YAML and as protobuf", async () => {
    const yaml = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: from-yaml\ndata:\n  k: v\n";
    const created = await server.ask("POST", MAPS, {
      body: yaml,
      headers: { "content-type": "application/yaml", accept: PROTOBUF },
    });
    assert.equal(created.code, 201);
    assert.equal(created.headers["content-type"], PROTOBUF);
    assert.deepEqual(decoded("core.v1.ConfigMap", created.bytes).data, { k: "v" });
    await server.ask("DELETE", `${MAPS}/from-yaml`);
    const back = await server.ask("POST", MAPS, {
      body: created.bytes,
      headers: { "content-type": PROTOBUF, accept: "application/yaml" },
    });
    // The bytes hold a resourceVersion, which a new object must not have.
    assert.equal(back.code, 500);
    const read = await server.get(`${MAPS}/shown`, { headers: { accept: "application/yaml" } });
    assert.equal(read.headers["content-type"], "application/yaml");
    assert.deepEqual((parseYAML(read.bytes) as unknown as Shown).data, { a: "1", b: "2" });
    const current = await server.get(`${MAPS}/shown`, { headers: { accept: PROTOBUF } });
    const put = await server.ask("PUT", `${MAPS}/shown`, {
      body: current.bytes,
      headers: { "content-type": PROTOBUF },
    });
    assert.equal(put.code, 200, put.text);
    assert.equal(
      put.object.metadata.resourceVersion,
      decoded("core.v1.ConfigMap", current.bytes).metadata.resourceVersion,
    );
  });

  const accepts: [accept: string, type: string][] = [
    ["*/*", "application/json"],
    ["application/json", "application/json"],
    ["application/*", "application/json"],
    [`${PROTOBUF},application/json`, PROTOBUF],
    ["application/json;q=0.5, application/yaml", "application/yaml"],
    ["application/json;as=Table;v=v2;g=meta.k8s.io,application/json", "application/json"],
    ["text/html,application/xhtml+xml,*/*;q=0.8", "application/json"],
  ];
  for (const [accept, type] of accepts) {
    test(`for ${accept} is ${type}`, async () => {
      const { code, headers } = await server.get(`${MAPS}/shown`, { headers: { accept } });
      assert.deepEqual([code, headers["content-type"]], [200, type]);
    });
  }

  const refused: [
    method: string,
    url: string,
    header: string,
    value: string,
    code: number,
    message: string,
  ][] = [
    [
      "GET",
      `${MAPS}/shown`,
      "accept",
      "text/plain",
      406,
      `only the following media types are accepted: application/json, application/yaml, ${PROTOBUF}`,
    ],
    [
      "GET",
      `${MAPS}/shown`,
      "accept",
      "application/json;as=Chair;v=v1;g=meta.k8s.io",
      406,
      `only the following media types are accepted: application/json, application/yaml, ${PROTOBUF}`,
    ],
    [
      "GET",
      `${MAPS}?watch=true`,
      "accept",
      "application/yaml",
      406,
      `only the following media types are accepted: application/json;stream=watch, ${PROTOBUF};stream=watch`,
    ],
    [
      "POST",
      MAPS,
      "content-type",
      "text/plain",
      415,
      `the body of the request was in an unknown format - accepted media types include: application/json, application/yaml, ${PROTOBUF}`,
    ],
  ];
  for (const [method, url, header, value, code, message] of refused) {
    test(`${header} ${value} is refused for ${method} ${url}`, async () => {
      const body = method === "POST" ? "{}" : undefined;
      const answer = await server.ask(method, url, { body, headers: { [header]: value } });
      assert.deepEqual([answer.code, answer.object.message], [code, message]);
    });
  }

  test("of a watch in protobuf is framed by lengths", async () => {
    const watch = server.watch(`${MAPS}?watch=true&labelSelector=set%3Dshown&timeoutSeconds=1`, {
      headers: { accept: `${PROTOBUF};stream=watch,${PROTOBUF}` },
    });
    const { headers } = await watch.answer;
    assert.equal(headers["content-type"], `${PROTOBUF};stream=watch`);
    server.clock.advance(1000);
    await watch.rest();
    const bytes = watch.bytes();
    assert.equal(bytes.readUInt32BE(0), bytes.length - 4);
    assert.ok(bytes.includes("k8s\0"));
  });

  test("that is large is compressed for clients that take it, and only for them", async () => {
    const big = "x".repeat(100_000);
    for (let i = 0; i < 3; i++)
      await server.create(MAPS, configMap(`big-${i}`, { data: { big } }, { set: "big" }));
    const url = `${MAPS}?labelSelector=set%3Dbig`;
    const plain = await server.get(url);
    assert.equal(plain.headers["content-encoding"], undefined);
    const packed = await server.get(url, { headers: { "accept-encoding": "gzip" } });
    assert.equal(packed.headers["content-encoding"], "gzip");
    assert.ok(packed.bytes.length < plain.bytes.length / 10);
    assert.deepEqual(JSON.parse(gunzipSync(packed.bytes).toString()), plain.object);
    const small = await server.get(`${MAPS}?labelSelector=set%3Dshown`, {
      headers: { "accept-encoding": "gzip" },
    });
    assert.equal(small.headers["content-encoding"], undefined);
  });

  test("is printed with indentation where pretty is asked for", async () => {
    const { text, object } = await server.get(`${MAPS}/shown?pretty=true`);
    assert.equal(text, `${JSON.stringify(object, undefined, 2)}\n`);
  });
});

describe("field validation", () => {
  const body = { ...configMap("strict"), dat: { a: "b" } };
  const unknown = 'unknown field "dat"';
  test("warns of unknown fields by default, refuses them where Strict, is silent where Ignore", async () => {
    const warned = await server.ask("POST", `${MAPS}?dryRun=All`, { body });
    assert.deepEqual([warned.code, warned.headers.warning], [201, `299 - "${unknown.replace(/"/g, '\\"')}"`]);
    const strict = await server.ask("POST", `${MAPS}?fieldValidation=Strict`, { body });
    assert.equal(strict.code, 400);
    assert.equal(
      strict.object.message,
      `ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: ${unknown}`,
    );
    const ignored = await server.ask("POST", `${MAPS}?dryRun=All&fieldValidation=Ignore`, { body });
    assert.deepEqual([ignored.code, ignored.headers.warning], [201, undefined]);
    const wrong = await server.ask("POST", `${MAPS}?fieldValidation=Loud`, { body });
    assert.deepEqual(
      [wrong.code, wrong.object.message],
      [
        422,
        'CreateOptions.meta.k8s.io "" is invalid: fieldValidation: Unsupported value: "Loud": supported values: "", "Ignore", "Strict", "Warn"',
      ],
    );
  });

  test("names duplicate fields", async () => {
    const text = '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"dup"},"data":{"a":"1","a":"2"}}';
    const headers = { "content-type": "application/json" };
    const { code, headers: got } = await server.ask("POST", `${MAPS}?dryRun=All`, { body: text, headers });
    assert.deepEqual([code, got.warning], [201, '299 - "duplicate field \\"data.a\\""']);
  });

  test("of kinds' own rules are warnings too", async () => {
    const made = pod("warned", { spec: { nodeSelector: { "beta.kubernetes.io/os": "linux" } } });
    const { headers } = await server.ask("POST", `${PODS}?dryRun=All`, { body: made });
    assert.match(
      headers.warning ?? "",
      /^299 - "spec.nodeSelector\[beta.kubernetes.io\/os\]: deprecated since v1.14; use \\"kubernetes.io\/os\\" instead"/,
    );
  });
});
