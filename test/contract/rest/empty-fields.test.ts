/** Lists and maps that are empty: as upstream, an object has them only where leaving them out would say something else. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { at, configMap, NAMESPACED, pod, type Shown, startTestServer, type TestServer } from "./harness.ts";

const MAPS = `${NAMESPACED}/configmaps`;
const PODS = `${NAMESPACED}/pods`;
const MERGE = { "content-type": "application/merge-patch+json" };
const JSON_PATCH = { "content-type": "application/json-patch+json" };
const STRATEGIC = { "content-type": "application/strategic-merge-patch+json" };
const APPLY = { "content-type": "application/apply-patch+yaml" };

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

const shownOf = async (url: string): Promise<Shown> => (await server.get(url)).object;

test("what is empty is not stored where a list or map is optional, and is where a struct is", async () => {
  const metadata = { labels: {}, annotations: {}, finalizers: [], ownerReferences: [] };
  const container = { name: "main", image: "registry.k8s.io/pause:3.10", args: [], env: [], resources: {} };
  const spec = {
    automountServiceAccountToken: false,
    containers: [container],
    nodeSelector: {},
    volumes: [{ name: "scratch", emptyDir: {} }],
    topologySpreadConstraints: [],
    securityContext: {},
  };
  const created = await server.create(PODS, pod("empty", { metadata, spec }));
  const shown = await shownOf(`${PODS}/empty`);
  for (const object of [created, shown]) {
    for (const field of Object.keys(metadata)) {
      assert.equal(at(object, `metadata.${field}`), undefined, field);
    }
    assert.deepEqual(
      Object.keys(object.spec)
        .filter((name) => name in spec)
        .sort(),
      ["automountServiceAccountToken", "containers", "securityContext", "volumes"],
    );
    const [main] = object.spec.containers as Record<string, unknown>[];
    assert.deepEqual([main!.args, main!.env, main!.resources], [undefined, undefined, {}]);
    assert.deepEqual(at(object, "spec.volumes"), [{ name: "scratch", emptyDir: {} }]);
  }
  const [entry] = shown.metadata.managedFields ?? [];
  assert.doesNotMatch(JSON.stringify(entry?.fieldsV1), /f:(args|env|labels|nodeSelector|ownerReferences)"/);
});

test("what is empty goes when an update or a patch empties it", async () => {
  const full = { data: { a: "b" } };
  const made = await server.create(MAPS, configMap("emptied", full, { set: "emptied" }));
  const put = await server.ask("PUT", `${MAPS}/emptied`, { body: { ...made, data: {} } });
  assert.deepEqual([put.code, put.object.data], [200, undefined]);
  const same = await server.ask("PUT", `${MAPS}/emptied`, { body: { ...put.object, binaryData: {} } });
  assert.equal(same.object.metadata.resourceVersion, put.object.metadata.resourceVersion);
  const finalizers = ["example.com/hold"];
  for (const [headers, body] of [
    [JSON_PATCH, [{ op: "remove", path: "/metadata/finalizers/0" }]],
    [MERGE, { metadata: { finalizers: [] } }],
    [STRATEGIC, { metadata: { "$deleteFromPrimitiveList/finalizers": finalizers } }],
  ] as const) {
    const held = await server.ask("PATCH", `${MAPS}/emptied`, {
      headers: MERGE,
      body: { metadata: { finalizers } },
    });
    assert.deepEqual(held.object.metadata.finalizers, finalizers);
    const freed = await server.ask("PATCH", `${MAPS}/emptied`, { headers, body });
    assert.deepEqual([freed.code, freed.object.metadata.finalizers], [200, undefined], freed.text);
  }
});

test("what is empty is applied without being there, and once", async () => {
  const url = `${MAPS}/applied-empty?fieldManager=me`;
  const body = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: applied-empty, labels: {}}\ndata: {}\n";
  const first = await server.ask("PATCH", url, { headers: APPLY, body });
  assert.deepEqual([first.object.data, first.object.metadata.labels], [undefined, undefined]);
  const [entry] = first.object.metadata.managedFields ?? [];
  assert.deepEqual(entry?.fieldsV1, { "f:data": {}, "f:metadata": { "f:labels": {} } });
  const again = await server.ask("PATCH", url, { headers: APPLY, body });
  assert.equal(again.object.metadata.resourceVersion, first.object.metadata.resourceVersion);
});

test("what is empty stays where it is told apart from what is absent", async () => {
  const rules = {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "Role",
    metadata: { name: "none" },
    rules: [],
  };
  const roles = "/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles";
  assert.deepEqual(at(await server.create(roles, rules), "rules"), []);
  const scaler = {
    apiVersion: "autoscaling/v2",
    kind: "HorizontalPodAutoscaler",
    metadata: { name: "no-policies" },
    spec: {
      maxReplicas: 2,
      scaleTargetRef: { apiVersion: "apps/v1", kind: "Deployment", name: "any" },
      behavior: { scaleDown: { policies: [] } },
    },
  };
  const scalers = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers";
  const refused = await server.ask("POST", scalers, { body: scaler });
  assert.match(
    refused.object.message,
    /scaleDown.policies: Required value: must specify at least one Policy/,
  );
});
