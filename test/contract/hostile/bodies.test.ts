import assert from "node:assert/strict";
import { test } from "node:test";
import { type Answer, messageOf, request, startHostile } from "./server-process.ts";

const server = await startHostile();
const COLLECTION = "/api/v1/namespaces/default/configmaps";
const YAML = { "content-type": "application/yaml" };
const JSON_PATCH = { "content-type": "application/json-patch+json" };
const MERGE_PATCH = { "content-type": "application/merge-patch+json" };
const STRATEGIC = { "content-type": "application/strategic-merge-patch+json" };
const APPLY = { "content-type": "application/apply-patch+yaml" };
const MEBI = 1024 * 1024;

const nested = (depth: number, open: string, close: string, inside = ""): string =>
  open.repeat(depth) + inside + close.repeat(depth);
const named = (name: string, rest: string): string =>
  `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"${name}"}${rest}}`;
const many = (count: number, each: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => each(i)).join(",");

/** Milliseconds of the server's processor time: a few times what it needs, and far below what no bound would take. */
const SMALL = 3000;
const LARGE = 10_000;

/** Sends, and expects an answer for a bounded effort. */
async function bounded(what: string, milliseconds: number, send: () => Promise<Answer>): Promise<Answer> {
  let answer: Answer | undefined;
  const took = await server.effort(async () => {
    answer = await send();
  });
  assert.ok(took === undefined || took < milliseconds, `${what}: ${took} ms`);
  return answer!;
}

/** Sends the body as a new ConfigMap and expects a refusal. */
async function refused(
  body: string | Uint8Array,
  headers: Record<string, string>,
  status: number,
  milliseconds = SMALL,
) {
  const answer = await bounded("a refusal", milliseconds, () =>
    server.send("POST", COLLECTION, { body, headers }),
  );
  assert.equal(answer.status, status, answer.text.slice(0, 300));
  assert.equal(JSON.parse(answer.text).kind, "Status");
  return messageOf(answer);
}

test("bodies that are not JSON are refused with what kube-apiserver says of them", async () => {
  const json = { "content-type": "application/json" };
  const unreadable = "the object provided is unrecognized (must be of type ConfigMap): ";
  const cases: [string, string][] = [
    ["", "couldn't get version/kind; json parse error: unexpected end of JSON input (<empty>)"],
    ["{", "couldn't get version/kind; json parse error: unexpected end of JSON input ({)"],
    [
      "{'a':1}",
      "couldn't get version/kind; json parse error: invalid character '\\'' looking for beginning of object key string ({'a':1})",
    ],
    [
      "{} {}",
      "couldn't get version/kind; json parse error: invalid character '{' after top-level value ({} {})",
    ],
  ];
  for (const [body, said] of cases) assert.equal(await refused(body, json, 400), unreadable + said, body);
  for (const body of ["[]", '"text"', "1", "tru", "\u0000", "\ufeff{}"]) await refused(body, json, 400);
});

test("a body of the wrong types is refused with the field and what it should be", async () => {
  const json = { "content-type": "application/json" };
  assert.match(
    await refused(named("x", ',"data":[]'), json, 400),
    /cannot unmarshal array into Go struct field/,
  );
  assert.match(
    await refused(named("x", ',"data":{"a":1}'), json, 400),
    /cannot unmarshal number into Go struct field/,
  );
  for (const metadata of ["[]", '"x"', "1"]) await refused(`{"metadata":${metadata}}`, json, 400);
});

test("content types that the server does not read are answered with 415", async () => {
  for (const type of [
    "text/html",
    "application/xml",
    "application/json-patch+json",
    "multipart/form-data; boundary=x",
    ";",
  ]) {
    await refused("{}", { "content-type": type }, 415);
  }
  const patch = await server.send("PATCH", `${COLLECTION}/x`, {
    body: "{}",
    headers: { "content-type": "application/json" },
  });
  assert.equal(patch.status, 415);
});

test("Accept headers that nothing satisfies are answered with 406, and senseless ones never with a bug", async () => {
  const statuses = async (accept: string) =>
    (await server.send("GET", COLLECTION, { headers: { accept } })).status;
  assert.equal(await statuses("text/html"), 406);
  assert.equal(await statuses("application/json;as=Nothing;v=v1;g=meta.k8s.io"), 406);
  for (const accept of [";;;", ",", "q=1", "*/*;q=NaN", "a/b;q=2,*/*", "application/json;".repeat(2000)]) {
    assert.ok([200, 406].includes(await statuses(accept)), accept.slice(0, 40));
  }
});

test("10,001 levels of nesting are refused in every format and every type of patch", async () => {
  const depth = 10_001;
  const objects = nested(depth, '{"a":', "}", "1");
  const arrays = nested(depth, "[", "]");
  for (const deep of [objects, arrays]) {
    assert.match(
      await refused(named("x", `,"x":${deep}`), { "content-type": "application/json" }, 400),
      /exceeded max depth/,
    );
    await refused(named("x", `,"x":${deep}`), YAML, 400);
  }
  await refused(`metadata: {name: x}\nx:\n ${"- ".repeat(depth)}a\n`, YAML, 400);
  await refused(
    `metadata: {name: x}\nx:\n${Array.from({ length: 1500 }, (_, i) => `${" ".repeat(i + 1)}a:\n`).join("")}`,
    YAML,
    400,
  );
  assert.equal((await server.json("POST", COLLECTION, named("deep", ""))).status, 201);
  for (const [headers, body] of [
    [MERGE_PATCH, objects],
    [STRATEGIC, objects],
    [JSON_PATCH, `[{"op":"add","path":"/data","value":${objects}}]`],
    [APPLY, objects],
  ] as const) {
    const answer = await server.send("PATCH", `${COLLECTION}/deep?fieldManager=x`, { headers, body });
    assert.equal(answer.status, 400, `${headers["content-type"]}: ${answer.text.slice(0, 200)}`);
  }
});

test("values of any shape and managedFields that are nested too deep to be kept are refused, not stored", async () => {
  const revision = (name: string, depth: number) =>
    `{"apiVersion":"apps/v1","kind":"ControllerRevision","metadata":{"name":"${name}"},"revision":1,"data":${nested(depth, '{"a":', "}", "1")}}`;
  const revisions = "/apis/apps/v1/namespaces/default/controllerrevisions";
  assert.equal((await server.json("POST", revisions, revision("a", 900))).status, 201);
  for (const depth of [1100, 5000, 9990]) {
    const answer = await server.json("POST", revisions, revision("b", depth));
    assert.equal(answer.status, 400, `${depth}: ${answer.text.slice(0, 200)}`);
  }
  for (const depth of [1100, 9000]) {
    const fields = nested(depth, '{"f:a":', "}", "{}");
    const entry = `{"manager":"m","operation":"Update","apiVersion":"v1","fieldsType":"FieldsV1","fieldsV1":${fields}}`;
    const body = `{"metadata":{"name":"managed","managedFields":[${entry}]}}`;
    assert.equal((await server.json("POST", COLLECTION, body)).status, 400, String(depth));
  }
  // Small patches that double the depth, one on the other.
  const doubling = Array.from({ length: 12 }, (_, i) => {
    const below = "/a".repeat(900 * 2 ** Math.min(i, 6));
    return { op: "copy", from: "/data", path: `/data${below}` };
  });
  const patch = { headers: JSON_PATCH, body: JSON.stringify(doubling) };
  const answer = await server.send("PATCH", `${revisions}/a`, patch);
  assert.ok([400, 422].includes(answer.status), answer.text.slice(0, 200));
  for (const accept of ["application/yaml", "application/vnd.kubernetes.protobuf", "application/json"]) {
    assert.equal((await server.send("GET", revisions, { headers: { accept } })).status, 200, accept);
  }
});

test("YAML bombs and crafted YAML are refused within a second, in bounded memory", async () => {
  const bomb = ["a0: &a0 [x,x,x,x,x,x,x,x,x,x]"];
  for (let i = 1; i < 12; i++) bomb.push(`a${i}: &a${i} [${many(10, () => `*a${i - 1}`)}]`);
  assert.match(await refused(bomb.join("\n"), YAML, 400, 2000), /excessive aliasing/);
  const merges = ["a0: &a0 {x: 1}"];
  for (let i = 1; i < 40; i++) merges.push(`a${i}: &a${i} {<<: [${many(10, () => `*a${i - 1}`)}]}`);
  await refused(merges.join("\n"), YAML, 400, 2000);
  await refused("a: &a [*a]", YAML, 400);
  const filler = (text: string) => text.repeat(Math.floor((2.9 * MEBI) / text.length));
  for (const text of [
    "&a ",
    "- ",
    "? ",
    "[",
    "{a: ",
    "!",
    "*a ",
    "---\n",
    "%YAML 1.2\n",
    "'",
    '"\\x',
    "#\n",
    ": ",
    "|\n ",
    "a:\n",
    "!!x ",
  ]) {
    const answer = await server.send("POST", COLLECTION, { body: filler(text), headers: YAML });
    assert.ok(answer.status >= 400 && answer.status < 500, `${JSON.stringify(text)}: ${answer.status}`);
  }
  await refused(`metadata:\n  name: x\n  annotations:\n    a: "${"\\u0041".repeat(400_000)}"`, YAML, 422);
  assert.equal((await server.send("GET", "/readyz")).status, 200);
});

test("bodies over 3 MiB are answered with 413, whether they say their length or not", async () => {
  const body = named("big", `,"data":{"a":"${"x".repeat(4 * MEBI)}"}`);
  const before = server.memory();
  for (let i = 0; i < 10; i++) {
    const said = await refused(body, { "content-type": "application/json" }, 413);
    assert.equal(said, "Request entity too large: limit is 3145728");
  }
  const announced = { "content-type": "application/json", "content-length": String(4 * MEBI) };
  const session = server.connect();
  const answer = await request(session, "POST", COLLECTION, {
    headers: announced,
    body: Buffer.alloc(4 * MEBI, 32),
  });
  assert.equal(answer.status, 413);
  session.destroy();
  const grown = (server.memory() ?? 0) - (before ?? 0);
  assert.ok(grown < 150, `the process grew by ${Math.round(grown)} MiB`);
});

test("objects of very many parts are taken or refused in bounded time", async () => {
  const pods = "/api/v1/namespaces/default/pods";
  assert.equal(
    (
      await server.json("POST", "/api/v1/namespaces/default/serviceaccounts", {
        metadata: { name: "default" },
      })
    ).status,
    201,
  );
  const pod = (spec: string) =>
    `{"metadata":{"name":"p"},"spec":{"containers":[{"name":"a","image":"b"}],${spec}}}`;
  const inContainer = (part: string) =>
    `{"metadata":{"name":"p"},"spec":{"containers":[{"name":"a","image":"b",${part}}]}}`;
  const cases: [string, string, string][] = [
    ["unknown fields", COLLECTION, `{"metadata":{"name":"u"},${many(200_000, (i) => `"k${i}":1`)}}`],
    ["equal keys", COLLECTION, `{"metadata":{"name":"e"},"data":{${many(200_000, () => '"k":""')}}}`],
    [
      "wrong labels",
      COLLECTION,
      named("l", "").replace('"}}', `","labels":{${many(120_000, (i) => `"k ${i}":"a b"`)}}}}`),
    ],
    [
      "finalizers",
      COLLECTION,
      `{"metadata":{"name":"f","finalizers":[${many(150_000, (i) => `"a.b/k${i}"`)}]}}`,
    ],
    [
      "containers",
      pods,
      `{"metadata":{"name":"p"},"spec":{"containers":[${many(50_000, (i) => `{"name":"c${i}","image":"a"}`)}]}}`,
    ],
    ["ports", pods, inContainer(`"ports":[${many(80_000, (i) => `{"containerPort":1,"name":"p${i}"}`)}]`)],
    ["environment", pods, inContainer(`"env":[${many(80_000, (i) => `{"name":"E${i}"}`)}]`)],
    [
      "tolerations",
      pods,
      pod(`"tolerations":[${many(60_000, (i) => `{"key":"k${i}","operator":"Exists"}`)}]`),
    ],
    [
      "spreading",
      pods,
      pod(
        `"topologySpreadConstraints":[${many(30_000, (i) => `{"topologyKey":"k${i}","maxSkew":1,"whenUnsatisfiable":"DoNotSchedule"}`)}]`,
      ),
    ],
    ["volumes", pods, pod(`"volumes":[${many(60_000, (i) => `{"name":"v${i}","emptyDir":{}}`)}]`)],
    [
      "host aliases",
      pods,
      pod(`"hostAliases":[${many(60_000, (i) => `{"ip":"10.0.${i >> 8}.${i & 255}"}`)}]`),
    ],
    [
      "service ports",
      "/api/v1/namespaces/default/services",
      `{"metadata":{"name":"s"},"spec":{"ports":[${many(60_000, (i) => `{"name":"p${i}","port":1}`)}]}}`,
    ],
  ];
  for (const [what, path, body] of cases) {
    assert.ok(body.length < 3 * MEBI, `${what}: ${body.length}`);
    const answer = await bounded(what, LARGE, () => server.json("POST", path, body));
    assert.ok(
      [201, 413, 422].includes(answer.status),
      `${what}: ${answer.status} ${answer.text.slice(0, 200)}`,
    );
    assert.ok(answer.text.length < 8 * MEBI, `${what}: an answer of ${answer.text.length} bytes`);
  }
});

test("patches of very many parts are taken or refused in bounded time", async () => {
  const path = "/api/v1/namespaces/default/pods/patched";
  const pod = { metadata: { name: "patched" }, spec: { containers: [{ name: "a", image: "b" }] } };
  assert.equal((await server.json("POST", "/api/v1/namespaces/default/pods", pod)).status, 201);
  const elements = (more: string) => many(50_000, (i) => `{"name":"c${i}"${more}}`);
  const cases: [string, Record<string, string>, string][] = [
    ["merged elements", STRATEGIC, `{"spec":{"containers":[${elements(',"image":"a"')}]}}`],
    ["deleted elements", STRATEGIC, `{"spec":{"containers":[${elements(',"$patch":"delete"')}]}}`],
    ["an order", STRATEGIC, `{"spec":{"$setElementOrder/containers":[${elements("")}]}}`],
    [
      "primitives",
      STRATEGIC,
      `{"metadata":{"finalizers":[${many(100_000, (i) => `"f${i}"`)}],"$deleteFromPrimitiveList/finalizers":[${many(100_000, (i) => `"f${i}"`)}]}}`,
    ],
    [
      "tolerations",
      STRATEGIC,
      `{"spec":{"tolerations":[${many(30_000, (i) => `{"key":"k${i}","operator":"Exists"}`)}]}}`,
    ],
    ["a label beside many tolerations", MERGE_PATCH, '{"metadata":{"labels":{"a":"b"}}}'],
    [
      "applied elements",
      APPLY,
      `{"apiVersion":"v1","kind":"Pod","metadata":{"name":"patched"},"spec":{"containers":[${elements(',"image":"a"')}]}}`,
    ],
  ];
  for (const [what, headers, body] of cases) {
    const answer = await bounded(what, LARGE, () =>
      server.send("PATCH", `${path}?fieldManager=x`, { headers, body }),
    );
    assert.ok(
      [200, 400, 409, 413, 422].includes(answer.status),
      `${what}: ${answer.status} ${answer.text.slice(0, 200)}`,
    );
  }
});

test("a JSON patch of 10,001 operations is answered with 413, and copies that double stop at 3 MiB", async () => {
  assert.equal(
    (await server.json("POST", COLLECTION, named("copied", `,"data":{"a":"${"x".repeat(1000)}"}`))).status,
    201,
  );
  const operations = (count: number) =>
    `[${many(count, () => '{"op":"test","path":"/kind","value":"ConfigMap"}')}]`;
  const send = (body: string) => server.send("PATCH", `${COLLECTION}/copied`, { headers: JSON_PATCH, body });
  const tooMany = await send(operations(10_001));
  assert.equal(tooMany.status, 413);
  assert.equal(
    messageOf(tooMany),
    "Request entity too large: The allowed maximum operations in a JSON patch is 10000, got 10001",
  );
  assert.equal((await send(operations(10_000))).status, 200);
  const before = server.memory();
  const copies = Array.from({ length: 60 }, (_, i) => ({ op: "copy", from: "/data", path: `/data/k${i}` }));
  const doubled = await send(JSON.stringify(copies));
  assert.equal(doubled.status, 422);
  const grown = (server.memory() ?? 0) - (before ?? 0);
  assert.ok(grown < 100, `the process grew by ${Math.round(grown)} MiB`);
});

test("integers keep every digit of an int64, and what is none is refused", async () => {
  const revisions = "/apis/apps/v1/namespaces/default/controllerrevisions";
  const post = (name: string, revision: string, data = "{}") =>
    server.json("POST", revisions, `{"metadata":{"name":"${name}"},"revision":${revision},"data":${data}}`);
  const exact = ["9007199254740991", "9007199254740992", "9007199254740993", "9223372036854775807", "0"];
  for (const [i, number] of exact.entries()) {
    const answer = await post(`n${i}`, number, `{"big":${number},"float":1.5}`);
    assert.equal(answer.status, 201, answer.text);
    const read = await server.send("GET", `${revisions}/n${i}`);
    assert.ok(read.text.includes(`"revision":${number}`), read.text);
    assert.ok(read.text.includes(`"big":${number}`), read.text);
    // What a patch copies and brings keeps them too.
    const patches: [Record<string, string>, string][] = [
      [JSON_PATCH, `[{"op":"replace","path":"/revision","value":${number}}]`],
      [MERGE_PATCH, `{"revision":${number}}`],
      [STRATEGIC, `{"revision":${number}}`],
    ];
    for (const [headers, patch] of patches) {
      const patched = await server.send("PATCH", `${revisions}/n${i}`, { headers, body: patch });
      assert.equal(patched.status, 200, patched.text);
      assert.ok(patched.text.includes(`"revision":${number}`), patched.text);
    }
  }
  for (const number of ["9223372036854775808", "-9223372036854775809", "1.5", "1e400", '"1"', "1e19"]) {
    const answer = await post("bad", number);
    assert.equal(answer.status, 400, `${number}: ${answer.text}`);
    assert.match(messageOf(answer), /cannot unmarshal/);
  }
  for (const number of ["-1", "-9223372036854775808"])
    assert.equal((await post("bad", number)).status, 422, number);
});

test("of duplicate keys the last counts, and Strict validation names each", async () => {
  const body = '{"metadata":{"name":"twice","name":"twice"},"data":{"a":"1","b":"2","a":"3"}}';
  const strict = await server.json("POST", `${COLLECTION}?fieldValidation=Strict`, body);
  assert.equal(strict.status, 400);
  assert.match(messageOf(strict), /strict decoding error: duplicate field "metadata.name"/);
  const created = await server.json("POST", COLLECTION, body);
  assert.equal(created.status, 201);
  assert.deepEqual(JSON.parse(created.text).data, { a: "3", b: "2" });
  assert.match(String(created.headers.warning), /duplicate field \\"data.a\\"/);
});

test("the server serves on, and has met no bug", async () => {
  assert.equal((await server.send("GET", "/readyz")).status, 200);
  assert.deepEqual(server.bugs, []);
});
