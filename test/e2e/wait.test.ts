import assert from "node:assert/strict";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { startServer } from "./server.ts";

const server = await startServer();

test("kubectl wait --for condition, jsonpath, create and delete", async () => {
  const created = server.ok("wait --for create deployment/web --timeout 60s");
  await server.ok("create deployment web --image app:1");
  assert.equal(await created, "deployment.apps/web condition met\n");

  const available = server.ok("wait --for condition=Available deployment/web --timeout 60s");
  const replicas = server.ok("wait --for jsonpath={.status.readyReplicas}=1 deployment/web --timeout 60s");
  const condition = { type: "Available", status: "True", lastTransitionTime: null, lastUpdateTime: null };
  const status = { conditions: [condition], replicas: 1, readyReplicas: 1, availableReplicas: 1 };
  await server.ok(
    `patch deployment web --subresource status --type merge -p '${JSON.stringify({ status })}'`,
  );
  assert.equal(await available, "deployment.apps/web condition met\n");
  assert.equal(await replicas, "deployment.apps/web condition met\n");

  const gone = server.ok("wait --for delete deployment/web --timeout 60s");
  await server.ok("delete deployment web");
  // Where the object was gone before the wait began, kubectl says nothing.
  assert.match(await gone, /^(deployment\.apps\/web condition met\n)?$/);
});

test("kubectl wait ends with an error when the time is over", async () => {
  await server.ok("create configmap still");
  assert.match(
    await server.refused("wait --for jsonpath={.data.x}=y configmap/still --timeout 100ms"),
    /^error: (timed out waiting for the condition on configmaps\/still|.*x is not found.*)\n$/,
  );
});

test("kubectl rollout status follows a deployment to its end", async () => {
  await server.ok("create deployment rolled --image app:1");
  const rolled = server.ok("rollout status deployment/rolled --timeout 60s");
  const status = {
    observedGeneration: 1,
    replicas: 1,
    updatedReplicas: 1,
    readyReplicas: 1,
    availableReplicas: 1,
  };
  await server.ok(
    `patch deployment rolled --subresource status --type merge -p '${JSON.stringify({ status })}'`,
  );
  assert.match(await rolled, /deployment "rolled" successfully rolled out\n$/);
});

test("kubectl drain evicts pods and keeps those a budget protects", async () => {
  await server.ok("create serviceaccount default");
  await server.ok("create -f -", { input: { apiVersion: "v1", kind: "Node", metadata: { name: "node-a" } } });
  for (const name of ["free", "guarded"]) {
    const spec = {
      nodeName: "node-a",
      terminationGracePeriodSeconds: 0,
      containers: [{ name: "a", image: "a" }],
    };
    const input = { apiVersion: "v1", kind: "Pod", metadata: { name, labels: { name } }, spec };
    await server.ok("create -f -", { input });
    const ready = { phase: "Running", conditions: [{ type: "Ready", status: "True" }] };
    await server.ok(`patch pod ${name} --subresource status -p '${JSON.stringify({ status: ready })}'`);
  }
  await server.ok("create pdb guard --selector name=guarded --min-available 1");
  const budget = {
    observedGeneration: 1,
    disruptionsAllowed: 0,
    currentHealthy: 1,
    desiredHealthy: 1,
    expectedPods: 1,
  };
  await server.ok(
    `patch pdb guard --subresource status --type merge -p '${JSON.stringify({ status: budget })}'`,
  );
  const drain = server.spawnKubectl("drain node-a --force");
  const ended = once(drain, "close");
  const refusal =
    /error when evicting pods\/"guarded".*: Cannot evict pod as it would violate the pod's disruption budget\./;
  for await (const line of createInterface({ input: drain.stderr! })) if (refusal.test(line)) break;
  await server.ok(`wait pod free --for=delete --timeout 60s`);
  assert.equal(await server.ok("get pods -o name"), "pod/guarded\n");
  assert.equal(drain.exitCode, null, "it asks again until it may");
  await server.ok("delete pdb guard");
  drain.stderr!.resume();
  drain.stdout!.resume();
  assert.deepEqual(await ended, [0, null]);
  assert.equal(await server.ok("get pods -o name"), "");
});
