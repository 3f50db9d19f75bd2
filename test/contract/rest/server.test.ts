/** Paths, methods, health, metrics, discovery, tokens and reviews. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { at, configMap, NAMESPACED, pod, startTestServer, statusOf, type TestServer } from "./harness.ts";

const MAPS = `${NAMESPACED}/configmaps`;
const MERGE = { "content-type": "application/merge-patch+json" };

let server: TestServer;
before(async () => {
  server = await startTestServer();
});
after(() => server[Symbol.asyncDispose]());

describe("methods and paths", () => {
  before(() => server.create(MAPS, configMap("there")));

  const NO_METHOD = [
    405,
    "MethodNotAllowed",
    "the server does not allow this method on the requested resource",
  ];
  const NO_PATH = [404, "NotFound", "the server could not find the requested resource"];
  const cases: [method: string, url: string, expected: (string | number)[]][] = [
    ["POST", `${MAPS}/there`, NO_METHOD],
    ["PUT", MAPS, NO_METHOD],
    ["PATCH", MAPS, NO_METHOD],
    ["OPTIONS", MAPS, NO_METHOD],
    ["TRACE", MAPS, NO_METHOD],
    ["POST", "/api/v1/configmaps", NO_METHOD],
    ["DELETE", "/api/v1/configmaps", NO_METHOD],
    ["DELETE", "/api/v1/namespaces", NO_METHOD],
    ["GET", "/apis/authorization.k8s.io/v1/subjectaccessreviews", NO_METHOD],
    ["PUT", `${NAMESPACED}/pods/x/binding`, NO_METHOD],
    ["DELETE", "/apis/apps/v1/namespaces/default/deployments/x/scale", NO_METHOD],
    ["POST", "/version", NO_METHOD],
    ["GET", "/nowhere", NO_PATH],
    ["POST", "/nowhere", NO_PATH],
    ["GET", "/api/v2", NO_PATH],
    ["GET", "/apis/nothing.example.com", NO_PATH],
    ["GET", "/apis/nothing.example.com/v1/things", NO_PATH],
    ["GET", "/api/v1/things", NO_PATH],
    ["GET", `${NAMESPACED}/configmaps/there/status`, NO_PATH],
    ["GET", "/api/v1/configmaps/there", NO_PATH],
    ["GET", "/api/v1/namespaces/default/nodes", NO_PATH],
    ["GET", "/api/v1/configmaps/there/one/two", NO_PATH],
  ];
  for (const [method, url, expected] of cases) {
    test(`${method} ${url} is ${expected[0]}`, async () => {
      const { code, object } = await server.ask(method, url, { body: method === "GET" ? undefined : {} });
      assert.deepEqual([code, object.reason, object.message], expected);
      assert.deepEqual(object.details, {});
    });
  }

  for (const url of [
    `${NAMESPACED}/configmaps/..%2fsecrets`,
    `${NAMESPACED}/configmaps/a%00b`,
    `${NAMESPACED}/configmaps/%2e%2e`,
  ]) {
    test(`GET ${url} finds nothing and harms nothing`, async () => {
      const { code } = await server.get(url);
      assert.ok(code === 400 || code === 404, `${code}`);
    });
  }
});

describe("health", () => {
  test("answers ok, line by line where verbose, and without what is excluded", async () => {
    for (const root of ["healthz", "livez", "readyz"]) {
      const brief = await server.get(`/${root}`, { token: "" });
      assert.deepEqual(
        [brief.code, brief.text, brief.headers["content-type"]],
        [200, "ok", "text/plain; charset=utf-8"],
      );
      const verbose = await server.get(`/${root}?verbose`);
      assert.match(verbose.text, /^\[\+\]ping ok\n(\[\+\][^\n]+ ok\n)+/);
      assert.ok(verbose.text.endsWith(`${root} check passed\n`));
      const without = await server.get(`/${root}?verbose&exclude=etcd&exclude=nothing`);
      assert.ok(without.text.includes("[+]etcd excluded: ok\n"));
      assert.ok(
        without.text.includes('warn: some health checks cannot be excluded: no matches for "nothing"\n'),
      );
      const one = await server.get(`/${root}/etcd`);
      assert.deepEqual([one.code, one.text], [200, "ok"]);
      assert.equal((await server.get(`/${root}/nothing`)).code, 404);
    }
  });

  test("says that a server which ends is not ready, but alive", async () => {
    const ending = await startTestServer();
    await ending.api.close();
    const ready = await ending.get("/readyz");
    assert.equal(ready.code, 500);
    assert.ok(ready.text.includes("[-]shutdown failed: reason withheld\n"));
    assert.ok(ready.text.endsWith("readyz check failed\n"));
    assert.equal((await ending.get("/livez")).code, 200);
    await ending.store[Symbol.asyncDispose]();
  });
});

describe("metrics", () => {
  test("have upstream's names and labels", async () => {
    await server.get(`${MAPS}/there`);
    const watch = server.watch(`${MAPS}?watch=true`);
    await watch.answer;
    const { text, headers } = await server.get("/metrics");
    watch.close();
    assert.match(headers["content-type"] ?? "", /^text\/plain/);
    for (const name of [
      "apiserver_request_total",
      "apiserver_request_duration_seconds_bucket",
      "apiserver_response_sizes_bucket",
      "apiserver_current_inflight_requests",
      "apiserver_longrunning_requests",
      "apiserver_storage_objects",
      "kubernetes_build_info",
      "process_cpu_seconds_total",
      "process_resident_memory_bytes",
    ]) {
      assert.match(text, new RegExp(`^${name}[{ ]`, "m"), name);
    }
    assert.match(
      text,
      /^apiserver_request_total\{(?=[^}]*verb="GET")(?=[^}]*resource="configmaps")(?=[^}]*code="200")(?=[^}]*scope="resource")[^}]*\} \d+$/m,
    );
  });
});

describe("discovery and OpenAPI", () => {
  test("answer with an ETag, and 304 to who has it", async () => {
    const aggregated =
      "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";
    for (const [url, accept] of [
      ["/api", aggregated],
      ["/apis", aggregated],
      ["/openapi/v2", "application/json"],
      ["/openapi/v3", "application/json"],
      ["/openapi/v3/apis/apps/v1", "application/json"],
    ] as const) {
      const first = await server.get(url, { headers: { accept } });
      assert.equal(first.code, 200, url);
      const { etag } = first.headers;
      assert.ok(etag, url);
      const again = await server.get(url, { headers: { accept, "if-none-match": etag } });
      assert.deepEqual([again.code, again.bytes.length], [304, 0], url);
    }
  });

  test("still answer in the older form", async () => {
    const { object } = await server.get("/apis/apps/v1");
    assert.equal(object.kind, "APIResourceList");
    const resources = at(object, "resources") as { name: string }[];
    assert.ok(resources.some(({ name }) => name === "deployments/scale"));
  });

  test("documents of OpenAPI v3 are found by their hash", async () => {
    const index = await server.get("/openapi/v3");
    const { serverRelativeURL } = (
      at(index.object, "paths") as Record<string, { serverRelativeURL: string }>
    )["api/v1"]!;
    assert.match(serverRelativeURL, /^\/openapi\/v3\/api\/v1\?hash=[0-9A-F]+$/);
    assert.equal((await server.get(serverRelativeURL)).code, 200);
  });

  test("name the version", async () => {
    const { object } = await server.get("/version", { token: "" });
    assert.match(String(at(object, "gitVersion")), /^v1\.36\./);
  });
});

describe("who asks", () => {
  test("must be known, save where health and version are asked for", async () => {
    const anonymous = await server.get(MAPS, { token: "" });
    assert.deepEqual([anonymous.code, anonymous.object.reason], [401, "Unauthorized"]);
    const wrong = await server.get(MAPS, { token: "no-such-token" });
    assert.deepEqual(statusOf(wrong), {
      kind: "Status",
      status: "Failure",
      reason: "Unauthorized",
      code: 401,
      message: "Unauthorized",
      details: undefined,
    });
  });

  test("must be allowed: a role binding gives what it says, no more", async () => {
    const rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/default";
    const rules = [
      { apiGroups: ["coordination.k8s.io"], resources: ["leases"], verbs: ["get", "update", "patch"] },
    ];
    const type = { apiVersion: "rbac.authorization.k8s.io/v1" };
    await server.create(`${rbac}/roles`, { ...type, kind: "Role", metadata: { name: "keeper" }, rules });
    await server.create(`${rbac}/rolebindings`, {
      ...type,
      kind: "RoleBinding",
      metadata: { name: "keeper" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "keeper" },
      subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "alice" }],
    });
    const leases = "/apis/coordination.k8s.io/v1/namespaces/default/leases";
    const body = { apiVersion: "coordination.k8s.io/v1", kind: "Lease", metadata: { name: "l" }, spec: {} };
    const token = "alice-token";
    const refusal =
      'leases.coordination.k8s.io "l" is forbidden: User "alice" cannot create resource "leases" in API group "coordination.k8s.io" in the namespace "default"';
    const put = await server.ask("PUT", `${leases}/l`, { token, body });
    assert.deepEqual([put.code, put.object.message], [403, refusal]);
    const applied = await server.ask("PATCH", `${leases}/l?fieldManager=alice`, {
      token,
      body: JSON.stringify(body),
      headers: { "content-type": "application/apply-patch+yaml" },
    });
    assert.deepEqual([applied.code, applied.object.message], [403, refusal]);
    const made = await server.create(leases, body);
    assert.equal((await server.ask("PUT", `${leases}/l`, { token, body: made })).code, 200);
    assert.equal((await server.ask("DELETE", `${leases}/l`, { token })).code, 403);
  });

  test("may be told of it: reviews of oneself and of others", async () => {
    const authorization = "/apis/authorization.k8s.io/v1";
    const type = { apiVersion: "authorization.k8s.io/v1" };
    const resourceAttributes = {
      verb: "get",
      group: "coordination.k8s.io",
      resource: "leases",
      namespace: "default",
    };
    const own = await server.ask("POST", `${authorization}/selfsubjectaccessreviews`, {
      token: "alice-token",
      body: { ...type, kind: "SelfSubjectAccessReview", spec: { resourceAttributes } },
    });
    assert.equal(own.code, 201, own.text);
    assert.equal(at(own.object, "status.allowed"), true);
    const other = await server.ask("POST", `${authorization}/subjectaccessreviews`, {
      body: { ...type, kind: "SubjectAccessReview", spec: { user: "bob", resourceAttributes } },
    });
    assert.equal(at(other.object, "status.allowed"), false);
    const local = await server.ask("POST", `${authorization}/namespaces/default/localsubjectaccessreviews`, {
      body: {
        ...type,
        kind: "LocalSubjectAccessReview",
        metadata: { namespace: "default" },
        spec: { user: "alice", resourceAttributes },
      },
    });
    assert.equal(at(local.object, "status.allowed"), true, local.text);
    const rules = await server.ask("POST", `${authorization}/selfsubjectrulesreviews`, {
      token: "alice-token",
      body: { ...type, kind: "SelfSubjectRulesReview", spec: { namespace: "default" } },
    });
    const found = at(rules.object, "status.resourceRules") as { resources: string[] }[];
    assert.ok(found.some(({ resources }) => resources.includes("leases")));
    const who = await server.ask("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", {
      token: "alice-token",
      body: { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" },
    });
    assert.deepEqual(at(who.object, "status.userInfo"), {
      username: "alice",
      uid: "2",
      groups: ["developers", "system:authenticated"],
    });
  });

  test("may be another, where impersonation is allowed", async () => {
    const review = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
    const url = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
    const as = await server.ask("POST", url, { body: review, headers: { "impersonate-user": "carol" } });
    assert.equal(at(as.object, "status.userInfo.username"), "carol", as.text);
    const refused = await server.ask("POST", url, {
      token: "alice-token",
      body: review,
      headers: { "impersonate-user": "carol" },
    });
    assert.equal(refused.code, 403);
    assert.equal(
      refused.object.message,
      'users "carol" is forbidden: User "alice" cannot impersonate resource "users" in API group "" at the cluster scope',
    );
  });

  test("may be a service account by its token, until that token's time is up or its object gone", async () => {
    const accounts = `${NAMESPACED}/serviceaccounts`;
    const account = await server.create(accounts, {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name: "robot" },
    });
    const request = (spec: object) =>
      server.ask("POST", `${accounts}/robot/token`, {
        body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenRequest", spec },
      });
    const made = await request({ expirationSeconds: 600 });
    assert.equal(made.code, 201, made.text);
    const token = at(made.object, "status.token") as string;
    const review = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview" };
    const ask = () =>
      server.ask("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", { token, body: review });
    const who = await ask();
    assert.equal(at(who.object, "status.userInfo.username"), "system:serviceaccount:default:robot", who.text);
    assert.equal(at(who.object, "status.userInfo.uid"), account.metadata.uid);
    const reviewed = await server.ask("POST", "/apis/authentication.k8s.io/v1/tokenreviews", {
      body: { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview", spec: { token } },
    });
    assert.equal(at(reviewed.object, "status.authenticated"), true, reviewed.text);
    const elsewhere = await request({ audiences: ["vault"], expirationSeconds: 600 });
    const foreign = await server.get(MAPS, { token: at(elsewhere.object, "status.token") as string });
    assert.equal(foreign.code, 401);
    await server.create(`${NAMESPACED}/pods`, pod("robot", { spec: { serviceAccountName: "robot" } }));
    const bound = await request({ boundObjectRef: { kind: "Pod", apiVersion: "v1", name: "robot" } });
    assert.equal(bound.code, 201, bound.text);
    const boundToken = at(bound.object, "status.token") as string;
    assert.equal((await server.get(MAPS, { token: boundToken })).code, 403);
    await server.ask("DELETE", `${NAMESPACED}/pods/robot?gracePeriodSeconds=0`);
    assert.equal((await server.get(MAPS, { token: boundToken })).code, 401);
    server.clock.advance(601_000);
    assert.equal((await ask()).code, 401);
  });
});

describe("bodies", () => {
  test("that are too large, no JSON, or too deep are refused, and the server serves on", async () => {
    const headers = { "content-type": "application/json" };
    const large = await server.ask("POST", MAPS, {
      headers,
      body: `{"data":"${"x".repeat(3 * 1024 * 1024)}"}`,
    });
    assert.equal(large.code, 413);
    for (const body of [
      "{",
      "[]",
      "7",
      '{"apiVersion":"v1","kind":"ConfigMap","metadata":7}',
      "[".repeat(10_001),
    ]) {
      const answer = await server.ask("POST", MAPS, { headers, body });
      assert.equal(answer.code, 400, `${body.slice(0, 40)}: ${answer.text.slice(0, 200)}`);
    }
    const data = '{"__proto__":"p","constructor":"c"}';
    const text = `{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"odd"},"data":${data}}`;
    const made = await server.ask("POST", MAPS, { headers, body: text });
    assert.equal(made.code, 201, made.text);
    assert.ok(made.text.includes('"__proto__":"p"') && made.text.includes('"constructor":"c"'), made.text);
    const patched = await server.ask("PATCH", `${MAPS}/odd`, {
      headers: MERGE,
      body: '{"data":{"__proto__":"q"}}',
    });
    assert.ok(patched.text.includes('"__proto__":"q"'), patched.text);
  });
});
