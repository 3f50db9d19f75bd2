import assert from "node:assert/strict";
import { test } from "node:test";
import { startServer } from "./server.ts";

const server = await startServer();

await server.ok("create namespace team");
await server.ok("create role reader -n team --verb get,list,watch --resource pods,configmaps");
await server.ok("create rolebinding jane-reads -n team --role reader --user jane");

test("kubectl auth whoami", async () => {
  const { status } = await server.json<{ status: { userInfo: Record<string, unknown> } }>("auth whoami");
  assert.equal(status.userInfo.username, "kubernetes-admin");
  assert.deepEqual(status.userInfo.groups, ["system:masters", "system:authenticated"]);
  const said = await server.ok("auth whoami --as jane --as-group dev --as-uid 7");
  assert.match(said, /^Username +jane$/m);
  assert.match(said, /^UID +7$/m);
  assert.match(said, /^Groups +\[dev system:authenticated\]$/m);
});

test("kubectl auth can-i", async () => {
  assert.equal(await server.ok("auth can-i '*' '*'"), "yes\n");
  assert.equal(await server.ok("auth can-i list pods -n team --as jane"), "yes\n");
  const { code, stdout } = await server.kubectl("auth can-i delete pods -n team --as jane");
  assert.deepEqual([code, stdout], [1, "no\n"]);
  const other = await server.kubectl("auth can-i list pods -n default --as jane");
  assert.deepEqual([other.code, other.stdout], [1, "no\n"]);
  assert.equal(await server.ok("auth can-i get /healthz --as jane"), "yes\n");
  assert.equal(
    await server.ok("auth can-i get pods --subresource log --as system:admin --as-group system:masters"),
    "yes\n",
  );
});

test("kubectl auth can-i --list shows the rules", async () => {
  const said = (await server.ok("auth can-i --list -n team --as jane")).replace(/ +/g, " ");
  assert.match(said, /^configmaps \[\] \[\] \[get list watch\]$/m);
  assert.match(said, /^pods \[\] \[\] \[get list watch\]$/m);
  assert.match(said, /^selfsubjectaccessreviews\.authorization\.k8s\.io \[\] \[\] \[create\]$/m);
  assert.match(said, /^ \[\/healthz\] \[\] \[get\]$/m);
});

test("kubectl --as meets RBAC's refusals", async () => {
  assert.equal(await server.ok("get pods -n team --as jane -o name"), "");
  for (const [line, text] of [
    [
      "get secrets -n team",
      'secrets is forbidden: User "jane" cannot list resource "secrets" in API group "" in the namespace "team"',
    ],
    [
      "get secret one -n team",
      'secrets "one" is forbidden: User "jane" cannot get resource "secrets" in API group "" in the namespace "team"',
    ],
    [
      "get pods -A",
      'pods is forbidden: User "jane" cannot list resource "pods" in API group "" at the cluster scope',
    ],
    [
      "get deployments -n team",
      'deployments.apps is forbidden: User "jane" cannot list resource "deployments" in API group "apps" in the namespace "team"',
    ],
    [
      "get nodes",
      'nodes is forbidden: User "jane" cannot list resource "nodes" in API group "" at the cluster scope',
    ],
    [
      "delete configmap x -n team",
      'configmaps "x" is forbidden: User "jane" cannot delete resource "configmaps" in API group "" in the namespace "team"',
    ],
    ["get --raw /metrics", 'forbidden: User "jane" cannot get path "/metrics"'],
  ] as const) {
    assert.equal(await server.refused(`${line} --as jane`), `Error from server (Forbidden): ${text}\n`);
  }
  const config = await server.tokenConfig("nobody");
  assert.match(
    await server.refused(`--kubeconfig ${config} get pods`),
    /You must be logged in to the server/,
  );
});

test("kubectl --as needs the right to impersonate", async () => {
  await server.ok("create serviceaccount plain -n team");
  const config = await server.tokenConfig((await server.ok("create token plain -n team")).trim());
  assert.equal(
    await server.refused(`--kubeconfig ${config} get pods --as jane`),
    'Error from server (Forbidden): users "jane" is forbidden: User "system:serviceaccount:team:plain" cannot impersonate resource "users" in API group "" at the cluster scope\n',
  );
});

test("nobody gives away rights that they do not have", async () => {
  await server.ok(
    "create role granter -n team --verb create,update --resource roles.rbac.authorization.k8s.io,rolebindings.rbac.authorization.k8s.io",
  );
  await server.ok("create rolebinding joe-grants -n team --role granter --user joe");
  const role = await server.refused("create role more -n team --verb get --resource secrets --as joe");
  assert.equal(
    role,
    'Error from server (Forbidden): roles.rbac.authorization.k8s.io "more" is forbidden: user "joe" (groups=["system:authenticated"]) is attempting to grant RBAC permissions not currently held:\n{APIGroups:[""], Resources:["secrets"], Verbs:["get"]}\n',
  );
  const binding = await server.refused("create rolebinding more -n team --role reader --user joe --as joe");
  assert.match(
    binding,
    /^error: failed to create rolebinding: rolebindings.rbac.authorization.k8s.io "more" is forbidden: user "joe" .* is attempting to grant RBAC permissions not currently held:\n\{APIGroups:\[""\], Resources:\["configmaps"\], Verbs:\["get" "list" "watch"\]\}/,
  );
});

test("kubectl auth reconcile adds what a role lacks", async () => {
  const role = (verbs: string[]) => ({
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "Role",
    metadata: { name: "grows", namespace: "team" },
    rules: [{ apiGroups: [""], resources: ["pods"], verbs }],
  });
  assert.match(
    await server.ok("auth reconcile -f -", { input: role(["get"]) }),
    /^role.rbac.authorization.k8s.io\/grows reconciled\n/,
  );
  await server.ok("auth reconcile -f -", { input: role(["list"]) });
  const { rules } = await server.json<{ rules: { verbs: string[] }[] }>("get role grows -n team");
  assert.deepEqual(
    rules.map(({ verbs }) => verbs),
    [["get"], ["list"]],
  );
});

test("aggregated roles gather the rules of those they select", async () => {
  const edit = await server.json<{ aggregationRule: object }>("get clusterrole edit");
  assert.deepEqual(edit.aggregationRule, {
    clusterRoleSelectors: [{ matchLabels: { "rbac.authorization.k8s.io/aggregate-to-edit": "true" } }],
  });
  await server.ok("create rolebinding joan -n team --clusterrole cluster-admin --user joan");
  assert.equal(await server.ok("auth can-i create deployments -n team --as joan"), "yes\n");
  assert.equal((await server.kubectl("auth can-i create deployments -n default --as joan")).stdout, "no\n");
});

test("kubectl create token takes audiences and bound objects", async () => {
  await server.ok("create serviceaccount bound -n team");
  const { metadata } = await server.json("create secret generic bond -n team");
  const flags = `--audience https://a.example --bound-object-kind Secret --bound-object-name bond --bound-object-uid ${metadata.uid}`;
  const token = (await server.ok(`create token bound -n team ${flags}`)).trim();
  const claims = JSON.parse(Buffer.from(token.split(".")[1]!, "base64url").toString());
  assert.deepEqual(claims.aud, ["https://a.example"]);
  assert.deepEqual(claims["kubernetes.io"].secret, { name: "bond", uid: metadata.uid });
  const kind = { apiVersion: "authentication.k8s.io/v1", kind: "TokenReview" };
  const review = (audiences?: string[]) =>
    server.json<{ status: Record<string, unknown> }>("create -f -", {
      input: { ...kind, spec: { token, audiences } },
    });
  assert.equal((await review(["https://a.example"])).status.authenticated, true);
  assert.equal((await review()).status.authenticated, undefined);
  await server.ok("delete secret bond -n team");
  assert.equal((await review(["https://a.example"])).status.authenticated, undefined);
});
