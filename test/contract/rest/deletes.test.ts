/** delete and deletecollection: preconditions, propagation, grace, finalizers. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import {
  at,
  configMap,
  deployment,
  NAMESPACED,
  pod,
  startTestServer,
  statusOf,
  type TestServer,
} from "./harness.ts";

const MAPS = `${NAMESPACED}/configmaps`;
const PODS = `${NAMESPACED}/pods`;
const DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments";
const MERGE = { "content-type": "application/merge-patch+json" };

let server: TestServer;
before(async () => {
  server = await startTestServer();
  await server.create(`${NAMESPACED}/serviceaccounts`, {
    apiVersion: "v1",
    kind: "ServiceAccount",
    metadata: { name: "default" },
  });
});
after(() => server[Symbol.asyncDispose]());

const options = (more: object) => ({ kind: "DeleteOptions", apiVersion: "v1", ...more });

describe("delete", () => {
  test("of what is not there is NotFound for every kind of object", async () => {
    for (const [url, message] of [
      [`${MAPS}/none`, 'configmaps "none" not found'],
      [`${DEPLOYMENTS}/none`, 'deployments.apps "none" not found'],
      ["/api/v1/nodes/none", 'nodes "none" not found'],
      ["/apis/storage.k8s.io/v1/storageclasses/none", 'storageclasses.storage.k8s.io "none" not found'],
    ] as const) {
      const { code, object } = await server.ask("DELETE", url);
      assert.deepEqual([code, object.message], [404, message]);
    }
  });

  test("with preconditions that do not hold is a Conflict and deletes nothing", async () => {
    const made = await server.create(DEPLOYMENTS, deployment("guarded"));
    const { uid, resourceVersion } = made.metadata;
    const wrongUID = await server.ask("DELETE", `${DEPLOYMENTS}/guarded`, {
      body: options({ preconditions: { uid: "other" } }),
    });
    assert.deepEqual(statusOf(wrongUID), {
      kind: "Status",
      status: "Failure",
      reason: "Conflict",
      code: 409,
      message: `Operation cannot be fulfilled on Deployment.apps "guarded": the UID in the precondition (other) does not match the UID in record (${uid}). The object might have been deleted and then recreated`,
      details: { name: "guarded", group: "apps", kind: "Deployment" },
    });
    const wrongVersion = await server.ask("DELETE", `${DEPLOYMENTS}/guarded`, {
      body: options({ preconditions: { uid, resourceVersion: "1" } }),
    });
    assert.deepEqual(
      [wrongVersion.code, wrongVersion.object.message],
      [
        409,
        `Operation cannot be fulfilled on Deployment.apps "guarded": the ResourceVersion in the precondition (1) does not match the ResourceVersion in record (${resourceVersion}). The object might have been modified`,
      ],
    );
    const right = await server.ask("DELETE", `${DEPLOYMENTS}/guarded`, {
      body: options({ preconditions: { uid, resourceVersion } }),
    });
    assert.equal(right.code, 200);
    assert.equal((await server.get(`${DEPLOYMENTS}/guarded`)).code, 404);
  });

  const propagations: [what: string, asked: object, finalizers: string[] | undefined][] = [
    ["Foreground", { propagationPolicy: "Foreground" }, ["foregroundDeletion"]],
    ["Orphan", { propagationPolicy: "Orphan" }, ["orphan"]],
    ["Background", { propagationPolicy: "Background" }, undefined],
    ["orphanDependents true", { orphanDependents: true }, ["orphan"]],
    ["orphanDependents false", { orphanDependents: false }, undefined],
    ["nothing", {}, undefined],
  ];
  for (const [what, asked, finalizers] of propagations) {
    test(`with ${what} asked ${finalizers ? `leaves the work to the finalizer ${finalizers}` : "goes at once"}`, async () => {
      const name = what.toLowerCase().replace(/[^a-z]/g, "-");
      await server.create(DEPLOYMENTS, deployment(name));
      const { code, object } = await server.ask("DELETE", `${DEPLOYMENTS}/${name}`, { body: options(asked) });
      assert.equal(code, 200);
      const left = await server.get(`${DEPLOYMENTS}/${name}`);
      if (!finalizers) {
        assert.equal(object.kind, "Status");
        assert.equal(left.code, 404);
        return;
      }
      assert.deepEqual(object.metadata.finalizers, finalizers);
      assert.equal(object.metadata.deletionGracePeriodSeconds, 0);
      assert.deepEqual(left.object, object);
      assert.equal(left.object.metadata.generation, 2);
    });
  }

  test("takes its options from the query where there is no body", async () => {
    await server.create(DEPLOYMENTS, deployment("queried"));
    const { object } = await server.ask("DELETE", `${DEPLOYMENTS}/queried?propagationPolicy=Foreground`);
    assert.deepEqual(object.metadata.finalizers, ["foregroundDeletion"]);
    const second = await server.ask("DELETE", `${DEPLOYMENTS}/queried?propagationPolicy=Background`);
    assert.equal(second.object.kind, "Status");
    assert.equal((await server.get(`${DEPLOYMENTS}/queried`)).code, 404);
  });

  const refused: [asked: object, message: string][] = [
    [
      { propagationPolicy: "Sideways" },
      'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "Sideways": supported values: "Foreground", "Background", "Orphan", "nil"',
    ],
    [
      { propagationPolicy: "Orphan", orphanDependents: true },
      'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Invalid value: "Orphan": orphanDependents and deletionPropagation cannot be both set',
    ],
  ];
  for (const [asked, message] of refused) {
    test(`with ${JSON.stringify(asked)} is refused`, async () => {
      const { code, object } = await server.ask("DELETE", `${MAPS}/kube-root-ca.crt`, {
        body: options(asked),
      });
      assert.deepEqual([code, object.message], [422, message]);
    });
  }

  test("of an object that is being deleted already changes nothing", async () => {
    const made = configMap("twice");
    await server.create(MAPS, { ...made, metadata: { ...made.metadata, finalizers: ["example.com/wait"] } });
    const first = await server.ask("DELETE", `${MAPS}/twice`);
    server.clock.advance(5000);
    const second = await server.ask("DELETE", `${MAPS}/twice`);
    assert.deepEqual([second.code, second.object], [200, first.object]);
  });

  test("keeps finalizers from being added once it has begun", async () => {
    const { code, object } = await server.ask("PATCH", `${MAPS}/twice`, {
      headers: MERGE,
      body: { metadata: { finalizers: ["example.com/wait", "example.com/late"] } },
    });
    assert.equal(code, 422);
    assert.equal(
      object.message,
      'ConfigMap "twice" is invalid: metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"example.com/late"}',
    );
  });
});

describe("deletes of pods", () => {
  const bound = async (name: string, seconds = 30): Promise<void> => {
    await server.create(
      PODS,
      pod(name, { spec: { nodeName: "node-1", terminationGracePeriodSeconds: seconds } }),
    );
  };

  test("on a node wait for the grace period, which later ones can only shorten", async () => {
    await bound("graceful");
    const start = server.clock.now();
    const first = await server.ask("DELETE", `${PODS}/graceful`);
    assert.equal(first.code, 200);
    assert.equal(first.object.kind, "Pod");
    assert.equal(first.object.metadata.deletionGracePeriodSeconds, 30);
    assert.equal(Date.parse(first.object.metadata.deletionTimestamp ?? ""), start + 30_000);
    server.clock.advance(2000);
    const longer = await server.ask("DELETE", `${PODS}/graceful`, {
      body: options({ gracePeriodSeconds: 90 }),
    });
    assert.deepEqual([longer.code, longer.object], [200, first.object]);
    const again = await server.ask("DELETE", `${PODS}/graceful`);
    assert.deepEqual(again.object, first.object);
    const shorter = await server.ask("DELETE", `${PODS}/graceful`, {
      body: options({ gracePeriodSeconds: 10 }),
    });
    assert.equal(shorter.object.metadata.deletionGracePeriodSeconds, 10);
    assert.equal(Date.parse(shorter.object.metadata.deletionTimestamp ?? ""), start + 10_000);
    const zero = await server.ask("DELETE", `${PODS}/graceful?gracePeriodSeconds=0`);
    assert.equal(zero.code, 200);
    assert.equal((await server.get(`${PODS}/graceful`)).code, 404);
  });

  test("that are under way keep the propagation policy they began with", async () => {
    await bound("policy");
    const first = await server.ask("DELETE", `${PODS}/policy?propagationPolicy=Foreground`);
    assert.deepEqual(first.object.metadata.finalizers, ["foregroundDeletion"]);
    const second = await server.ask("DELETE", `${PODS}/policy?propagationPolicy=Orphan`);
    assert.deepEqual([second.code, second.object], [200, first.object]);
  });

  test("on no node go at once, and the answer is the pod", async () => {
    const made = await server.create(PODS, pod("unbound"));
    const { resourceVersion } = made.metadata;
    const watch = server.watch(
      `${PODS}?watch=true&fieldSelector=metadata.name%3Dunbound&resourceVersion=${resourceVersion}`,
    );
    const { code, object } = await server.ask("DELETE", `${PODS}/unbound`);
    assert.deepEqual([code, object.kind, object.metadata.name], [200, "Pod", "unbound"]);
    assert.ok(Number(object.metadata.resourceVersion) > Number(resourceVersion));
    assert.deepEqual({ ...object, metadata: { ...object.metadata, resourceVersion } }, made);
    assert.deepEqual(await watch.next(), { type: "DELETED", object });
    watch.close();
    assert.equal((await server.get(`${PODS}/unbound`)).code, 404);
  });

  test("with a negative grace period wait for one second", async () => {
    await bound("negative");
    const { object } = await server.ask("DELETE", `${PODS}/negative`, {
      body: options({ gracePeriodSeconds: -5 }),
    });
    assert.equal(object.metadata.deletionGracePeriodSeconds, 1);
  });

  test("that have ended go at once", async () => {
    await bound("ended");
    await server.ask("PATCH", `${PODS}/ended/status`, {
      headers: MERGE,
      body: { status: { phase: "Succeeded" } },
    });
    await server.ask("DELETE", `${PODS}/ended`);
    assert.equal((await server.get(`${PODS}/ended`)).code, 404);
  });

  test("with finalizers outlive a grace period of zero", async () => {
    const made = pod("finalized", {
      metadata: { finalizers: ["example.com/log"] },
      spec: { nodeName: "node-1" },
    });
    await server.create(PODS, made);
    await server.ask("DELETE", `${PODS}/finalized?gracePeriodSeconds=0`);
    const left = await server.get(`${PODS}/finalized`);
    assert.equal(left.object.metadata.deletionGracePeriodSeconds, 0);
    await server.ask("PATCH", `${PODS}/finalized`, {
      headers: MERGE,
      body: { metadata: { finalizers: null } },
    });
    assert.equal((await server.get(`${PODS}/finalized`)).code, 404);
  });

  test("whose finalizers go during the grace period stay to its end", async () => {
    const made = pod("waiting", {
      metadata: { finalizers: ["example.com/log"] },
      spec: { nodeName: "node-1" },
    });
    await server.create(PODS, made);
    await server.ask("DELETE", `${PODS}/waiting`);
    await server.ask("PATCH", `${PODS}/waiting`, {
      headers: MERGE,
      body: { metadata: { finalizers: null } },
    });
    assert.equal((await server.get(`${PODS}/waiting`)).code, 200);
    await server.ask("DELETE", `${PODS}/waiting?gracePeriodSeconds=0`);
    assert.equal((await server.get(`${PODS}/waiting`)).code, 404);
  });
});

describe("deletecollection", () => {
  test("deletes what the selectors let through, with the options of each delete", async () => {
    for (const name of ["c-1", "c-2"]) {
      const made = deployment(name);
      await server.create(DEPLOYMENTS, { ...made, metadata: { name, labels: { set: "c" } } });
    }
    const { code, object } = await server.ask("DELETE", `${DEPLOYMENTS}?labelSelector=set%3Dc`, {
      body: options({ propagationPolicy: "Orphan" }),
    });
    assert.equal(code, 200);
    assert.equal(object.kind, "DeploymentList");
    assert.deepEqual(
      object.items.map(({ metadata }) => metadata.finalizers),
      [["orphan"], ["orphan"]],
    );
    const one = await server.ask(
      "DELETE",
      `${DEPLOYMENTS}?fieldSelector=metadata.name%3Dc-1&propagationPolicy=Background`,
    );
    assert.equal(one.object.items.length, 1);
    assert.equal((await server.get(`${DEPLOYMENTS}/c-1`)).code, 404);
    assert.equal((await server.get(`${DEPLOYMENTS}/c-2`)).code, 200);
  });

  test("is not there for namespaces and services' parents that upstream does without", async () => {
    const { code, object } = await server.ask("DELETE", "/api/v1/namespaces");
    assert.deepEqual(
      [code, object.reason, object.message],
      [405, "MethodNotAllowed", "the server does not allow this method on the requested resource"],
    );
  });
});

describe("namespaces", () => {
  test("end when finalize takes the last finalizer of their spec away", async () => {
    const made = await server.create("/api/v1/namespaces", {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "done" },
    });
    assert.deepEqual(made.spec.finalizers, ["kubernetes"]);
    assert.equal(made.metadata.labels?.["kubernetes.io/metadata.name"], "done");
    const { object } = await server.ask("DELETE", "/api/v1/namespaces/done");
    assert.equal(at(object, "status.phase"), "Terminating");
    const body = { ...object, spec: { finalizers: [] } };
    const finalized = await server.ask("PUT", "/api/v1/namespaces/done/finalize", { body });
    assert.equal(finalized.code, 200);
    assert.equal((await server.get("/api/v1/namespaces/done")).code, 404);
  });

  test("that the cluster needs cannot be deleted", async () => {
    for (const name of ["default", "kube-system", "kube-public"]) {
      const { code, object } = await server.ask("DELETE", `/api/v1/namespaces/${name}`);
      assert.deepEqual(
        [code, object.message],
        [403, `namespaces "${name}" is forbidden: this namespace may not be deleted`],
      );
    }
  });
});
