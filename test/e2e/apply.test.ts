import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { type KubeObject, startServer } from "./server.ts";

const server = await startServer();

const LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration";

function configMap(name: string, data: Record<string, string>, labels?: Record<string, string>) {
  return { apiVersion: "v1", kind: "ConfigMap", metadata: { name, labels }, data };
}

function deployment(name: string, containers: object[], replicas?: number) {
  const labels = { app: name };
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name },
    spec: {
      replicas,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec: { containers } },
    },
  };
}

interface PodSpec {
  containers: { name: string; image: string; env?: unknown[]; ports?: unknown[] }[];
}

function podSpec({ spec }: KubeObject): PodSpec {
  return (spec.template as { spec: PodSpec }).spec;
}

const apply = (input: object, flags = "") => server.ok(`apply -f - ${flags}`, { input });

function managers({ metadata }: KubeObject): string[] {
  return metadata.managedFields.map(({ manager, operation }) => `${manager} ${operation}`);
}

test("kubectl apply creates, leaves, configures and removes what is gone from the file", async () => {
  assert.equal(await apply(configMap("one", { a: "1", b: "2" })), "configmap/one created\n");
  assert.equal(await apply(configMap("one", { a: "1", b: "2" })), "configmap/one unchanged\n");
  await server.ok(`patch configmap one -p '{"data":{"other":"kept"}}'`);
  assert.equal(await apply(configMap("one", { a: "3" })), "configmap/one configured\n");
  const { data, metadata } = await server.json("get configmap one");
  assert.deepEqual(data, { a: "3", other: "kept" });
  assert.deepEqual(JSON.parse(metadata.annotations[LAST_APPLIED]!).data, { a: "3" });
});

test("kubectl apply merges lists by their keys", async () => {
  const proxy = { name: "proxy", image: "proxy:1", ports: [{ containerPort: 1 }, { containerPort: 2 }] };
  await apply(deployment("web", [{ name: "app", image: "app:1", env: [{ name: "A", value: "a" }] }, proxy]));
  await server.ok("set env deployment/web -c app B=b");
  const later = [{ name: "app", image: "app:2", env: [{ name: "A", value: "c" }] }];
  assert.equal(await apply(deployment("web", later)), "deployment.apps/web configured\n");
  const made = await server.json("get deployment web");
  const { containers } = podSpec(made);
  assert.deepEqual(
    containers.map(({ name, image }) => `${name}=${image}`),
    ["app=app:2"],
  );
  assert.deepEqual(containers[0]!.env, [
    { name: "A", value: "c" },
    { name: "B", value: "b" },
  ]);
  assert.equal(made.metadata.generation, 3);
});

test("kubectl apply --server-side tracks who set what", async () => {
  const said = await apply(configMap("shared", { a: "1" }), "--server-side --field-manager alpha");
  assert.equal(said, "configmap/shared serverside-applied\n");
  await apply(configMap("shared", { b: "2" }), "--server-side --field-manager beta");
  const both = await server.json("get configmap shared --show-managed-fields");
  assert.deepEqual(both.data, { a: "1", b: "2" });
  assert.deepEqual(managers(both), ["alpha Apply", "beta Apply"]);
  assert.deepEqual(both.metadata.managedFields[0]!.fieldsV1, { "f:data": { "f:a": {} } });
  assert.equal(both.metadata.annotations, undefined);
  await apply(configMap("shared", {}), "--server-side --field-manager alpha");
  assert.deepEqual((await server.json("get configmap shared")).data, { b: "2" });
});

test("kubectl apply --server-side refuses another manager's field until forced", async () => {
  await apply(configMap("contested", { a: "1" }), "--server-side --field-manager alpha");
  const input = configMap("contested", { a: "2" });
  const text = await server.refused("apply -f - --server-side --field-manager beta", { input });
  assert.match(text, /^error: Apply failed with 1 conflict: conflict with "alpha": \.data\.a\n/);
  await apply(input, "--server-side --field-manager beta --force-conflicts");
  const taken = await server.json("get configmap contested --show-managed-fields");
  assert.deepEqual(taken.data, { a: "2" });
  assert.deepEqual(managers(taken), ["beta Apply"]);
});

test("kubectl apply --server-side tells the conflicts with an update by their time and version", async () => {
  await apply(deployment("scaled", [{ name: "app", image: "app:1" }], 1), "--server-side");
  await server.ok("set image deployment/scaled app=app:2");
  const input = deployment("scaled", [{ name: "app", image: "app:1" }], 1);
  const text = await server.refused("apply -f - --server-side", { input });
  assert.match(
    text,
    /^error: Apply failed with 1 conflict: conflict with "kubectl-set" using apps\/v1: \.spec\.template\.spec\.containers\[name="app"\]\.image\n/,
  );
});

test("kubectl apply --server-side takes over from client-side apply", async () => {
  await apply(deployment("moved", [{ name: "app", image: "app:1", env: [{ name: "A", value: "a" }] }]));
  const without = deployment("moved", [{ name: "app", image: "app:1" }]);
  await apply(without, "--server-side");
  const moved = await server.json("get deployment moved --show-managed-fields");
  assert.equal(podSpec(moved).containers[0]!.env, undefined);
  assert.deepEqual(managers(moved), ["kubectl Apply", "kubectl-last-applied Apply"]);
  assert.ok(moved.metadata.annotations[LAST_APPLIED]);
  assert.equal(await apply(without), "deployment.apps/moved configured\n");
});

test("kubectl apply --prune deletes what is gone from the files", async () => {
  const list = (...items: object[]) => ({ apiVersion: "v1", kind: "List", items });
  const one = configMap("prune-one", { a: "1" }, { set: "p" });
  const two = configMap("prune-two", { a: "1" }, { set: "p" });
  const flags = "--prune -l set=p --prune-allowlist core/v1/ConfigMap";
  await apply(list(one, two), flags);
  assert.equal(await apply(list(two), flags), "configmap/prune-two unchanged\nconfigmap/prune-one pruned\n");
  assert.equal(await server.ok("get configmaps -l set=p -o name"), "configmap/prune-two\n");
});

test("kubectl apply --prune with an apply set remembers what it made", async () => {
  const env = { KUBECTL_APPLYSET: "true" };
  const list = (...items: object[]) => ({ apiVersion: "v1", kind: "List", items });
  const run = (...items: object[]) =>
    server.ok("apply -n default -f - --prune --applyset set-one", { input: list(...items), env });
  await run(configMap("set-a", { a: "1" }), configMap("set-b", { a: "1" }));
  assert.equal(
    await run(configMap("set-b", { a: "1" })),
    "configmap/set-b unchanged\nconfigmap/set-a pruned\n",
  );
});

test("kubectl apply --dry-run=server answers and keeps nothing", async () => {
  assert.equal(
    await apply(configMap("dry", { a: "1" }), "--dry-run=server"),
    "configmap/dry created (server dry run)\n",
  );
  assert.match(await server.refused("get configmap dry"), /NotFound/);
  const said = await apply(configMap("dry", { a: "1" }), "--server-side --dry-run=server");
  assert.equal(said, "configmap/dry serverside-applied (server dry run)\n");
  assert.match(await server.refused("get configmap dry"), /NotFound/);
});

test("kubectl apply view-last-applied and set-last-applied", async () => {
  await apply(configMap("view", { a: "1" }));
  const viewed = JSON.parse(await server.ok("apply view-last-applied configmap/view -o json"));
  assert.deepEqual(viewed.data, { a: "1" });
  const path = await server.file("view.json", configMap("view", { a: "2" }));
  assert.equal(await server.ok(`apply set-last-applied -f ${path}`), "configmap/view configured\n");
  const { metadata, data } = await server.json("get configmap view");
  assert.deepEqual(data, { a: "1" });
  assert.deepEqual(JSON.parse(metadata.annotations[LAST_APPLIED]!).data, { a: "2" });
});

test("kubectl apply reads YAML with several documents", async () => {
  const input = `apiVersion: v1
kind: ConfigMap
metadata: {name: first}
data: {text: |-
  x}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: second
`.replace("|-\n  x", '"x"');
  assert.equal(
    await server.ok("apply -f -", { input }),
    "configmap/first created\nconfigmap/second created\n",
  );
});

test("kubectl apply -k builds a kustomization", async () => {
  await server.file(
    "kustomization.yaml",
    "configMapGenerator:\n- name: built\n  literals: [a=b]\nnamePrefix: my-\n",
  );
  assert.match(await server.ok(`apply -k ${server.directory}`), /^configmap\/my-built-\w+ created\n$/);
});

test("kubectl diff shows what apply would change, and ends with 1", async () => {
  await apply(deployment("differs", [{ name: "app", image: "app:1" }]));
  const same = deployment("differs", [{ name: "app", image: "app:1" }]);
  assert.equal(await server.ok("diff -f -", { input: same }), "");
  const input = deployment("differs", [{ name: "app", image: "app:2" }]);
  for (const flags of ["", "--server-side --force-conflicts"]) {
    const { code, stdout, stderr } = await server.kubectl(`diff -f - ${flags}`, { input });
    assert.equal(code, 1, stderr);
    assert.match(stdout, /^- +- image: app:1$|^- +image: app:1$|^-.*image: app:1$/m);
    assert.match(stdout, /^\+.*image: app:2$/m);
    assert.match(stdout, /^- {2}generation: 1\n\+ {2}generation: 2$/m);
  }
  assert.equal(podSpec(await server.json("get deployment differs")).containers[0]!.image, "app:1");
});

test("kubectl apply refuses unknown fields and wrong types", async () => {
  const unknown = { ...configMap("wrong", {}), dota: {} };
  assert.equal(
    await server.refused("apply -f -", { input: unknown }),
    'Error from server (BadRequest): error when creating "STDIN": ConfigMap in version "v1" cannot be handled as a ConfigMap: strict decoding error: unknown field "dota"\n',
  );
  assert.match(
    await server.refused("apply --server-side -f -", { input: unknown }),
    /^Error from server: failed to create typed patch object \(default\/wrong; \/v1, Kind=ConfigMap\): \.dota: field not declared in schema\n$/,
  );
  const { code, stdout, stderr } = await server.kubectl("apply --validate=warn -f -", { input: unknown });
  assert.deepEqual([code, stdout], [0, "configmap/wrong created\n"]);
  assert.equal(stderr, 'Warning: unknown field "dota"\n');
});

test("kubectl apply --server-side again changes nothing, not even where defaults stand in an atomic list", async () => {
  const path = fileURLToPath(new URL("testdata/objects.yaml", import.meta.url));
  await server.ok("create serviceaccount default");
  await server.ok(`apply --server-side -f ${path}`);
  const seen = () => server.ok(`get -f ${path} -o jsonpath={.items[*].metadata.resourceVersion}`);
  const before = await seen();
  await server.ok(`apply --server-side -f ${path}`);
  assert.equal(await seen(), before);
});
