import assert from "node:assert/strict";
import { test } from "node:test";
import type { Attributes, User } from "../../api/user.ts";
import { MemoryServer, plainKind } from "../testing/memory-server.ts";
import { reconcileBootstrapPolicy } from "./bootstrap-policy/reconcile.ts";
import { checkBinding, checkEscalation } from "./escalation.ts";
import { forbiddenError } from "./forbidden-message.ts";
import type { PolicyRule } from "./policy-rule.ts";
import { openRBAC, type RBACKinds, type StoredBinding, type StoredRole } from "./rbac.ts";
import { anyAuthorizer } from "./union.ts";

const GROUP = "rbac.authorization.k8s.io";
const kinds: RBACKinds = {
  roles: plainKind("Role", "roles", GROUP),
  clusterRoles: plainKind("ClusterRole", "clusterroles", GROUP),
  roleBindings: plainKind("RoleBinding", "rolebindings", GROUP),
  clusterRoleBindings: plainKind("ClusterRoleBinding", "clusterrolebindings", GROUP),
};
const apiVersion = `${GROUP}/v1`;

function user(name: string, ...groups: string[]): User {
  return { name, groups };
}

function ask(who: User, verb: string, resource: string, more: Partial<Attributes> = {}): Attributes {
  const empty = { namespace: "", group: "", version: "v1", subresource: "", name: "", path: "" };
  return { ...empty, user: who, verb, resource, isResource: true, ...more };
}

function askPath(who: User, path: string): Attributes {
  return ask(who, "get", "", { path, isResource: false });
}

function role(name: string, namespace: string, ...rules: PolicyRule[]): StoredRole {
  const kind = namespace === "" ? "ClusterRole" : "Role";
  return { apiVersion, kind, metadata: { name, ...(namespace === "" ? {} : { namespace }) }, rules };
}

function bind(
  name: string,
  namespace: string,
  roleRef: [string, string],
  ...subjects: string[]
): StoredBinding {
  return {
    apiVersion,
    kind: namespace === "" ? "ClusterRoleBinding" : "RoleBinding",
    metadata: { name, ...(namespace === "" ? {} : { namespace }) },
    roleRef: { apiGroup: GROUP, kind: roleRef[0], name: roleRef[1] },
    subjects: subjects.map((text) => {
      const [kind = "", subject = "", home] = text.split(" ");
      return { kind, name: subject, ...(home ? { namespace: home } : {}) };
    }),
  };
}

const readPods: PolicyRule = { verbs: ["get", "list"], apiGroups: [""], resources: ["pods"] };

function withPods() {
  const server = new MemoryServer();
  const rbac = openRBAC(server.reader, kinds);
  server.put(kinds.clusterRoles, role("reader", "", readPods));
  server.put(
    kinds.roleBindings,
    bind("readers", "default", ["ClusterRole", "reader"], "User jane", "Group dev"),
  );
  return { server, rbac };
}

test("RBAC allows with upstream's reason", () => {
  const { server, rbac } = withPods();
  assert.deepEqual(rbac.authorize(ask(user("jane"), "get", "pods", { namespace: "default", name: "a" })), {
    decision: "allow",
    reason: 'RBAC: allowed by RoleBinding "readers/default" of ClusterRole "reader" to User "jane"',
  });
  assert.equal(
    rbac.authorize(ask(user("joe", "dev"), "list", "pods", { namespace: "default" })).reason,
    'RBAC: allowed by RoleBinding "readers/default" of ClusterRole "reader" to Group "dev"',
  );
  server.put(
    kinds.clusterRoleBindings,
    bind("bots", "", ["ClusterRole", "reader"], "ServiceAccount bot ops"),
  );
  assert.equal(
    rbac.authorize(ask(user("system:serviceaccount:ops:bot"), "list", "pods")).reason,
    'RBAC: allowed by ClusterRoleBinding "bots" of ClusterRole "reader" to ServiceAccount "bot/ops"',
  );
});

test("RBAC has no opinion on what no rule lets", () => {
  const { rbac } = withPods();
  const none = { decision: "none", reason: "" };
  const jane = user("jane");
  for (const attributes of [
    ask(jane, "get", "pods"),
    ask(jane, "get", "pods", { namespace: "other" }),
    ask(jane, "delete", "pods", { namespace: "default" }),
    ask(jane, "get", "pods", { namespace: "default", subresource: "log" }),
    ask(jane, "get", "pods", { namespace: "default", group: "apps" }),
    ask(user("dev"), "get", "pods", { namespace: "default" }),
    askPath(jane, "/metrics"),
  ]) {
    assert.deepEqual(rbac.authorize(attributes), none);
  }
});

test("names, subresources and wildcards limit and widen rules as upstream", () => {
  const server = new MemoryServer();
  const rbac = openRBAC(server.reader, kinds);
  server.put(
    kinds.clusterRoles,
    role(
      "r",
      "",
      { verbs: ["get"], apiGroups: [""], resources: ["configmaps"], resourceNames: ["one", "two"] },
      { verbs: ["*"], apiGroups: ["apps"], resources: ["*/scale"] },
      { verbs: ["get"], nonResourceURLs: ["/logs/*", "/exact"] },
    ),
  );
  server.put(kinds.clusterRoleBindings, bind("b", "", ["ClusterRole", "r"], "User u"));
  const u = user("u");
  const allowed = (attributes: Attributes) => rbac.authorize(attributes).decision === "allow";
  assert.equal(allowed(ask(u, "get", "configmaps", { name: "two", namespace: "n" })), true);
  assert.equal(allowed(ask(u, "get", "configmaps", { name: "three", namespace: "n" })), false);
  assert.equal(allowed(ask(u, "get", "configmaps", { namespace: "n" })), false);
  assert.equal(allowed(ask(u, "patch", "deployments", { group: "apps", subresource: "scale" })), true);
  assert.equal(allowed(ask(u, "patch", "deployments", { group: "apps" })), false);
  assert.equal(allowed(askPath(u, "/logs/a/b")), true);
  assert.equal(allowed(askPath(u, "/exact")), true);
  assert.equal(allowed(askPath(u, "/exact/more")), false);
});

test("a change of a role or binding counts at once, and a missing role is named", () => {
  const { server, rbac } = withPods();
  const jane = user("jane");
  const get = ask(jane, "get", "pods", { namespace: "default" });
  assert.equal(rbac.authorize(get).decision, "allow");
  server.remove(kinds.clusterRoles, "", "reader");
  assert.deepEqual(rbac.authorize(get), {
    decision: "none",
    reason: 'RBAC: clusterrole.rbac.authorization.k8s.io "reader" not found',
  });
  server.put(kinds.clusterRoles, role("reader", "", readPods));
  assert.equal(rbac.authorize(get).decision, "allow");
  server.put(kinds.roleBindings, bind("readers", "default", ["ClusterRole", "reader"], "User joe"));
  assert.equal(rbac.authorize(get).decision, "none");
  assert.equal(rbac.authorize({ ...get, user: user("joe") }).decision, "allow");
  server.remove(kinds.roleBindings, "default", "readers");
  assert.equal(rbac.authorize({ ...get, user: user("joe") }).decision, "none");
});

test("names like __proto__ are names like others", () => {
  const { rbac } = withPods();
  for (const name of ["__proto__", "constructor", "toString"]) {
    assert.equal(rbac.authorize(ask(user(name, name), "get", name, { namespace: name })).decision, "none");
  }
});

test("a refusal reads as kube-apiserver writes it", () => {
  const bob = user("bob");
  const text = (attributes: Attributes, reason = "") => forbiddenError(attributes, reason).message;
  assert.equal(
    text(ask(bob, "list", "pods", { namespace: "default" })),
    'pods is forbidden: User "bob" cannot list resource "pods" in API group "" in the namespace "default"',
  );
  assert.equal(
    text(
      ask(bob, "get", "deployments", { group: "apps", subresource: "scale", name: "web" }),
      "RBAC: broken",
    ),
    'deployments.apps "web" is forbidden: User "bob" cannot get resource "deployments/scale" in API group "apps" at the cluster scope: RBAC: broken',
  );
  assert.equal(text(askPath(bob, "/metrics")), 'forbidden: User "bob" cannot get path "/metrics"');
});

test("system:masters may do everything without a role", () => {
  const { rbac } = withPods();
  const authorizer = anyAuthorizer([rbac]);
  assert.deepEqual(authorizer.authorize(ask(user("root", "system:masters"), "delete", "nodes")), {
    decision: "allow",
    reason: "",
  });
});

test("nobody grants what they do not hold, unless they may escalate", async () => {
  const { server, rbac } = withPods();
  const ports = { rbac, authorizer: anyAuthorizer([rbac]) };
  const jane = user("jane", "dev");
  assert.equal(await checkEscalation(jane, role("mine", "default", readPods), undefined, ports), undefined);
  const wide = role("mine", "default", { ...readPods, verbs: ["get", "delete", "create"] });
  const refused = await checkEscalation(jane, wide, undefined, ports);
  assert.equal(refused?.code, 403);
  assert.equal(
    refused?.message,
    'roles.rbac.authorization.k8s.io "mine" is forbidden: user "jane" (groups=["dev"]) is attempting to grant RBAC ' +
      'permissions not currently held:\n{APIGroups:[""], Resources:["pods"], Verbs:["delete" "create"]}',
  );
  assert.equal(
    await checkEscalation(jane, wide, wide, ports),
    undefined,
    "rules that stay are not asked for",
  );
  assert.equal(await checkEscalation(user("root", "system:masters"), wide, undefined, ports), undefined);
  server.put(
    kinds.roles,
    role("may", "default", { verbs: ["escalate"], apiGroups: [GROUP], resources: ["roles"] }),
  );
  server.put(kinds.roleBindings, bind("may", "default", ["Role", "may"], "User jane"));
  assert.equal(await checkEscalation(jane, wide, undefined, ports), undefined);
});

test("nobody binds a role with more than they hold, unless they may bind it", async () => {
  const { server, rbac } = withPods();
  const ports = { rbac, authorizer: anyAuthorizer([rbac]) };
  const jane = user("jane");
  server.put(kinds.clusterRoles, role("writer", "", { ...readPods, verbs: ["create"] }));
  const own = bind("b", "default", ["ClusterRole", "reader"], "User joe");
  const other = bind("b", "default", ["ClusterRole", "writer"], "User joe");
  assert.equal(await checkBinding(jane, own, undefined, ports), undefined);
  assert.equal((await checkBinding(jane, other, undefined, ports))?.code, 403);
  const missing = await checkBinding(
    jane,
    bind("b", "default", ["Role", "gone"], "User joe"),
    undefined,
    ports,
  );
  assert.equal(missing?.message, 'roles.rbac.authorization.k8s.io "gone" not found');
  const mayBind = {
    verbs: ["bind"],
    apiGroups: [GROUP],
    resources: ["clusterroles"],
    resourceNames: ["writer"],
  };
  server.put(kinds.roles, role("may", "default", mayBind));
  server.put(kinds.roleBindings, bind("may", "default", ["Role", "may"], "User jane"));
  assert.equal(await checkBinding(jane, other, undefined, ports), undefined);
});

test("reconciling makes the default roles once, completes what lost rules, and keeps what was added", async () => {
  const server = new MemoryServer();
  const first = await reconcileBootstrapPolicy(server, kinds);
  assert.ok(first.created > 100);
  assert.deepEqual(await reconcileBootstrapPolicy(server, kinds), { created: 0, updated: 0 });

  const dns = server.reader.get(kinds.clusterRoles, "", "system:kube-dns")!;
  server.put(kinds.clusterRoles, { ...dns, rules: [readPods] });
  const admins = server.reader.get(kinds.clusterRoleBindings, "", "cluster-admin")!;
  const added = [...(admins.subjects ?? []), { kind: "User", name: "me" }];
  server.put(kinds.clusterRoleBindings, { ...admins, subjects: added });
  const off = server.reader.get(kinds.clusterRoles, "", "system:discovery")!;
  const frozen = { ...off, rules: [], metadata: { ...off.metadata, annotations: { [`${AUTO}`]: "false" } } };
  server.put(kinds.clusterRoles, frozen);
  assert.deepEqual(await reconcileBootstrapPolicy(server, kinds), { created: 0, updated: 1 });
  const rules = server.reader.get(kinds.clusterRoles, "", "system:kube-dns")?.rules;
  assert.deepEqual(rules, [
    readPods,
    { apiGroups: [""], resources: ["endpoints"], verbs: ["list", "watch"] },
    { apiGroups: [""], resources: ["services"], verbs: ["list", "watch"] },
  ]);
  assert.equal(server.reader.get(kinds.clusterRoleBindings, "", "cluster-admin")?.subjects?.length, 2);
  assert.deepEqual(server.reader.get(kinds.clusterRoles, "", "system:discovery")?.rules, []);
});

const AUTO = "rbac.authorization.kubernetes.io/autoupdate";
