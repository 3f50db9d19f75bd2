import assert from "node:assert/strict";
import { test } from "node:test";
import { messageOf, request, startHostile } from "./server-process.ts";

const server = await startHostile();
const SECRETS = "/api/v1/namespaces/kube-system/secrets";

const status = async (method: string, path: string): Promise<number> =>
  (await server.send(method, path)).status;

test("names in a path are one segment of a key: nothing reaches what lies elsewhere", async () => {
  assert.equal(
    (await server.json("POST", SECRETS, { metadata: { name: "target" }, stringData: { a: "canary" } }))
      .status,
    201,
  );
  const detours = [
    "/api/v1/secrets/kube-system%2Ftarget",
    "/api/v1/secrets/target",
    "/api/v1/namespaces/default/secrets/..%2Fkube-system%2Ftarget",
    "/api/v1/namespaces/default%2F..%2Fkube-system/secrets/target",
    "/api/v1/namespaces/default/secrets/../../kube-system/secrets/target",
    "/api/v1/namespaces/default/configmaps/%2e%2e%2fsecrets%2fkube-system%2ftarget",
    "/api/v1//secrets/kube-system%2Ftarget",
    "/api/v1/namespaces/%2E%2E/secrets/target",
    "/api/v1/nodes/kube-system%2Ftarget",
    "/apis//v1/namespaces/kube-system/secrets/target",
  ];
  for (const path of detours) {
    for (const method of ["GET", "DELETE", "PUT", "PATCH"]) {
      const answer = await server.send(method, path);
      assert.ok(
        [400, 404, 405, 415].includes(answer.status),
        `${method} ${path}: ${answer.status} ${answer.text}`,
      );
      assert.ok(!answer.text.includes("canary"), `${method} ${path}`);
    }
  }
  assert.equal(await status("GET", `${SECRETS}/target`), 200);
});

test("names of '.', '..', '%' and '/' are refused with what upstream says of them", async () => {
  for (const [segment, why] of [
    ["%2e", "may not be '.'"],
    ["%2e%2e", "may not be '..'"],
    ["a%2fb", "may not contain '/'"],
    ["a%25b", "may not contain '%'"],
  ] as const) {
    const answer = await server.send("GET", `${SECRETS}/${segment}`);
    assert.equal(answer.status, 400);
    assert.equal(messageOf(answer), `Name parameter invalid: "${decodeURIComponent(segment)}": ${why}`);
  }
  for (const name of ["%00", "%ff", "%", "%zz", "x".repeat(10_000), "%f0%9f%92%a9", "a%0ab"]) {
    assert.equal(await status("GET", `${SECRETS}/${name}`), 404, name.slice(0, 20));
  }
});

test("objects with names that are no path segments are not created", async () => {
  for (const name of [
    ".",
    "..",
    "a/b",
    "a%b",
    "\u0000",
    "x".repeat(10_000),
    "A",
    "-a",
    "a\n",
    "",
    "../secrets/x",
  ]) {
    const answer = await server.json("POST", SECRETS, { metadata: { name } });
    assert.equal(answer.status, 422, `${JSON.stringify(name.slice(0, 20))}: ${answer.text.slice(0, 200)}`);
    const generated = await server.json("POST", SECRETS, { metadata: { generateName: `${name}/` } });
    assert.equal(generated.status, 422, generated.text.slice(0, 200));
  }
  const roles = "/apis/rbac.authorization.k8s.io/v1/clusterroles";
  for (const name of ["a/b", "..", "%"]) {
    assert.equal((await server.json("POST", roles, { metadata: { name } })).status, 422, name);
  }
});

test("objects of a kind, a namespace and a name are told from those whose names they begin", async () => {
  for (const namespace of ["prefix", "prefix2", "prefix-2"]) {
    assert.equal(
      (await server.json("POST", "/api/v1/namespaces", { metadata: { name: namespace } })).status,
      201,
    );
    const created = await server.json("POST", `/api/v1/namespaces/${namespace}/configmaps`, {
      metadata: { name: "x" },
    });
    assert.equal(created.status, 201);
  }
  for (const version of ["", "?resourceVersion=0", "?limit=500"]) {
    const { text } = await server.send("GET", `/api/v1/namespaces/prefix/configmaps${version}`);
    const names: { metadata: { namespace: string } }[] = JSON.parse(text).items;
    assert.deepEqual(
      names.map(({ metadata }) => metadata.namespace),
      ["prefix"],
    );
  }
  assert.equal(await status("DELETE", "/api/v1/namespaces/prefix/configmaps"), 200);
  assert.equal(await status("GET", "/api/v1/namespaces/prefix2/configmaps/x"), 200);
});

test("what lies in namespaces is neither created nor deleted without naming one", async () => {
  for (const path of ["/api/v1/secrets", "/apis/apps/v1/deployments"]) {
    assert.equal(
      (await server.json("POST", path, { metadata: { name: "x", namespace: "default" } })).status,
      405,
    );
    assert.equal(await status("DELETE", path), 405);
  }
  assert.equal(await status("GET", "/api/v1/namespaces/default/nodes"), 404);
  assert.equal(await status("GET", `${SECRETS}/target`), 200);
});

test("continue tokens that were forged reach nothing outside of their list", async () => {
  const forge = (value: unknown) =>
    Buffer.from(typeof value === "string" ? value : JSON.stringify(value)).toString("base64url");
  const v = "meta.k8s.io/v1";
  const refused = [
    forge({ v, rv: 1, start: "../kube-system/target" }),
    forge({ v, rv: 1, start: "a/../../secrets" }),
    forge({ v: "other", rv: 1, start: "a" }),
    forge({ v, rv: 0, start: "a" }),
    forge({ v, rv: 1.5, start: "a" }),
    forge({ v, rv: 1e300, start: "a" }),
    forge({ v, rv: "1", start: "a" }),
    forge({ v, rv: 1, start: "" }),
    forge({ v, rv: 1, start: ["a"] }),
    forge("null"),
    forge("[]"),
    forge("{"),
    "%00",
    "x".repeat(20_000),
  ];
  for (const token of refused) {
    assert.equal(
      await status("GET", `/api/v1/namespaces/default/secrets?continue=${token}`),
      400,
      token.slice(0, 60),
    );
  }
  for (const start of ["kube-system/target", "zzz/\u0000", "kube-system"]) {
    const answer = await server.send(
      "GET",
      `/api/v1/namespaces/default/secrets?continue=${forge({ v, rv: -1, start })}`,
    );
    assert.equal(answer.status, 200);
    assert.ok(!answer.text.includes("target"), start);
  }
});

test("selectors of any size and shape are answered in bounded time", async () => {
  const many = (count: number, each: (i: number) => string) =>
    Array.from({ length: count }, (_, i) => each(i)).join(",");
  const shapes: [string, string, number][] = [
    ["labelSelector", `a in (${many(5000, (i) => `x${i}`)})`, 200],
    ["labelSelector", many(5000, (i) => `k${i}!=v`), 200],
    ["labelSelector", "(".repeat(20_000), 400],
    ["labelSelector", "a in (b,c", 400],
    ["labelSelector", "a=b=c", 400],
    ["labelSelector", "a>99999999999999999999", 400],
    ["labelSelector", "__proto__", 400],
    ["labelSelector", "\u0000", 400],
    ["fieldSelector", many(2000, (i) => `metadata.name!=x${i}`), 200],
    ["fieldSelector", "metadata.uid=x", 400],
    ["fieldSelector", "__proto__=x", 400],
    ["fieldSelector", "\\", 400],
    ["fieldSelector", "metadata.name", 400],
  ];
  for (const [parameter, value, expected] of shapes) {
    const took = await server.effort(async () => {
      const answer = await server.send("GET", `/api/v1/pods?${parameter}=${encodeURIComponent(value)}`);
      assert.equal(answer.status, expected, `${value.slice(0, 40)}: ${answer.text.slice(0, 200)}`);
    });
    assert.ok(took === undefined || took < 2000, `${value.slice(0, 40)}: ${took} ms`);
  }
});

test("100,000 distinct bad paths and user agents leave memory and metrics bounded", async (t) => {
  const session = server.connect();
  const wave = async (from: number, count: number) => {
    const step = 250;
    for (let i = from; i < from + count; i += step) {
      await Promise.all(
        Array.from({ length: step }, (_, j) => {
          const n = i + j;
          const path = [
            `/bad/${n}`,
            `/api/v1/kind${n}`,
            `/apis/group${n}/v1/x/y`,
            `/api/v1/namespaces/n${n}/pods/p`,
          ][n % 4]!;
          const headers = {
            "user-agent": `agent-${n}/1.0`,
            accept: `application/json;n=${n}`,
            [`x-${n}`]: "1",
          };
          return request(session, n % 8 === 5 ? "PUT" : "GET", path, { headers });
        }),
      );
    }
  };
  // The heap grows to what this load needs, once and by steps. What is kept of each request grows in every wave.
  const grown: number[] = [];
  let [done, before] = [0, server.memory() ?? 0];
  while (done < 100_000 || (Math.min(...grown) >= 20 && done < 250_000)) {
    await wave(done, 50_000);
    done += 50_000;
    const now = server.memory() ?? 0;
    grown.push(now - before);
    before = now;
  }
  session.destroy();
  const { text } = await server.send("GET", "/metrics");
  const series = text.split("\n").filter((line) => line.startsWith("apiserver_request_total"));
  assert.ok(series.length < 300, `${series.length} series`);
  assert.ok(!/agent-|group[0-9]|kind[0-9]|bad\//.test(text));
  t.diagnostic(`grew by ${grown.map(Math.round).join(", ")} MiB`);
  // A kilobyte kept of each would be 50.
  assert.ok(Math.min(...grown) < 20, `the process grew by ${grown.map(Math.round).join(", ")} MiB`);
});

test("the server has met no bug", () => assert.deepEqual(server.bugs, []));
