import assert from "node:assert/strict";
import { createSign, generateKeyPairSync } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { type Answer, messageOf, request, type Sent, startHostile } from "./server-process.ts";

const server = await startHostile({ flags: [] });
const RBAC = "/apis/rbac.authorization.k8s.io/v1";
const PODS = "/api/v1/namespaces/default/pods";

/** As somebody else, whom the administrator plays. */
function as(
  user: string,
  method: string,
  path: string,
  object?: unknown,
  groups: string[] = [],
): Promise<Answer> {
  const headers = {
    "impersonate-user": user,
    "impersonate-group": groups,
    "content-type": "application/json",
  };
  return server.send(method, path, {
    headers,
    body: object === undefined ? undefined : JSON.stringify(object),
  });
}

async function anonymous(path: string, sent: Sent = {}, method = "GET"): Promise<Answer> {
  const session = server.connect("nobody");
  const answer = await request(session, method, path, sent);
  session.destroy();
  return answer;
}

async function created(path: string, object: unknown): Promise<void> {
  const answer = await server.json("POST", path, object);
  assert.equal(answer.status, 201, answer.text);
}

test("without credentials there is health and version, and 401 for all else", async () => {
  for (const path of ["/healthz", "/livez", "/readyz", "/version"])
    assert.equal((await anonymous(path)).status, 200, path);
  for (const path of [
    "/",
    "/api",
    "/apis",
    "/metrics",
    "/openapi/v2",
    "/api/v1/pods",
    "/healthz/etcd",
    "/version/",
    "//version",
    "/livez/../api",
    "/debug/pprof",
    "/logs",
  ]) {
    assert.equal((await anonymous(path)).status, 401, path);
  }
  for (const method of ["POST", "PUT", "DELETE", "PATCH"]) {
    assert.ok([401, 403, 404, 405].includes((await anonymous("/version", {}, method)).status), method);
  }
  const impersonating = { headers: { "impersonate-user": "admin", "impersonate-group": "system:masters" } };
  assert.equal((await anonymous("/api/v1/secrets", impersonating)).status, 401);
  assert.equal((await anonymous("/version", impersonating)).status, 403);
});

test("headers of a front proxy and tokens in a query mean nothing from anybody", async () => {
  const proxied = { "x-remote-user": "admin", "x-remote-group": "system:masters" };
  assert.equal((await anonymous("/api/v1/secrets", { headers: proxied })).status, 401);
  const as = await server.send("GET", "/apis/authentication.k8s.io/v1", { headers: proxied });
  assert.equal(as.status, 200);
  const token = await tokenOf("query");
  assert.equal(
    (await anonymous(`/api?access_token=${token}&token=${token}&authorization=Bearer%20${token}`)).status,
    401,
  );
});

async function tokenOf(name: string): Promise<string> {
  const accounts = "/api/v1/namespaces/default/serviceaccounts";
  await created(accounts, { metadata: { name } });
  const asked = await server.json("POST", `${accounts}/${name}/token`, { spec: { expirationSeconds: 600 } });
  assert.equal(asked.status, 201, asked.text);
  return JSON.parse(asked.text).status.token;
}

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

test("tokens that are forged, expired, of no algorithm or mangled are answered with 401", async () => {
  const token = await tokenOf("forged");
  const bearer = (given: string) => anonymous("/api", { headers: { authorization: `Bearer ${given}` } });
  assert.equal((await bearer(token)).status, 200);
  const [head = "", body = "", signature = ""] = token.split(".");
  const header = JSON.parse(Buffer.from(head, "base64url").toString());
  const claims = JSON.parse(Buffer.from(body, "base64url").toString());
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const resigned = `${part({ ...header, alg: "RS256" })}.${body}`;
  const foreign = createSign("sha256").update(resigned).sign(privateKey).toString("base64url");
  const forged = [
    `${part({ ...header, alg: "none" })}.${body}.`,
    `${part({ ...header, alg: "none" })}.${body}.${signature}`,
    `${part({ ...header, alg: "HS256" })}.${body}.${signature}`,
    `${part({ ...header, kid: "../../dev/null" })}.${part({ ...claims, sub: "x" })}.${signature}`,
    `${head}.${part({ ...claims, exp: claims.exp + 1 })}.${signature}`,
    `${head}.${part({ ...claims, sub: "system:serviceaccount:kube-system:default" })}.${signature}`,
    `${resigned}.${foreign}`,
    `${head}.${body}`,
    `${head}.${body}.`,
    `${head}.${body}.${signature}.${signature}`,
    `${body}.${head}.${signature}`,
    "..",
    "a.b.c",
    "x".repeat(10_000),
    "null",
    `${part(null)}.${part(null)}.`,
    `${part({ alg: "RS256", crit: ["b64"], b64: false })}.${body}.${signature}`,
  ];
  for (const one of forged) {
    const answer = await bearer(one);
    assert.equal(answer.status, 401, one.slice(0, 100));
    assert.equal(messageOf(answer), "Unauthorized");
  }
  assert.equal(
    (await server.send("DELETE", "/api/v1/namespaces/default/serviceaccounts/forged")).status,
    200,
  );
  assert.equal((await bearer(token)).status, 401);
});

test("tokens and secrets never come into the log", async () => {
  const canary = "canary-4f1c9a";
  const token = await tokenOf("logged");
  for (const headers of [
    { authorization: `Bearer ${canary}` },
    { authorization: `Basic ${Buffer.from(canary).toString("base64")}` },
    { authorization: `Bearer ${token}x` },
    { "sec-websocket-protocol": `base64url.bearer.authorization.k8s.io.${canary}, v4.channel.k8s.io` },
  ]) {
    assert.equal((await anonymous("/api", { headers })).status, 401);
  }
  await created("/api/v1/namespaces/default/secrets", {
    metadata: { name: "s" },
    stringData: { password: canary },
  });
  await server.json(
    "POST",
    "/api/v1/namespaces/default/secrets",
    `{"metadata":{"name":"t"},"data":{"p":"${canary}"},`,
  );
  await server.send("GET", `/api/v1/namespaces/default/secrets?labelSelector=${canary}=(`);
  const log = server.log.join("\n");
  assert.ok(!log.includes(canary) && !log.includes(Buffer.from(canary).toString("base64")), log);
  assert.ok(!log.includes(token.slice(-30)), log);
  assert.ok(!log.includes("PRIVATE KEY"));
});

test("impersonation needs the right to each name, and says nothing without a user", async () => {
  await created(`${RBAC}/clusterroles`, {
    metadata: { name: "plays-jane" },
    rules: [{ apiGroups: [""], resources: ["users"], resourceNames: ["jane"], verbs: ["impersonate"] }],
  });
  await created(`${RBAC}/clusterrolebindings`, {
    metadata: { name: "plays-jane" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "plays-jane" },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "Group", name: "system:serviceaccounts" }],
  });
  const token = await tokenOf("player");
  const who = (headers: Record<string, string | string[]>) =>
    anonymous("/apis", { headers: { authorization: `Bearer ${token}`, ...headers } });
  assert.equal((await who({ "impersonate-user": "jane" })).status, 200);
  const beyond: Record<string, string | string[]>[] = [
    { "impersonate-user": "john" },
    { "impersonate-user": "jane", "impersonate-group": "system:masters" },
    { "impersonate-user": "jane", "impersonate-group": ["a, system:masters"] },
    { "impersonate-user": "jane", "impersonate-uid": "1" },
    { "impersonate-user": "jane", "impersonate-extra-scopes": "x" },
    { "impersonate-user": "system:serviceaccount:kube-system:default" },
  ];
  for (const headers of beyond) {
    assert.equal((await who(headers)).status, 403, JSON.stringify(headers));
  }
  assert.equal((await who({ "impersonate-group": "system:masters" })).status, 500);
  assert.equal((await who({ "impersonate-uid": "1" })).status, 500);
});

test("a group whose name has a comma stays one group", async () => {
  const path = "/apis/authentication.k8s.io/v1/selfsubjectreviews";
  const headers = {
    "impersonate-user": "jane",
    "impersonate-group": ["a, b", "c"],
    "content-type": "application/json",
  };
  const { text } = await server.send("POST", path, { headers, body: "{}" });
  assert.deepEqual(JSON.parse(text).status.userInfo.groups, ["a, b", "c", "system:authenticated"]);
});

test("nobody grants by roles and bindings what they do not have", async () => {
  await created(`${RBAC}/clusterroles`, {
    metadata: { name: "role-writer" },
    rules: [
      {
        apiGroups: ["rbac.authorization.k8s.io"],
        resources: ["*"],
        verbs: ["create", "get", "update", "patch"],
      },
    ],
  });
  await created(`${RBAC}/clusterrolebindings`, {
    metadata: { name: "role-writer" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "role-writer" },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "climber" }],
  });
  const rule = (resources: string[]) => [{ apiGroups: [""], resources, verbs: ["get"] }];
  const escalating = await as("climber", "POST", `${RBAC}/clusterroles`, {
    metadata: { name: "up" },
    rules: rule(["secrets"]),
  });
  assert.equal(escalating.status, 403);
  assert.match(messageOf(escalating), /attempting to grant RBAC permissions not currently held/);
  const patch = {
    headers: { "impersonate-user": "climber", "content-type": "application/merge-patch+json" },
    body: JSON.stringify({ rules: rule(["*"]) }),
  };
  assert.equal((await server.send("PATCH", `${RBAC}/clusterroles/role-writer`, patch)).status, 403);
  const subjects = [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "climber" }];
  for (const name of ["cluster-admin", "view"]) {
    const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name };
    const bound = await as("climber", "POST", `${RBAC}/clusterrolebindings`, {
      metadata: { name: `up-${name}` },
      roleRef,
      subjects,
    });
    assert.equal(bound.status, 403, bound.text);
  }
  const aggregate = { metadata: { name: "agg" }, aggregationRule: { clusterRoleSelectors: [{}] } };
  assert.equal((await as("climber", "POST", `${RBAC}/clusterroles`, aggregate)).status, 403);
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "role-writer" };
  assert.equal(
    (
      await as("climber", "POST", `${RBAC}/clusterrolebindings`, {
        metadata: { name: "same" },
        roleRef,
        subjects,
      })
    ).status,
    201,
  );
});

test("the edit role writes neither endpoints nor endpoint slices", async () => {
  await created(`${RBAC}/namespaces/default/rolebindings`, {
    metadata: { name: "editor" },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "edit" },
    subjects: [{ apiGroup: "rbac.authorization.k8s.io", kind: "User", name: "editor" }],
  });
  assert.equal(
    (await as("editor", "POST", "/api/v1/namespaces/default/configmaps", { metadata: { name: "e" } })).status,
    201,
  );
  assert.equal(
    (await as("editor", "POST", "/api/v1/namespaces/default/endpoints", { metadata: { name: "e" } })).status,
    403,
  );
  const slices = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";
  assert.equal(
    (await as("editor", "POST", slices, { metadata: { name: "e" }, addressType: "IPv4", endpoints: [] }))
      .status,
    403,
  );
});

test("endpoint slices do not point at loopback or link-local addresses, and services take no external ones", async () => {
  const slices = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";
  const slice = (address: string, addressType: string) => ({
    metadata: { name: "s" },
    addressType,
    endpoints: [{ addresses: [address] }],
  });
  for (const [address, type] of [
    ["127.0.0.1", "IPv4"],
    ["127.255.0.1", "IPv4"],
    ["169.254.169.254", "IPv4"],
    ["0.0.0.0", "IPv4"],
    ["224.0.0.1", "IPv4"],
    ["::1", "IPv6"],
    ["fe80::1", "IPv6"],
    ["::ffff:127.0.0.1", "IPv6"],
  ] as const) {
    assert.equal((await server.json("POST", slices, slice(address, type))).status, 422, address);
  }
  const spec = { ports: [{ port: 80 }], externalIPs: ["1.2.3.4"] };
  const external = await server.json("POST", "/api/v1/namespaces/default/services", {
    metadata: { name: "x" },
    spec,
  });
  assert.equal(external.status, 403);
  assert.match(messageOf(external), /Use of external IPs is denied by admission control/);
});

test("a node changes only itself, and of itself not what decides about it", async () => {
  const node = "system:node:n1";
  const asNode = (method: string, path: string, object?: unknown) =>
    as(node, method, path, object, ["system:nodes"]);
  assert.equal((await asNode("POST", "/api/v1/nodes", { metadata: { name: "n1" } })).status, 201);
  assert.equal((await asNode("POST", "/api/v1/nodes", { metadata: { name: "n2" } })).status, 403);
  const patch = (path: string, body: unknown, type = "application/merge-patch+json") =>
    server.send("PATCH", path, {
      headers: { "impersonate-user": node, "impersonate-group": "system:nodes", "content-type": type },
      body: JSON.stringify(body),
    });
  const owner = { apiVersion: "v1", kind: "ConfigMap", name: "x", uid: "1" };
  await created("/api/v1/nodes", { metadata: { name: "n2" } });
  const refused: [string, unknown][] = [
    ["labels", { metadata: { labels: { "node-restriction.kubernetes.io/x": "1" } } }],
    [
      "kubernetes.io labels",
      {
        metadata: {
          labels: {
            "node.kubernetes.io/exclude-from-external-load-balancers": "",
            "kubernetes.io/other": "x",
          },
        },
      },
    ],
    ["taints", { spec: { taints: [{ key: "a", effect: "NoSchedule" }] } }],
    ["ownerReferences", { metadata: { ownerReferences: [owner] } }],
  ];
  for (const [what, body] of refused) {
    assert.equal((await patch("/api/v1/nodes/n1", body)).status, 403, what);
  }
  assert.equal((await patch("/api/v1/nodes/n1/status", { status: { conditions: [] } })).status, 200);
  assert.equal((await patch("/api/v1/nodes/n2/status", {})).status, 403);
  assert.equal((await asNode("GET", "/api/v1/secrets")).status, 403);
  assert.equal((await asNode("GET", "/api/v1/namespaces/default/secrets/s")).status, 403);
  await server.json("POST", "/api/v1/namespaces/default/serviceaccounts", { metadata: { name: "default" } });
  const container = { name: "a", image: "b" };
  const mirror = { metadata: { name: "m" }, spec: { nodeName: "n1", containers: [container] } };
  assert.equal((await asNode("POST", PODS, mirror)).status, 403);
  const annotated = { "kubernetes.io/config.mirror": "x" };
  const stealing = {
    metadata: { name: "m", annotations: annotated },
    spec: { nodeName: "n1", containers: [{ ...container, envFrom: [{ secretRef: { name: "s" } }] }] },
  };
  assert.equal((await asNode("POST", PODS, stealing)).status, 403);
  const elsewhere = {
    metadata: { name: "m", annotations: annotated },
    spec: { nodeName: "n2", containers: [container] },
  };
  assert.equal((await asNode("POST", PODS, elsewhere)).status, 403);
});

test("what the server writes is for its own user alone", () => {
  const wrong: string[] = [];
  const look = (path: string): void => {
    const stat = statSync(path);
    const mode = stat.mode & 0o777;
    if (stat.isDirectory()) {
      if (mode !== 0o700) wrong.push(`${path} ${mode.toString(8)}`);
      for (const name of readdirSync(path)) look(join(path, name));
    } else if ((mode & 0o077) !== 0 && !path.endsWith(".crt") && !path.endsWith(".pub"))
      wrong.push(`${path} ${mode.toString(8)}`);
  };
  look(server.dataDir);
  assert.deepEqual(wrong, []);
});

test("the server has met no bug", () => assert.deepEqual(server.bugs, []));
