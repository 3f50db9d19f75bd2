import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { test } from "node:test";
import { createLocalJWKSet, jwtVerify } from "jose";
import type { KubeObject } from "../../api/object.ts";
import type { Authorizer, User } from "../../api/user.ts";
import { VirtualClock } from "../../base/clock.ts";
import { StatusError } from "../../machinery/status/status-error.ts";
import { MemoryServer, plainKind } from "../testing/memory-server.ts";
import { anyTokenMethod, makeAuthenticator } from "./authenticator.ts";
import { bootstrapTokenMethod, type StoredSecret } from "./bootstrap-token.ts";
import { impersonate } from "./impersonate.ts";
import { keySetOf, openSigner, peekClaims, readVerificationKeys } from "./json-web-token.ts";
import type { Credentials } from "./method.ts";
import { openIDConfiguration } from "./openid.ts";
import { type BindableKinds, serviceAccountTokenMethod } from "./service-account-tokens.ts";
import { tokenFileMethod } from "./token-file.ts";
import { makeTokenPort } from "./tokens.ts";

const ISSUER = "https://kubernetes.default.svc.cluster.local";
const kinds: BindableKinds = {
  serviceAccounts: plainKind("ServiceAccount", "serviceaccounts"),
  secrets: plainKind<StoredSecret>("Secret", "secrets"),
  pods: plainKind("Pod", "pods"),
  nodes: plainKind("Node", "nodes"),
};
const ES256 = generateKeyPairSync("ec", { namedCurve: "P-256" });

function object(kind: string, name: string, uid: string, namespace?: string): KubeObject {
  return { apiVersion: "v1", kind, metadata: { name, uid, ...(namespace ? { namespace } : {}) } };
}

function open(keys: { privateKey: typeof ES256.privateKey } = ES256) {
  const server = new MemoryServer();
  const clock = new VirtualClock(Date.parse("2026-05-01T12:00:00Z"));
  const pem = keys.privateKey.export({ format: "pem", type: "pkcs8" }).toString();
  const verificationKeys = readVerificationKeys(pem);
  const accounts = serviceAccountTokenMethod({
    issuers: [ISSUER],
    audiences: [ISSUER],
    keys: verificationKeys,
    reader: server.reader,
    kinds,
    clock,
  });
  const bootstrap = bootstrapTokenMethod({ reader: server.reader, secrets: kinds.secrets, clock });
  const methods = anyTokenMethod([tokenFileMethod('file-token,ann,7,"a, b"\n'), accounts, bootstrap]);
  let ids = 0;
  const port = makeTokenPort({
    sign: openSigner(pem),
    issuer: ISSUER,
    audiences: [ISSUER],
    methods,
    clock,
    uuid: () => `id-${++ids}`,
  });
  const refusals: string[] = [];
  const authenticator = makeAuthenticator({
    requests: [],
    tokens: methods,
    refused: (why) => refusals.push(why),
  });
  const login = (token: string | undefined, more: Partial<Credentials> = {}) => {
    const authorization = token === undefined ? undefined : `Bearer ${token}`;
    return authenticator.authenticate({ path: "/api", headers: () => ({}), authorization, ...more }) as
      | User
      | StatusError;
  };
  server.put(kinds.serviceAccounts, object("ServiceAccount", "bot", "u1", "ops"));
  const account = { namespace: "ops", name: "bot", uid: "u1", audiences: [ISSUER], seconds: 600 };
  return { server, clock, port, login, refusals, account, keys: verificationKeys };
}

function isRefused(answer: User | StatusError): void {
  assert.ok(answer instanceof StatusError);
  assert.equal(answer.code, 401);
  assert.equal(answer.message, "Unauthorized");
}

test("a service account token tells its account, groups and what it is bound to", async () => {
  const { server, port, login, account } = open();
  server.put(kinds.pods, object("Pod", "web", "p1", "ops"));
  const { token, expires } = await port.issue({
    ...account,
    bound: { apiVersion: "v1", kind: "Pod", name: "web", uid: "p1" },
    node: { name: "n", uid: "n1" },
  });
  assert.equal(expires, "2026-05-01T12:10:00Z");
  assert.deepEqual(login(token), {
    name: "system:serviceaccount:ops:bot",
    uid: "u1",
    groups: ["system:serviceaccounts", "system:serviceaccounts:ops", "system:authenticated"],
    extra: {
      "authentication.kubernetes.io/credential-id": ["JTI=id-1"],
      "authentication.kubernetes.io/pod-name": ["web"],
      "authentication.kubernetes.io/pod-uid": ["p1"],
      "authentication.kubernetes.io/node-name": ["n"],
      "authentication.kubernetes.io/node-uid": ["n1"],
    },
  });
  assert.equal(login(token), login(token), "the same user object each time");
});

test("a service account token ends with its time, its account, and what it is bound to", async () => {
  const { server, clock, port, login, account } = open();
  const { token } = await port.issue(account);
  assert.equal((login(token) as User).uid, "u1");
  server.put(kinds.serviceAccounts, object("ServiceAccount", "bot", "another", "ops"));
  isRefused(login(token));
  server.remove(kinds.serviceAccounts, "ops", "bot");
  isRefused(login(token));
  server.put(kinds.serviceAccounts, object("ServiceAccount", "bot", "u1", "ops"));
  assert.equal((login(token) as User).uid, "u1");
  clock.advance(599_000);
  assert.equal((login(token) as User).uid, "u1");
  clock.advance(1_000);
  isRefused(login(token));

  for (const [kind, plural] of [
    ["Pod", "pods"],
    ["Secret", "secrets"],
    ["Node", "nodes"],
  ] as const) {
    const home = kind === "Node" ? undefined : "ops";
    server.put(kinds[plural], object(kind, "it", "x1", home));
    const bound = await port.issue({ ...account, bound: { apiVersion: "v1", kind, name: "it", uid: "x1" } });
    assert.equal((login(bound.token) as User).uid, "u1", kind);
    server.put(kinds[plural], object(kind, "it", "x2", home));
    isRefused(login(bound.token));
  }
});

test("the token of a pod that is being deleted ends a minute after its grace period", async () => {
  const { server, clock, port, login, account } = open();
  const pod = object("Pod", "web", "p1", "ops");
  server.put(kinds.pods, pod);
  const { token } = await port.issue({
    ...account,
    bound: { apiVersion: "v1", kind: "Pod", name: "web", uid: "p1" },
  });
  const deletionTimestamp = new Date(clock.now()).toISOString();
  server.put(kinds.pods, { ...pod, metadata: { ...pod.metadata, deletionTimestamp } });
  assert.equal((login(token) as User).uid, "u1");
  clock.advance(60_001);
  isRefused(login(token));
});

test("forged, altered and foreign tokens are refused, and why holds no token", async () => {
  const { port, login, account, refusals } = open();
  const { token } = await port.issue(account);
  const [header = "", payload = "", signature = ""] = token.split(".");
  const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const claims = peekClaims(token)!;
  const stranger = openSigner(
    generateKeyPairSync("ec", { namedCurve: "P-256" })
      .privateKey.export({ format: "pem", type: "pkcs8" })
      .toString(),
  );
  for (const forged of [
    `${header}.${part({ ...claims, sub: "system:serviceaccount:kube-system:admin" })}.${signature}`,
    `${part({ alg: "none" })}.${payload}.`,
    `${part({ alg: "HS256" })}.${payload}.${signature}`,
    `${header}.${payload}.`,
    stranger(claims),
    stranger({ ...claims, iss: "https://elsewhere" }),
    "a.b.c",
    "..",
    "no token at all",
  ]) {
    isRefused(login(forged));
  }
  assert.ok(refusals.length >= 9);
  for (const why of refusals) assert.doesNotMatch(why, /eyJ|no token at all/);
  assert.equal((login(token) as User).uid, "u1");
});

test("a token for other audiences is refused here and reviewed for those", async () => {
  const { port, login, account } = open();
  const { token } = await port.issue({ ...account, audiences: ["vault", "other"] });
  isRefused(login(token));
  const review = await port.review(token, ["vault", "x"]);
  assert.ok(review && "user" in review);
  assert.deepEqual(review.audiences, ["vault"]);
  assert.deepEqual(await port.review(token, []), {
    error: "the service account token is for other audiences",
  });
  assert.equal(await port.review("unknown", []), undefined);
  const file = await port.review("file-token", []);
  assert.ok(file && "user" in file);
  assert.deepEqual(file.user.groups, ["a", "b", "system:authenticated"]);
});

test("the kubelet's token for a pod lives on while it warns", async () => {
  const { port, account, server } = open();
  server.put(kinds.pods, object("Pod", "web", "p1", "ops"));
  const bound = { apiVersion: "v1", kind: "Pod", name: "web", uid: "p1" };
  const { token, expires } = await port.issue({ ...account, bound, seconds: 3607 });
  const claims = peekClaims(token)! as { iat: number; exp: number; "kubernetes.io": { warnafter?: number } };
  assert.equal(claims.exp - claims.iat, 365 * 24 * 3600);
  assert.equal((claims["kubernetes.io"].warnafter ?? 0) - claims.iat, 3607);
  assert.equal(expires, "2026-05-01T13:00:07Z");
  const plain = peekClaims((await port.issue({ ...account, seconds: 3607 })).token)! as {
    iat: number;
    exp: number;
  };
  assert.equal(plain.exp - plain.iat, 3607);
});

for (const [algorithm, pair] of [
  ["ES256", ES256],
  ["RS256", generateKeyPairSync("rsa", { modulusLength: 2048 })],
] as const) {
  test(`another implementation verifies our ${algorithm} tokens with the served keys`, async () => {
    const { port, account, keys, clock, login } = open(pair);
    const { token } = await port.issue(account);
    const set = createLocalJWKSet(keySetOf(keys) as unknown as Parameters<typeof createLocalJWKSet>[0]);
    const { payload, protectedHeader } = await jwtVerify(token, set, {
      issuer: ISSUER,
      audience: ISSUER,
      currentDate: new Date(clock.now()),
    });
    assert.equal(payload.sub, "system:serviceaccount:ops:bot");
    assert.equal(protectedHeader.alg, algorithm);
    assert.equal((login(token) as User).uid, "u1");
    assert.deepEqual(openIDConfiguration(ISSUER, keys, "https://x/openid/v1/jwks"), {
      issuer: ISSUER,
      jwks_uri: "https://x/openid/v1/jwks",
      response_types_supported: ["id_token"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: [algorithm],
    });
  });
}

test("a token that lives in a Secret holds as long as the Secret holds it", () => {
  const { server, login } = open();
  const sign = openSigner(ES256.privateKey.export({ format: "pem", type: "pkcs8" }).toString());
  const prefix = "kubernetes.io/serviceaccount";
  const token = sign({
    iss: prefix.replace(".io", ""),
    sub: "system:serviceaccount:ops:bot",
    [`${prefix}/namespace`]: "ops",
    [`${prefix}/secret.name`]: "bot-token",
    [`${prefix}/service-account.name`]: "bot",
    [`${prefix}/service-account.uid`]: "u1",
  });
  isRefused(login(token));
  const data = { token: Buffer.from(token).toString("base64") };
  server.put(kinds.secrets, { ...object("Secret", "bot-token", "s1", "ops"), data });
  assert.equal((login(token) as User).name, "system:serviceaccount:ops:bot");
  server.remove(kinds.secrets, "ops", "bot-token");
  isRefused(login(token));
});

test("a bootstrap token is taken while its Secret says so", () => {
  const { server, login, clock } = open();
  const put = (changes: Record<string, string> = {}, type = "bootstrap.kubernetes.io/token") => {
    const texts: Record<string, string> = {
      "token-id": "abcdef",
      "token-secret": "0123456789abcdef",
      "usage-bootstrap-authentication": "true",
      "auth-extra-groups": "system:bootstrappers:kubeadm:default-node-token",
      expiration: "2026-05-01T13:00:00Z",
      ...changes,
    };
    const data = Object.fromEntries(
      Object.entries(texts).map(([k, v]) => [k, Buffer.from(v).toString("base64")]),
    );
    server.put(kinds.secrets, {
      ...object("Secret", "bootstrap-token-abcdef", "s", "kube-system"),
      data,
      type,
    });
  };
  const token = "abcdef.0123456789abcdef";
  isRefused(login(token));
  put();
  assert.deepEqual(login(token), {
    name: "system:bootstrap:abcdef",
    groups: [
      "system:bootstrappers",
      "system:bootstrappers:kubeadm:default-node-token",
      "system:authenticated",
    ],
  });
  isRefused(login("abcdef.0123456789abcdeX"));
  isRefused(login("abcdef.0123456789abcdee"));
  const wrong: Record<string, string>[] = [
    { "usage-bootstrap-authentication": "false" },
    { "auth-extra-groups": "system:masters" },
    { expiration: "soon" },
    { "token-id": "abcdeg" },
  ];
  for (const changes of wrong) {
    put(changes);
    isRefused(login(token));
  }
  put({}, "Opaque");
  isRefused(login(token));
  put();
  clock.advance(3_600_000);
  isRefused(login(token));
});

test("only health and version are for everyone, and never with a wrong token", () => {
  const { login } = open();
  const anonymous = { name: "system:anonymous", groups: ["system:unauthenticated"] };
  for (const path of ["/healthz", "/livez", "/readyz", "/version"]) {
    assert.deepEqual(login(undefined, { path }), anonymous);
    isRefused(login("wrong", { path }));
  }
  for (const path of ["/", "/api", "/healthz/etcd", "/metrics"]) isRefused(login(undefined, { path }));
});

test("a token may come as Bearer in any case or as a WebSocket protocol beside another", () => {
  const { login } = open();
  const carried = `base64url.bearer.authorization.k8s.io.${Buffer.from("file-token").toString("base64url")}`;
  assert.equal((login(undefined, { authorization: "bEaReR  file-token " }) as User).name, "ann");
  assert.equal(
    (login(undefined, { webSocketProtocols: `v5.channel.k8s.io, ${carried}` }) as User).name,
    "ann",
  );
  isRefused(login(undefined, { webSocketProtocols: carried }));
  isRefused(login(undefined, { authorization: "Basic file-token" }));
});

test("impersonation checks each part and gives upstream's groups", async () => {
  const root = { name: "root", groups: ["system:masters"] };
  const asked: string[] = [];
  const authorizer: Authorizer = {
    authorize({ verb, group, resource, subresource, namespace, name }) {
      asked.push(`${verb} ${group}/${resource}/${subresource} ${namespace}/${name}`);
      return { decision: name === "no" ? "none" : "allow", reason: "" };
    },
  };
  assert.equal(await impersonate({}, root, authorizer), root);
  const jane = await impersonate(
    {
      "impersonate-user": ["jane"],
      "impersonate-group": ["dev"],
      "impersonate-uid": ["7"],
      "impersonate-extra-acme.com%2fscopes": ["view", "edit"],
    },
    root,
    authorizer,
  );
  assert.ok(!(jane instanceof StatusError));
  assert.deepEqual(jane, {
    name: "jane",
    uid: "7",
    groups: ["dev", "system:authenticated"],
    extra: Object.assign(Object.create(null), { "acme.com/scopes": ["view", "edit"] }),
  });
  assert.deepEqual(asked, [
    "impersonate /users/ /jane",
    "impersonate /groups/ /dev",
    "impersonate authentication.k8s.io/userextras/acme.com/scopes /view",
    "impersonate authentication.k8s.io/userextras/acme.com/scopes /edit",
    "impersonate authentication.k8s.io/uids/ /7",
  ]);
  const account = await impersonate({ "impersonate-user": ["system:serviceaccount:a:b"] }, root, authorizer);
  assert.deepEqual((account as User).groups, [
    "system:serviceaccounts",
    "system:serviceaccounts:a",
    "system:authenticated",
  ]);
  const refused = await impersonate({ "impersonate-user": ["no"] }, root, authorizer);
  assert.ok(refused instanceof StatusError);
  assert.equal(
    refused.message,
    'users "no" is forbidden: User "root" cannot impersonate resource "users" in API group "" at the cluster scope',
  );
  const groupOnly = await impersonate({ "impersonate-group": ["dev"] }, root, authorizer);
  assert.equal((groupOnly as StatusError).code, 500);
});
