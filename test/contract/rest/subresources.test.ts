/** scale, binding, eviction, events in both groups, autoscaling's two versions, service addresses, quotas and limits. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { at, deployment, NAMESPACED, pod, startTestServer, type TestServer } from "./harness.ts";

const PODS = `${NAMESPACED}/pods`;
const SERVICES = `${NAMESPACED}/services`;
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

describe("scale", () => {
  const scaled = [
    ["deployments", "Deployment"],
    ["replicasets", "ReplicaSet"],
    ["statefulsets", "StatefulSet"],
  ] as const;
  for (const [plural, kind] of scaled) {
    test(`of ${plural} is read, put and patched`, async () => {
      const url = `/apis/apps/v1/namespaces/default/${plural}`;
      const made = await server.create(url, { ...deployment("scaled", 2), kind });
      const { object: scale } = await server.get(`${url}/scaled/scale`);
      assert.deepEqual([scale.kind, scale.apiVersion], ["Scale", "autoscaling/v1"]);
      assert.deepEqual(scale.spec, { replicas: 2 });
      assert.deepEqual(scale.status, { replicas: 0, selector: "app=scaled" });
      const { uid, resourceVersion, creationTimestamp } = made.metadata;
      assert.deepEqual(scale.metadata, {
        name: "scaled",
        namespace: "default",
        uid,
        resourceVersion,
        creationTimestamp,
      });
      const put = await server.ask("PUT", `${url}/scaled/scale`, {
        body: { ...scale, spec: { replicas: 5 } },
      });
      assert.deepEqual([put.code, put.object.spec], [200, { replicas: 5 }], put.text);
      const late = await server.ask("PUT", `${url}/scaled/scale`, {
        body: { ...scale, spec: { replicas: 6 } },
      });
      assert.equal(late.code, 409);
      const renamed = { ...put.object, metadata: { ...put.object.metadata, name: "other" } };
      const other = await server.ask("PUT", `${url}/scaled/scale`, { body: renamed });
      assert.deepEqual(
        [other.code, other.object.message],
        [400, "the name of the object (other) does not match the name on the URL (scaled)"],
      );
      const patched = await server.ask("PATCH", `${url}/scaled/scale`, {
        headers: MERGE,
        body: { spec: { replicas: 0 } },
      });
      assert.equal(patched.code, 200);
      const { object } = await server.get(`${url}/scaled`);
      assert.deepEqual([object.spec.replicas, object.metadata.generation], [0, 3]);
      const negative = await server.ask("PATCH", `${url}/scaled/scale`, {
        headers: MERGE,
        body: { spec: { replicas: -1 } },
      });
      assert.deepEqual(
        [negative.code, negative.object.message],
        [
          422,
          'Scale.autoscaling "scaled" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
        ],
      );
    });
  }

  test("of a missing deployment is NotFound, and there is none of a pod", async () => {
    assert.equal((await server.get(`${DEPLOYMENTS}/none/scale`)).code, 404);
    await server.create(PODS, pod("no-scale"));
    const { code, object } = await server.get(`${PODS}/no-scale/scale`);
    assert.deepEqual([code, object.message], [404, "the server could not find the requested resource"]);
  });
});

describe("binding", () => {
  const binding = (name: string, node: string) => ({
    apiVersion: "v1",
    kind: "Binding",
    metadata: { name, annotations: { by: "scheduler" } },
    target: { kind: "Node", name: node },
  });

  test("gives a pod its node once", async () => {
    await server.create(PODS, pod("bind"));
    const bound = await server.ask("POST", `${PODS}/bind/binding`, { body: binding("bind", "n-1") });
    assert.equal(bound.code, 201, bound.text);
    assert.deepEqual([bound.object.kind, bound.object.status], ["Status", "Success"]);
    const { object } = await server.get(`${PODS}/bind`);
    assert.equal(object.spec.nodeName, "n-1");
    assert.equal(object.metadata.annotations?.by, "scheduler");
    const scheduled = (at(object, "status.conditions") as { type: string; status: string }[]).find(
      ({ type }) => type === "PodScheduled",
    );
    assert.equal(scheduled?.status, "True");
    const again = await server.ask("POST", `${PODS}/bind/binding`, { body: binding("bind", "n-2") });
    assert.deepEqual(
      [again.code, again.object.message],
      [
        409,
        'Operation cannot be fulfilled on pods/binding "bind": pod bind is already assigned to node "n-1"',
      ],
    );
  });

  test("through the bindings of the namespace does the same", async () => {
    await server.create(PODS, pod("bind-2"));
    const bound = await server.ask("POST", `${NAMESPACED}/bindings`, { body: binding("bind-2", "n-1") });
    assert.equal(bound.code, 201, bound.text);
    assert.equal((await server.get(`${PODS}/bind-2`)).object.spec.nodeName, "n-1");
  });
});

describe("eviction", () => {
  const evict = (name: string, more = {}) =>
    server.ask("POST", `${PODS}/${name}/eviction`, {
      body: { apiVersion: "policy/v1", kind: "Eviction", metadata: { name, namespace: "default" }, ...more },
    });

  test("deletes a pod that no budget keeps", async () => {
    await server.create(PODS, pod("evicted"));
    const { code, object } = await evict("evicted");
    assert.deepEqual([code, object.kind, object.status], [201, "Status", "Success"]);
    assert.equal((await server.get(`${PODS}/evicted`)).code, 404);
  });

  test("may be written in v1beta1, as old clients do, and in no other version", async () => {
    await server.create(PODS, pod("old-client"));
    const other = await evict("old-client", { apiVersion: "policy/v1beta2" });
    assert.deepEqual([other.code, other.object.reason], [400, "BadRequest"]);
    assert.equal((await evict("old-client", { apiVersion: "policy/v1beta1" })).code, 201);
    assert.equal((await server.get(`${PODS}/old-client`)).code, 404);
  });

  test("of another pod than the path's, or of none, is refused", async () => {
    await server.create(PODS, pod("here"));
    const body = { apiVersion: "policy/v1", kind: "Eviction", metadata: { name: "there" } };
    const other = await server.ask("POST", `${PODS}/here/eviction`, { body });
    assert.deepEqual(
      [other.code, other.object.message],
      [400, "name in URL does not match name in Eviction object"],
    );
    const none = await evict("nobody");
    assert.deepEqual([none.code, none.object.message], [404, 'pods "nobody" not found']);
  });

  test("waits for a disruption budget that allows none", async () => {
    const budgets = "/apis/policy/v1/namespaces/default/poddisruptionbudgets";
    await server.create(budgets, {
      apiVersion: "policy/v1",
      kind: "PodDisruptionBudget",
      metadata: { name: "keep" },
      spec: { minAvailable: 1, selector: { matchLabels: { app: "kept" } } },
    });
    const made = pod("kept", { metadata: { labels: { app: "kept" } }, spec: { nodeName: "n-1" } });
    await server.create(PODS, made);
    await server.ask("PATCH", `${PODS}/kept/status`, {
      headers: MERGE,
      body: { status: { phase: "Running", conditions: [{ type: "Ready", status: "True" }] } },
    });
    await server.ask("PATCH", `${budgets}/keep/status`, {
      headers: MERGE,
      body: {
        status: {
          observedGeneration: 1,
          disruptionsAllowed: 0,
          currentHealthy: 1,
          desiredHealthy: 1,
          expectedPods: 1,
        },
      },
    });
    const { code, object } = await evict("kept");
    assert.deepEqual(
      [code, object.reason, object.message],
      [429, "TooManyRequests", "Cannot evict pod as it would violate the pod's disruption budget."],
    );
    const { causes } = object.details as { causes: { reason: string; message: string }[] };
    assert.deepEqual(causes, [
      {
        reason: "DisruptionBudget",
        message: "The disruption budget keep needs 1 healthy pods and has 1 currently",
      },
    ]);
    assert.equal((await server.get(`${PODS}/kept`)).code, 200);
    await server.ask("PATCH", `${budgets}/keep/status`, {
      headers: MERGE,
      body: { status: { disruptionsAllowed: 1 } },
    });
    assert.equal((await evict("kept")).code, 201);
    assert.equal(at((await server.get(`${budgets}/keep`)).object, "status.disruptionsAllowed"), 0);
  });
});

describe("kinds with two faces", () => {
  test("an event of either group is one object", async () => {
    const core = await server.create(`${NAMESPACED}/events`, {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: "event.1", namespace: "default" },
      involvedObject: { kind: "Pod", namespace: "default", name: "p", apiVersion: "v1" },
      reason: "Testing",
      message: "a text",
      type: "Normal",
      count: 2,
    });
    const url = "/apis/events.k8s.io/v1/namespaces/default/events";
    const { object } = await server.get(`${url}/event.1`);
    assert.deepEqual(
      [
        object.apiVersion,
        object.metadata.uid,
        at(object, "regarding.name"),
        at(object, "note"),
        at(object, "deprecatedCount"),
      ],
      ["events.k8s.io/v1", core.metadata.uid, "p", "a text", 2],
    );
    const selected = await server.get(`${url}?fieldSelector=regarding.name%3Dp`);
    assert.equal(selected.object.items.length, 1);
    const also = await server.get(`${NAMESPACED}/events?fieldSelector=involvedObject.name%3Dp`);
    assert.equal(also.object.items.length, 1);
    const watch = server.watch(`${url}?watch=true&resourceVersion=${core.metadata.resourceVersion}`);
    await server.ask("PATCH", `${NAMESPACED}/events/event.1`, { headers: MERGE, body: { count: 3 } });
    const { type, object: told } = await watch.next();
    watch.close();
    assert.deepEqual(
      [type, told.apiVersion, at(told, "deprecatedCount")],
      ["MODIFIED", "events.k8s.io/v1", 3],
    );
  });

  test("an autoscaler of version 1 is one of version 2, and back", async () => {
    const v1 = "/apis/autoscaling/v1/namespaces/default/horizontalpodautoscalers";
    const v2 = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers";
    const scaleTargetRef = { kind: "Deployment", name: "d", apiVersion: "apps/v1" };
    const made = await server.create(v1, {
      apiVersion: "autoscaling/v1",
      kind: "HorizontalPodAutoscaler",
      metadata: { name: "hpa" },
      spec: { scaleTargetRef, maxReplicas: 4, targetCPUUtilizationPercentage: 60 },
    });
    assert.deepEqual([made.apiVersion, made.spec.targetCPUUtilizationPercentage], ["autoscaling/v1", 60]);
    const { object } = await server.get(`${v2}/hpa`);
    assert.equal(object.apiVersion, "autoscaling/v2");
    assert.deepEqual(object.spec.metrics, [
      {
        type: "Resource",
        resource: { name: "cpu", target: { type: "Utilization", averageUtilization: 60 } },
      },
    ]);
    const metrics = [
      ...(object.spec.metrics as object[]),
      {
        type: "Resource",
        resource: { name: "memory", target: { type: "AverageValue", averageValue: "1Gi" } },
      },
    ];
    const put = await server.ask("PUT", `${v2}/hpa`, {
      body: { ...object, spec: { ...object.spec, metrics } },
    });
    assert.equal(put.code, 200, put.text);
    const back = await server.get(`${v1}/hpa`);
    assert.equal(back.object.spec.targetCPUUtilizationPercentage, 60);
    const again = await server.ask("PUT", `${v1}/hpa`, { body: back.object });
    assert.equal(again.object.metadata.resourceVersion, put.object.metadata.resourceVersion, again.text);
    assert.equal(((await server.get(`${v2}/hpa`)).object.spec.metrics as object[]).length, 2);
  });
});

describe("services", () => {
  const service = (name: string, spec: object = {}) => ({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name },
    spec: { ports: [{ port: 80 }], ...spec },
  });

  test("get addresses of their own, keep them, and give them back", async () => {
    const made = await Promise.all(
      Array.from({ length: 20 }, (_, i) => server.create(SERVICES, service(`s-${i}`))),
    );
    const addresses = new Set(made.map(({ spec }) => spec.clusterIP as string));
    assert.equal(addresses.size, 20);
    for (const address of addresses) assert.match(address, /^10\.(9[6-9]|10\d|11[01])\./);
    assert.deepEqual(made[0]!.spec.clusterIPs, [made[0]!.spec.clusterIP]);
    const wanted = made[0]!.spec.clusterIP;
    const taken = await server.ask("POST", SERVICES, { body: service("taken", { clusterIP: wanted }) });
    assert.equal(taken.code, 422);
    assert.equal(
      taken.object.message,
      `Service "taken" is invalid: spec.clusterIPs: Invalid value: ["${wanted}"]: failed to allocate IP ${wanted}: provided IP is already allocated`,
    );
    const changed = await server.ask("PATCH", `${SERVICES}/s-1`, {
      headers: MERGE,
      body: { spec: { clusterIP: "10.96.77.7" } },
    });
    assert.equal(changed.code, 422);
    assert.match(changed.object.message, /spec.clusterIPs\[0\]: .*: may not change once set$/);
    await server.ask("DELETE", `${SERVICES}/s-0`);
    const again = await server.create(SERVICES, service("taken", { clusterIP: wanted }));
    assert.equal(again.spec.clusterIP, wanted);
  });

  test("of type NodePort get ports of their own, and give them back", async () => {
    const first = await server.create(SERVICES, service("np-1", { type: "NodePort" }));
    const port = at(first, "spec.ports.0.nodePort") as number;
    assert.ok(port >= 30000 && port <= 32767);
    const ports = [{ port: 80, nodePort: port }];
    const taken = await server.ask("POST", SERVICES, { body: service("np-2", { type: "NodePort", ports }) });
    assert.equal(taken.code, 422);
    assert.equal(
      taken.object.message,
      `Service "np-2" is invalid: spec.ports[0].nodePort: Invalid value: ${port}: provided port is already allocated`,
    );
    const outside = await server.ask("POST", SERVICES, {
      body: service("np-3", { type: "NodePort", ports: [{ port: 80, nodePort: 80 }] }),
    });
    assert.equal(outside.code, 422);
    assert.match(
      outside.object.message,
      /provided port is not in the valid range. The range of valid ports is 30000-32767/,
    );
    const inside = await server.ask("PATCH", `${SERVICES}/np-1`, {
      headers: MERGE,
      body: { spec: { type: "ClusterIP" } },
    });
    assert.equal(inside.code, 200, inside.text);
    assert.equal(at(inside.object, "spec.ports.0.nodePort"), undefined);
    const free = await server.create(SERVICES, service("np-2", { type: "NodePort", ports }));
    assert.equal(at(free, "spec.ports.0.nodePort"), port);
  });

  test("that fail, or are only tried, leave nothing reserved", async () => {
    const clusterIP = "10.96.200.200";
    const dry = await server.ask("POST", `${SERVICES}?dryRun=All`, { body: service("dry", { clusterIP }) });
    assert.equal(dry.code, 201, dry.text);
    const failed = await server.ask("POST", SERVICES, { body: service("np-1", { clusterIP }) });
    assert.equal(failed.code, 409);
    assert.equal((await server.create(SERVICES, service("real", { clusterIP }))).spec.clusterIP, clusterIP);
  });

  test("without an address or by name take none", async () => {
    const headless = await server.create(SERVICES, service("headless", { clusterIP: "None" }));
    assert.equal(headless.spec.clusterIP, "None");
    const named = await server.create(
      SERVICES,
      service("named", { type: "ExternalName", externalName: "example.com" }),
    );
    assert.equal(named.spec.clusterIP, undefined);
  });
});

describe("quotas and limits", () => {
  const space = "/api/v1/namespaces/bounded";
  before(async () => {
    await server.create("/api/v1/namespaces", {
      apiVersion: "v1",
      kind: "Namespace",
      metadata: { name: "bounded" },
    });
    await server.create(`${space}/serviceaccounts`, {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name: "default" },
    });
  });

  test("a LimitRange gives containers their defaults and refuses what is beyond", async () => {
    await server.create(`${space}/limitranges`, {
      apiVersion: "v1",
      kind: "LimitRange",
      metadata: { name: "limits" },
      spec: {
        limits: [
          { type: "Container", default: { cpu: "200m" }, defaultRequest: { cpu: "100m" }, max: { cpu: "1" } },
        ],
      },
    });
    const made = await server.create(`${space}/pods`, pod("limited"));
    assert.deepEqual(at(made, "spec.containers.0.resources"), {
      limits: { cpu: "200m" },
      requests: { cpu: "100m" },
    });
    const containers = [{ name: "main", image: "i", resources: { limits: { cpu: "2" } } }];
    const { code, object } = await server.ask("POST", `${space}/pods`, {
      body: pod("large", { spec: { containers } }),
    });
    assert.deepEqual(
      [code, object.message],
      [403, 'pods "large" is forbidden: maximum cpu usage per Container is 1, but limit is 2'],
    );
  });

  test("a ResourceQuota refuses what goes beyond it", async () => {
    const quota = await server.create(`${space}/resourcequotas`, {
      apiVersion: "v1",
      kind: "ResourceQuota",
      metadata: { name: "quota" },
      spec: { hard: { configmaps: "2" } },
    });
    const status = { hard: { configmaps: "2" }, used: { configmaps: "1" } };
    const put = await server.ask("PUT", `${space}/resourcequotas/quota/status`, {
      body: { ...quota, status },
    });
    assert.equal(put.code, 200, put.text);
    await server.create(`${space}/configmaps`, {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { name: "one" },
    });
    const { code, object } = await server.ask("POST", `${space}/configmaps`, {
      body: { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "two" } },
    });
    assert.deepEqual(
      [code, object.message],
      [
        403,
        'configmaps "two" is forbidden: exceeded quota: quota, requested: configmaps=1, used: configmaps=2, limited: configmaps=2',
      ],
    );
    assert.equal(
      at((await server.get(`${space}/resourcequotas/quota`)).object, "status.used.configmaps"),
      "2",
    );
  });
});
