import assert from "node:assert/strict";
import { test } from "node:test";
import { schemas } from "../../../src/api/schema/schemas.ts";
import { jsonPatch } from "../../../src/machinery/patch/json-patch.ts";
import { mergePatch } from "../../../src/machinery/patch/merge-patch.ts";
import { strategicMergePatch } from "../../../src/machinery/patch/strategic-merge-patch.ts";
import { StatusError } from "../../../src/machinery/status/status-error.ts";
import { anything, HOSTILE_KEYS, hostileMap, textOf } from "../../fuzz/hostile.ts";
import { Random } from "../../fuzz/random.ts";
import { fuzz } from "../../fuzz/run.ts";
import { type HostileServer, startHostile } from "./server-process.ts";

type JsonObject = Record<string, unknown>;

const COLLECTION = "/api/v1/namespaces/default/configmaps";
const DATA = '{"__proto__":"a","constructor":"b","hasOwnProperty":"e","prototype":"c","toString":"d"}';
const NAMES = ["__proto__", "constructor", "hasOwnProperty", "prototype", "toString"];
const PATCHES: [string, (part: string) => string][] = [
  ["application/merge-patch+json", (part) => `{"data":${part}}`],
  ["application/strategic-merge-patch+json", (part) => `{"data":${part}}`],
  ["application/json-patch+json", (part) => operations(part)],
  ["application/apply-patch+yaml", (part) => `{"apiVersion":"v1","kind":"ConfigMap","data":${part}}`],
];

function operations(part: string): string {
  return JSON.stringify(
    Object.entries(JSON.parse(part)).map(([key, value]) => ({ op: "add", path: `/data/${key}`, value })),
  );
}

// As bin/kybern.js runs it, and as somebody might who starts the program without it.
const servers = [await startHostile(), await startHostile({ node: [] })] as const;

test("hostile keys are data in a server without the __proto__ accessor", () => keepsKeys(servers[0]));

test("hostile keys are data in a server with the __proto__ accessor", () => keepsKeys(servers[1]));

/** The part of an answer's text between `"data":` and the end of that object. */
function dataOf(text: string): string {
  return /"data":(\{[^}]*\})/.exec(text)?.[1] ?? text;
}

async function keepsKeys(server: HostileServer): Promise<void> {
  const created = await server.json("POST", COLLECTION, `{"metadata":{"name":"created"},"data":${DATA}}`);
  assert.equal(created.status, 201, created.text);
  assert.equal(sorted(dataOf(created.text)), DATA);
  for (const [i, [type, body]] of PATCHES.entries()) {
    const name = `patched-${i}`;
    assert.equal(
      (await server.json("POST", COLLECTION, `{"metadata":{"name":"${name}"},"data":{"x":"y"}}`)).status,
      201,
    );
    const path = `${COLLECTION}/${name}?fieldManager=keys`;
    const patched = await server.send("PATCH", path, { headers: { "content-type": type }, body: body(DATA) });
    assert.equal(patched.status, 200, `${type}: ${patched.text}`);
    const read = await server.send("GET", `${COLLECTION}/${name}`);
    for (const key of NAMES) {
      const value = Object.entries(JSON.parse(dataOf(read.text))).find(([found]) => found === key)?.[1];
      assert.equal(
        value,
        JSON.parse(`[${DATA}]`)[0][key === "__proto__" ? "" : key] ?? "a",
        `${type} lost ${key}`,
      );
      assert.ok(read.text.includes(`f:${key}`), `${type}: no manager of ${key}`);
    }
  }
  const removed =
    '[{"op":"remove","path":"/data/__proto__"},{"op":"test","path":"/data/constructor","value":"b"}]';
  const patch = { headers: { "content-type": "application/json-patch+json" }, body: removed };
  const after = await server.send("PATCH", `${COLLECTION}/created`, patch);
  assert.equal(sorted(dataOf(after.text)), DATA.replace('"__proto__":"a",', ""));
  const labels = '{"constructor":"a","toString":"b","valueOf":"c"}';
  const labelled = await server.json(
    "POST",
    COLLECTION,
    `{"metadata":{"name":"labelled","labels":${labels},"annotations":${labels}}}`,
  );
  assert.equal(labelled.status, 201, labelled.text);
  for (const [selector, count] of [
    ["constructor=a", 1],
    ["constructor", 1],
    ["hasOwnProperty", 0],
    ["!isPrototypeOf,toString in (b)", 1],
  ] as const) {
    const found = await server.send("GET", `${COLLECTION}?labelSelector=${encodeURIComponent(selector)}`);
    assert.equal(JSON.parse(found.text).items.length, count, selector);
  }
  const polluted = await server.json(
    "POST",
    COLLECTION,
    '{"metadata":{"name":"clean"},"__proto__":{"data":{"a":"b"}},"constructor":{"prototype":{"x":1}}}',
  );
  assert.equal(JSON.parse(polluted.text).data, undefined);
  for (const key of NAMES) assert.equal((await server.send("GET", `/${key}`)).status, 404);
  assert.equal((await server.send("GET", "/api/v1/namespaces/default/constructor")).status, 404);
  assert.equal((await server.send("GET", `${COLLECTION}/created/__proto__`)).status, 404);
  assert.deepEqual(server.bugs, []);
}

function sorted(text: string): string {
  const entries = Object.entries(JSON.parse(text)).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify(Object.fromEntries(entries));
}

test("10,000 random patches with hostile keys leave prototypes and their documents alone", () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  const random = new Random(seed);
  const before = Reflect.ownKeys(Object.prototype);
  let applied = 0;
  for (let i = 0; i < 10_000; i++) {
    const document = JSON.parse(
      textOf({
        metadata: { name: "x", labels: hostileMap(random, () => "v") },
        data: hostileMap(random, () => "w"),
      }),
    );
    const kept = JSON.stringify(document);
    try {
      apply(random, document);
      applied++;
    } catch (error) {
      assert.ok(error instanceof StatusError, `seed ${seed}, patch ${i}: ${(error as Error).stack}`);
    }
    assert.equal(JSON.stringify(document), kept, `seed ${seed}, patch ${i} changed its document`);
  }
  assert.ok(applied > 1000, `only ${applied} patches applied`);
  assert.deepEqual(Reflect.ownKeys(Object.prototype), before);
  assert.equal(Object.getPrototypeOf({}), Object.prototype);
});

/** One random patch; what a merge patch brings is in the result under its own key. */
function apply(random: Random, document: JsonObject): void {
  const key = random.pick(HOSTILE_KEYS);
  const value = JSON.parse(textOf(anything(random)).replace("1e400", "1"));
  const patch = JSON.parse(`{"data":{${JSON.stringify(key)}:${JSON.stringify(value)}}}`);
  switch (random.below(3)) {
    case 0: {
      const { data } = mergePatch(document, patch) as { data: JsonObject };
      assert.equal(Object.hasOwn(data, key), value !== null);
      break;
    }
    case 1:
      strategicMergePatch(schemas, "core.v1.ConfigMap", document, patch);
      break;
    default: {
      const path = `/data/${key.replaceAll("~", "~0").replaceAll("/", "~1")}`;
      const { data } = jsonPatch(document, [{ op: "add", path, value }]) as { data: JsonObject };
      assert.ok(Object.hasOwn(data, key));
    }
  }
}

test("a server survives ten seconds of random requests", async () => {
  const { seed, requests, faults, statuses } = await fuzz(10, Math.floor(Math.random() * 2 ** 32));
  assert.deepEqual(faults, [], `seed ${seed}`);
  assert.ok(requests > 100, `only ${requests} requests`);
  assert.ok((statuses.get(201) ?? 0) > 0, "no request was good enough to be taken");
});
