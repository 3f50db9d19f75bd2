import assert from "node:assert/strict";
import { test } from "node:test";
import { startServer } from "./server.ts";

const server = await startServer();

async function replicaSet(name: string): Promise<void> {
  const labels = { app: name };
  const template = { metadata: { labels }, spec: { containers: [{ name: "a", image: "a" }] } };
  const spec = { replicas: 1, selector: { matchLabels: labels }, template };
  await server.ok("create -f -", {
    input: { apiVersion: "apps/v1", kind: "ReplicaSet", metadata: { name }, spec },
  });
}

test("kubectl delete in the background takes the object at once", async () => {
  await replicaSet("background");
  assert.equal(
    await server.ok("delete rs background"),
    'replicaset.apps "background" deleted from default namespace\n',
  );
  assert.match(await server.refused("get rs background"), /NotFound/);
});

for (const [cascade, finalizer] of [
  ["foreground", "foregroundDeletion"],
  ["orphan", "orphan"],
] as const) {
  test(`kubectl delete --cascade=${cascade} leaves the rest to the garbage collector`, async () => {
    await replicaSet(cascade);
    await server.ok(`delete rs ${cascade} --cascade=${cascade} --wait=false`);
    const { metadata } = await server.json(`get rs ${cascade}`);
    assert.deepEqual(metadata.finalizers, [finalizer]);
    assert.match(metadata.deletionTimestamp, /^\d{4}-/);
    assert.equal(metadata.deletionGracePeriodSeconds, 0);
    assert.equal(metadata.generation, 2);
    await server.ok(`patch rs ${cascade} --type json -p '[{"op":"remove","path":"/metadata/finalizers"}]'`);
    assert.match(await server.refused(`get rs ${cascade}`), /NotFound/);
  });
}

test("kubectl delete waits for finalizers", async () => {
  const metadata = { name: "held", finalizers: ["example.com/hold"] };
  await server.ok("create -f -", { input: { apiVersion: "v1", kind: "ConfigMap", metadata } });
  const waiting = server.ok("delete configmap held");
  const marked = await server.ok("wait configmap/held --for jsonpath={.metadata.deletionTimestamp}");
  assert.equal(marked, "configmap/held condition met\n");
  assert.equal(
    await server.refused(
      `patch configmap held --type merge -p '{"metadata":{"finalizers":["example.com/hold","example.com/new"]}}'`,
    ),
    'The ConfigMap "held" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"example.com/new"}\n',
  );
  await server.ok(`patch configmap held --type merge -p '{"metadata":{"finalizers":null}}'`);
  assert.equal(await waiting, 'configmap "held" deleted from default namespace\n');
});

test("kubectl delete gives a scheduled pod its grace period", async () => {
  await server.ok("create serviceaccount default");
  const pod = (name: string, nodeName?: string) => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name },
    spec: { nodeName, terminationGracePeriodSeconds: 17, containers: [{ name: "a", image: "a" }] },
  });
  await server.ok("create -f -", { input: pod("waiting") });
  await server.ok("create -f -", { input: pod("running", "node-a") });
  await server.ok("delete pod waiting");
  assert.match(await server.refused("get pod waiting"), /NotFound/);
  await server.ok("delete pod running --wait=false");
  assert.equal((await server.json("get pod running")).metadata.deletionGracePeriodSeconds, 17);
  assert.match(await server.ok("get pod running"), /Terminating/);
  const { stderr } = await server.kubectl("delete pod running --grace-period 0 --force");
  assert.match(stderr, /Immediate deletion does not wait/);
  assert.match(await server.refused("get pod running"), /NotFound/);
});

test("kubectl delete --all, -l and --field-selector", async () => {
  await server.ok("create namespace many");
  for (const name of ["a", "b", "c", "d"]) {
    await server.ok(`create configmap ${name} -n many`);
    if (name < "c") await server.ok(`label configmap ${name} -n many half=first`);
  }
  const gone = (name: string) => `configmap "${name}" deleted from many namespace\n`;
  assert.equal(await server.ok("delete configmaps -n many --field-selector metadata.name=d"), gone("d"));
  assert.equal(await server.ok("delete configmaps -n many -l half=first"), gone("a") + gone("b"));
  assert.equal(await server.ok("delete configmaps -n many --all"), gone("c"));
  assert.equal(await server.ok("get configmaps -n many -o name"), "");
});

test("kubectl delete --raw deletes a collection", async () => {
  await server.ok("create namespace raw");
  await server.ok("create secret generic one -n raw");
  await server.ok("create secret generic two -n raw");
  await server.ok("delete --raw /api/v1/namespaces/raw/secrets");
  assert.equal(await server.ok("get secrets -n raw -o name"), "");
});

test("kubectl delete --dry-run=server keeps the object", async () => {
  await server.ok("create configmap kept");
  assert.equal(
    await server.ok("delete configmap kept --dry-run=server"),
    'configmap "kept" deleted from default namespace (server dry run)\n',
  );
  assert.equal(await server.ok("get configmap kept -o name"), "configmap/kept\n");
});

test("kubectl delete says what is not there", async () => {
  assert.equal(
    await server.refused("delete configmap absent"),
    'Error from server (NotFound): configmaps "absent" not found\n',
  );
  assert.equal(await server.ok("delete configmap absent --ignore-not-found"), "");
});

test("kubectl delete namespace leaves it terminating until it is finalized, and refuses new objects", async () => {
  await server.ok("create namespace ending");
  await server.ok("delete namespace ending --wait=false");
  assert.match(await server.ok("get namespace ending"), /^ending +Terminating /m);
  assert.equal(
    await server.refused("create configmap late -n ending"),
    'error: failed to create configmap: configmaps "late" is forbidden: unable to create new content in namespace ending because it is being terminated\n',
  );
  const space = await server.json("get namespace ending");
  const path = await server.file("finalize.json", { ...space, spec: { finalizers: [] } });
  await server.ok(`replace --raw /api/v1/namespaces/ending/finalize -f ${path}`);
  assert.match(await server.refused("get namespace ending"), /NotFound/);
  assert.equal(
    await server.refused("delete namespace kube-system"),
    'Error from server (Forbidden): namespaces "kube-system" is forbidden: this namespace may not be deleted\n',
  );
});
