/**
 * get and list: resourceVersion and resourceVersionMatch, pages, selectors.
 * https://kubernetes.io/docs/reference/using-api/api-concepts/#semantics-for-get-and-list
 */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  type Answer,
  configMap,
  NAMESPACED,
  pod,
  startTestServer,
  statusOf,
  type TestServer,
} from "./harness.ts";

const MAPS = `${NAMESPACED}/configmaps`;
const INCONSISTENT =
  "The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.";

const names = ({ object }: Answer): (string | undefined)[] =>
  object.items.map(({ metadata }) => metadata.name);

/** Lets everything run that waits for no more than promises. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("resourceVersion", () => {
  let server: TestServer;
  /** The revisions after the first, second and third of three creates. */
  const at: string[] = [];
  before(async () => {
    server = await startTestServer();
    for (const name of ["a", "b", "c"]) {
      at.push((await server.create(MAPS, configMap(name))).metadata.resourceVersion ?? "");
    }
  });
  after(() => server[Symbol.asyncDispose]());

  const lists: [query: (at: string[]) => string, expected: string[], revision: number][] = [
    [() => "", ["a", "b", "c"], 2],
    [() => "resourceVersion=", ["a", "b", "c"], 2],
    [() => "resourceVersion=0", ["a", "b", "c"], 2],
    [() => "resourceVersion=0&resourceVersionMatch=NotOlderThan", ["a", "b", "c"], 2],
    [() => "resourceVersion=0&limit=1", ["a", "b", "c"], 2],
    [(at) => `resourceVersion=${at[1]}`, ["a", "b", "c"], 2],
    [(at) => `resourceVersion=${at[1]}&resourceVersionMatch=NotOlderThan`, ["a", "b", "c"], 2],
    [(at) => `resourceVersion=${at[1]}&resourceVersionMatch=Exact`, ["a", "b"], 1],
    [(at) => `resourceVersion=${at[0]}&resourceVersionMatch=Exact`, ["a"], 0],
    [(at) => `resourceVersion=${at[1]}&limit=5`, ["a", "b"], 1],
    [(at) => `resourceVersion=${at[1]}&limit=1&resourceVersionMatch=Exact`, ["a"], 1],
    [(at) => `resourceVersion=${at[1]}&limit=1&resourceVersionMatch=NotOlderThan`, ["a"], 2],
    [() => "limit=2", ["a", "b"], 2],
  ];
  for (const [query, expected, revision] of lists) {
    test(`a list with ${query(["R1", "R2", "R3"]) || "nothing"} shows ${expected}`, async () => {
      const answer = await server.get(`${MAPS}?${query(at)}`);
      assert.equal(answer.code, 200, answer.text);
      assert.deepEqual(names(answer), expected);
      assert.equal(answer.object.metadata.resourceVersion, at[revision]);
    });
  }

  const invalid: [query: string, said: string][] = [
    [
      "resourceVersionMatch=Exact",
      "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided",
    ],
    [
      "resourceVersion=0&resourceVersionMatch=Exact",
      'resourceVersionMatch: Forbidden: resourceVersionMatch "exact" is forbidden for resourceVersion "0"',
    ],
    [
      "resourceVersion=1&resourceVersionMatch=Newest",
      'resourceVersionMatch: Unsupported value: "Newest": supported values: "Exact", "NotOlderThan", ""',
    ],
    [
      "resourceVersion=1&resourceVersionMatch=Exact&continue=x",
      "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden when continue is provided",
    ],
    ["sendInitialEvents=true", "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for list"],
    [
      "watch=true&resourceVersionMatch=NotOlderThan",
      "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided",
    ],
    [
      "watch=true&sendInitialEvents=true",
      "resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
    ],
    [
      "watch=true&sendInitialEvents=false",
      "resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan",
    ],
    [
      "watch=true&sendInitialEvents=true&resourceVersionMatch=Exact",
      '[resourceVersionMatch: Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan, resourceVersionMatch: Unsupported value: "Exact": supported values: "NotOlderThan"]',
    ],
  ];
  for (const [query, said] of invalid) {
    test(`a request with ${query} is refused`, async () => {
      const { code, object } = await server.get(`${MAPS}?${query}`);
      assert.equal(code, 422);
      assert.equal(object.reason, "Invalid");
      assert.equal(object.message, `ListOptions.meta.k8s.io "" is invalid: ${said}`);
    });
  }

  for (const url of [
    `${MAPS}?resourceVersion=x`,
    `${MAPS}/a?resourceVersion=x`,
    `${MAPS}?watch=true&resourceVersion=x`,
  ]) {
    test(`${url} is refused for the revision that is no number`, async () => {
      const { code, object } = await server.get(url);
      assert.equal(code, 400);
      assert.match(object.message, /strconv.ParseUint: parsing "x": invalid syntax/);
    });
  }

  test("a get at a revision that has passed, or at any, shows the newest", async () => {
    for (const version of ["0", at[0], at[2]]) {
      const { code, object } = await server.get(`${MAPS}/b?resourceVersion=${version}`);
      assert.deepEqual([code, object.metadata.resourceVersion], [200, at[1]]);
    }
  });

  const ahead = [
    (future: number) => `${MAPS}?resourceVersion=${future}`,
    (future: number) => `${MAPS}?resourceVersion=${future}&resourceVersionMatch=NotOlderThan`,
    (future: number) => `${MAPS}?resourceVersion=${future}&resourceVersionMatch=Exact`,
    (future: number) => `${MAPS}/a?resourceVersion=${future}`,
    (future: number) =>
      `${MAPS}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&resourceVersion=${future}`,
  ];
  for (const url of ahead) {
    test(`${url(9)} waits for a future revision, and then times out`, async () => {
      const current = Number(at[2]);
      const asked = server.get(url(current + 1000));
      await settled();
      server.clock.advance(3000);
      const answer = await asked;
      assert.deepEqual(statusOf(answer), {
        kind: "Status",
        status: "Failure",
        reason: "Timeout",
        code: 504,
        message: `Timeout: Too large resource version: ${current + 1000}, current: ${current}`,
        details: {
          causes: [{ reason: "ResourceVersionTooLarge", message: "Too large resource version" }],
          retryAfterSeconds: 1,
        },
      });
      assert.equal(answer.headers["retry-after"], "1");
    });
  }

  test("a list that waits for a revision is answered when it comes", async () => {
    const asked = server.get(`${MAPS}?resourceVersion=${Number(at[2]) + 1}`);
    await settled();
    await server.create(MAPS, configMap("d"));
    assert.deepEqual(names(await asked), ["a", "b", "c", "d"]);
  });
});

describe("pages", () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer({ history: 8 });
    await server.create("/api/v1/namespaces", {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "other" },
    });
    for (let i = 0; i < 7; i++) await server.create(MAPS, configMap(`m-${i}`, {}, { odd: `${i % 2}` }));
    await server.create("/api/v1/namespaces/other/configmaps", configMap("m-0"));
  });
  after(() => server[Symbol.asyncDispose]());
  const go = (token: string | undefined, query = "") =>
    server.get(`${MAPS}?${query}limit=3&continue=${encodeURIComponent(token ?? "")}`);

  test("say how many objects remain, save where a selector makes it unknown", async () => {
    const first = await server.get(`${MAPS}?limit=3`);
    assert.deepEqual(names(first), ["m-0", "m-1", "m-2"]);
    assert.equal(first.object.metadata.remainingItemCount, 4);
    const second = await go(first.object.metadata.continue);
    assert.deepEqual([names(second), second.object.metadata.remainingItemCount], [["m-3", "m-4", "m-5"], 1]);
    const third = await go(second.object.metadata.continue);
    assert.deepEqual(names(third), ["m-6"]);
    assert.equal("remainingItemCount" in third.object.metadata, false);
    assert.ok(!third.object.metadata.continue);
    const odd = await server.get(`${MAPS}?limit=2&labelSelector=odd%3D1`);
    assert.deepEqual(names(odd), ["m-1", "m-3"]);
    assert.ok(odd.object.metadata.continue);
    assert.equal("remainingItemCount" in odd.object.metadata, false);
  });

  test("end without a token where the limit is exactly what there is", async () => {
    const all = await server.get(`${MAPS}?limit=7`);
    assert.equal(all.object.items.length, 7);
    assert.ok(!all.object.metadata.continue);
  });

  test("cross namespaces", async () => {
    const first = await server.get(
      "/api/v1/configmaps?limit=7&fieldSelector=metadata.namespace!%3Dkube-system",
    );
    assert.equal(first.object.items.length, 7);
    const second = await server.get(
      `/api/v1/configmaps?limit=7&fieldSelector=metadata.namespace!%3Dkube-system&continue=${encodeURIComponent(first.object.metadata.continue ?? "")}`,
    );
    assert.deepEqual(
      second.object.items.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`),
      ["other/m-0"],
    );
  });

  const bad: [token: string, message: RegExp][] = [
    ["not-base64!", /^continue key is not valid: /],
    [
      Buffer.from('{"v":"meta.k8s.io/v2","rv":1,"start":"a"}').toString("base64url"),
      /^continue key is not valid: server does not recognize this encoded version/,
    ],
    [
      Buffer.from('{"v":"meta.k8s.io/v1","rv":0,"start":"a"}').toString("base64url"),
      /incorrect encoded start resourceVersion/,
    ],
    [
      Buffer.from('{"v":"meta.k8s.io/v1","rv":1,"start":""}').toString("base64url"),
      /encoded start key empty/,
    ],
    [
      Buffer.from('{"v":"meta.k8s.io/v1","rv":1,"start":"../secrets/x"}').toString("base64url"),
      /^continue key is not valid: /,
    ],
  ];
  for (const [token, message] of bad) {
    test(`refuse the token ${token.slice(0, 20)}… (${message.source.slice(0, 40)})`, async () => {
      const { code, object } = await go(token);
      assert.equal(code, 400);
      assert.equal(object.reason, "BadRequest");
      assert.match(object.message, message);
    });
  }

  test("refuse a resourceVersion beside a token", async () => {
    const { object } = await server.get(`${MAPS}?limit=3`);
    const { code, object: status } = await go(object.metadata.continue, "resourceVersion=5&");
    assert.equal(code, 400);
    assert.equal(status.message, "specifying resource version is not allowed when using continue");
  });

  test("and watches refuse numbers that are none", async () => {
    for (const query of ["limit=many", "watch=true&timeoutSeconds=soon"]) {
      const { code, object } = await server.get(`${MAPS}?${query}`);
      assert.equal(code, 400, query);
      assert.match(object.message, /^strconv.ParseInt: parsing "(many|soon)": invalid syntax$/);
    }
  });

  test("too old to go on are Expired, with a token for those who can live with an inconsistent list", async () => {
    const first = await server.get(`${MAPS}?limit=3`);
    for (let i = 0; i < 40; i++) await server.create(MAPS, configMap(`z-${i}`));
    await server.store.compact(await server.store.current());
    const late = await go(first.object.metadata.continue);
    assert.deepEqual(statusOf(late), {
      kind: "Status",
      status: "Failure",
      reason: "Expired",
      code: 410,
      message: INCONSISTENT,
      details: undefined,
    });
    assert.ok(late.object.metadata.continue);
    const rest = await server.get(
      `${MAPS}?continue=${encodeURIComponent(late.object.metadata.continue ?? "")}`,
    );
    assert.equal(rest.code, 200);
    assert.deepEqual(names(rest).slice(0, 5), ["m-3", "m-4", "m-5", "m-6", "z-0"]);
    assert.notEqual(rest.object.metadata.resourceVersion, first.object.metadata.resourceVersion);
    const exact = await server.get(
      `${MAPS}?resourceVersionMatch=Exact&resourceVersion=${first.object.metadata.resourceVersion}`,
    );
    assert.deepEqual(
      [exact.code, exact.object.reason, exact.object.message],
      [410, "Expired", "The resourceVersion for the provided list is too old."],
    );
    const watch = server.watch(`${MAPS}?watch=true&resourceVersion=${first.object.metadata.resourceVersion}`);
    const { type, object } = await watch.next();
    assert.equal((await watch.answer).code, 200);
    assert.deepEqual([type, object.kind, object.code, object.reason], ["ERROR", "Status", 410, "Expired"]);
    assert.match(
      object.message,
      new RegExp(`^too old resource version: ${first.object.metadata.resourceVersion} \\(\\d+\\)$`),
    );
    assert.deepEqual(await watch.rest(), []);
  });
});

describe("selectors", () => {
  let server: TestServer;
  before(async () => {
    server = await startTestServer();
    await server.create(`${NAMESPACED}/serviceaccounts`, {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name: "default" },
    });
    const labels: Record<string, string>[] = [
      { app: "web", tier: "front" },
      { app: "web", tier: "back" },
      { app: "db" },
      {},
    ];
    for (const [i, set] of labels.entries()) {
      const made = pod(`p-${i}`, { metadata: { labels: set }, spec: i === 1 ? { nodeName: "n-1" } : {} });
      await server.create(`${NAMESPACED}/pods`, made);
    }
  });
  after(() => server[Symbol.asyncDispose]());

  const cases: [labels: string, fields: string, expected: string][] = [
    ["app=web", "", "p-0 p-1"],
    ["app==web,tier!=back", "", "p-0"],
    ["app in (web,db)", "", "p-0 p-1 p-2"],
    ["app notin (web)", "", "p-2 p-3"],
    ["tier", "", "p-0 p-1"],
    ["!app", "", "p-3"],
    ["app,!tier", "", "p-2"],
    ["", "spec.nodeName=n-1", "p-1"],
    ["", "spec.nodeName!=n-1", "p-0 p-2 p-3"],
    ["", "spec.nodeName=", "p-0 p-2 p-3"],
    ["app=web", "spec.nodeName=n-1", "p-1"],
    ["", "metadata.name=p-2", "p-2"],
    ["", "metadata.name=p-2,spec.nodeName=n-1", ""],
    ["", "metadata.namespace=default,metadata.name!=p-0", "p-1 p-2 p-3"],
    ["", "status.phase=Pending", "p-0 p-1 p-2 p-3"],
    ["", "status.phase=Running", ""],
    ["", "spec.restartPolicy=Always,spec.schedulerName=default-scheduler", "p-0 p-1 p-2 p-3"],
  ];
  for (const [labels, fields, expected] of cases) {
    test(`labels "${labels}" and fields "${fields}" select "${expected}"`, async () => {
      const query = `labelSelector=${encodeURIComponent(labels)}&fieldSelector=${encodeURIComponent(fields)}`;
      const answer = await server.get(`${NAMESPACED}/pods?${query}`);
      assert.equal(answer.code, 200, answer.text);
      assert.equal(names(answer).join(" "), expected);
    });
  }

  const refused: [query: string, message: RegExp][] = [
    ["labelSelector=a%3Db%3Dc", /found '=', expected: ',' or 'end of string'/],
    ["labelSelector=a%20in%20x", /^unable to parse requirement: found 'x' expected: '\('/],
    ["labelSelector=-a%3Db", /^unable to parse requirement: /],
    ["fieldSelector=spec.hostname%3Dx", /^field label not supported: spec.hostname$/],
    ["fieldSelector=nonsense", /^invalid selector: 'nonsense'; can't understand 'nonsense'$/],
  ];
  for (const [query, message] of refused) {
    test(`${query} is refused`, async () => {
      const { code, object } = await server.get(`${NAMESPACED}/pods?${query}`);
      assert.equal(code, 400);
      assert.match(object.message, message);
    });
  }
});
