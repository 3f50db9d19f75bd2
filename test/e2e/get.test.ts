import assert from "node:assert/strict";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { type KubeObject, startServer } from "./server.ts";

const server = await startServer();

await server.namespace("fruit");
for (const [name, color, size] of [
  ["apple", "red", 3],
  ["banana", "yellow", 1],
  ["cherry", "red", 2],
] as const) {
  const labels = { color, kind: "fruit" };
  const metadata = { name, namespace: "fruit", labels, annotations: { size: String(size) } };
  const input = {
    apiVersion: "v1",
    kind: "Pod",
    metadata,
    spec: {
      nodeName: name === "banana" ? "node-b" : undefined,
      containers: [{ name: "main", image: `fruit:${size}`, ports: [{ containerPort: size }] }],
    },
  };
  await server.ok("create -f -", { input });
}

const get = (line: string) => server.ok(`get -n fruit ${line}`);

/** Cells of a table, split where two or more spaces are. */
function table(text: string): string[][] {
  return text
    .trimEnd()
    .split("\n")
    .map((line) => line.trimEnd().split(/\s{2,}/));
}

test("kubectl get prints the server's table", async () => {
  const [head, apple] = table(await get("pods"));
  assert.deepEqual(head, ["NAME", "READY", "STATUS", "RESTARTS", "AGE"]);
  assert.deepEqual(apple!.slice(0, 4), ["apple", "0/1", "Pending", "0"]);
  assert.match(apple![4]!, /^\d+s$/);
});

test("kubectl get -o wide adds the columns of lower priority", async () => {
  const [head, , banana] = table(await get("pods -o wide"));
  assert.deepEqual(head!.slice(5), ["IP", "NODE", "NOMINATED NODE", "READINESS GATES"]);
  assert.deepEqual(banana!.slice(5), ["<none>", "node-b", "<none>", "<none>"]);
});

test("kubectl get -o name, json and yaml", async () => {
  assert.equal(await get("pods -o name"), "pod/apple\npod/banana\npod/cherry\n");
  const list = JSON.parse(await get("pods -o json"));
  assert.deepEqual([list.kind, list.items.length], ["List", 3]);
  assert.equal(list.items[0].metadata.managedFields, undefined);
  const yaml = await get("pod apple -o yaml");
  assert.match(yaml, /^apiVersion: v1\nkind: Pod\nmetadata:\n {2}annotations:\n {4}size: "3"\n/);
});

test("kubectl get -o jsonpath, jsonpath-as-json, go-template and their files", async () => {
  assert.equal(await get("pods -o jsonpath={.items[*].metadata.name}"), "apple banana cherry");
  const sized = `-o jsonpath='{range .items[?(@.metadata.annotations.size>"1")]}{.metadata.name}{"\\n"}{end}'`;
  assert.equal(await get(`pods ${sized}`), "apple\ncherry\n");
  assert.deepEqual(JSON.parse(await get("pods -o jsonpath-as-json={.items[0].metadata.name}")), ["apple"]);
  const template = '{{range .items}}{{.metadata.name}} {{index .metadata.labels "color"}};{{end}}';
  assert.equal(await get(`pods -o go-template='${template}'`), "apple red;banana yellow;cherry red;");
  const path = await server.file("template.txt", template);
  assert.equal(await get(`pods -o go-template-file=${path}`), "apple red;banana yellow;cherry red;");
});

test("kubectl get -o custom-columns", async () => {
  const said = await get("pods -o custom-columns=NAME:.metadata.name,IMAGE:.spec.containers[0].image,NO:.x");
  assert.deepEqual(table(said), [
    ["NAME", "IMAGE", "NO"],
    ["apple", "fruit:3", "<none>"],
    ["banana", "fruit:1", "<none>"],
    ["cherry", "fruit:2", "<none>"],
  ]);
});

test("kubectl get -l takes every kind of requirement", async () => {
  const chosen = async (selector: string) =>
    (await get(`pods -o name -l '${selector}'`)).split("\n").slice(0, -1);
  assert.deepEqual(await chosen("color=red"), ["pod/apple", "pod/cherry"]);
  assert.deepEqual(await chosen("color!=red"), ["pod/banana"]);
  assert.deepEqual(await chosen("color in (yellow,green)"), ["pod/banana"]);
  assert.deepEqual(await chosen("color notin (yellow),kind"), ["pod/apple", "pod/cherry"]);
  assert.deepEqual(await chosen("!color"), []);
  const text = await server.refused("get pods -l 'a in b'");
  assert.match(text, /unable to parse requirement|found 'b', expected: '\('/);
});

test("kubectl get --field-selector selects by the fields of the kind", async () => {
  assert.equal(await get("pods -o name --field-selector spec.nodeName=node-b"), "pod/banana\n");
  assert.equal(
    await get("pods -o name --field-selector metadata.name!=apple,status.phase=Pending"),
    "pod/banana\npod/cherry\n",
  );
  assert.equal(
    await server.refused("get pods --field-selector spec.nothing=1"),
    'Error from server (BadRequest): Unable to find "/v1, Resource=pods" that match label selector "", field selector "spec.nothing=1": field label not supported: spec.nothing\n',
  );
});

test("kubectl get --sort-by, --show-labels, --label-columns, --no-headers and --show-kind", async () => {
  assert.equal(
    await get("pods -o name --sort-by .metadata.annotations.size"),
    "pod/banana\npod/cherry\npod/apple\n",
  );
  const sorted = table(await get("pods --sort-by .spec.containers[0].image --no-headers"));
  assert.deepEqual(
    sorted.map(([name]) => name),
    ["banana", "cherry", "apple"],
  );
  assert.match(await get("pods --show-labels"), /color=red,kind=fruit$/m);
  assert.deepEqual(table(await get("pods -L color"))[1]!.at(-1), "red");
  assert.match(await get("pods --show-kind"), /^pod\/apple /m);
});

test("kubectl get -A prints the namespaces", async () => {
  const [head, ...rows] = table(await server.ok("get pods -A"));
  assert.deepEqual(head!.slice(0, 2), ["NAMESPACE", "NAME"]);
  assert.deepEqual(rows[0]!.slice(0, 2), ["fruit", "apple"]);
});

test("kubectl get --chunk-size reads page by page", async () => {
  const { stdout, stderr } = await server.kubectl("get pods -n fruit -o name --chunk-size 1 -v 8");
  assert.equal(stdout, "pod/apple\npod/banana\npod/cherry\n");
  assert.equal(stderr.match(/"Request".*limit=1/g)?.length, 3);
});

test("kubectl get --show-managed-fields shows who set what", async () => {
  const pod = await server.json("get pod apple -n fruit --show-managed-fields");
  const [entry] = pod.metadata.managedFields;
  assert.deepEqual([entry!.manager, entry!.operation], ["kubectl-create", "Update"]);
});

test("kubectl get takes several kinds, names and categories", async () => {
  assert.equal(await get("pod/apple sa/default -o name"), "pod/apple\nserviceaccount/default\n");
  assert.equal(await get("all -o name"), "pod/apple\npod/banana\npod/cherry\n");
  const { code, stdout, stderr } = await server.kubectl("get pods apple nothing -n fruit -o name");
  assert.deepEqual([code, stdout], [1, "pod/apple\n"]);
  assert.equal(stderr, 'Error from server (NotFound): pods "nothing" not found\n');
  assert.equal(await get("pods nothing --ignore-not-found"), "");
  const empty = await server.kubectl("get pods -n default");
  assert.deepEqual([empty.code, empty.stderr], [0, "No resources found in default namespace.\n"]);
  assert.match(await server.refused("get doughnuts"), /the server doesn't have a resource type "doughnuts"/);
});

test("kubectl get prints a table of every kind", async () => {
  const names = (await server.ok("api-resources --verbs list -o name")).trim().split("\n");
  assert.ok(names.length > 40);
  for (const name of names) {
    const { code, stdout, stderr } = await server.kubectl(`get ${name} -A -o wide`);
    assert.equal(code, 0, stderr);
    assert.ok(stdout === "" || /\bNAME\b/.test(stdout), name);
  }
});

test("kubectl get --watch tells of changes as they come", async (t) => {
  const watch = server.spawnKubectl(
    `get configmaps -n fruit --watch --output-watch-events -o jsonpath='{.type} {.object.metadata.name}{"\\n"}'`,
  );
  t.after(() => watch.kill());
  const lines = createInterface({ input: watch.stdout! })[Symbol.asyncIterator]();
  const next = async () => (await lines.next()).value;
  await server.ok("create configmap basket -n fruit");
  assert.equal(await next(), "ADDED basket");
  await server.ok("label configmap basket -n fruit full=yes");
  assert.equal(await next(), "MODIFIED basket");
  await server.ok("delete configmap basket -n fruit");
  assert.equal(await next(), "DELETED basket");
});

test("kubectl get --watch prints rows of tables", async (t) => {
  const watch = server.spawnKubectl("get secrets -n fruit --watch");
  t.after(() => watch.kill());
  const lines = createInterface({ input: watch.stdout! })[Symbol.asyncIterator]();
  await server.ok("create secret generic pit -n fruit --from-literal a=b");
  assert.match((await lines.next()).value ?? "", /^NAME +TYPE +DATA +AGE$/);
});

test("kubectl get --raw reads lists, and --subresource reads status and scale", async () => {
  const list = JSON.parse(await server.ok("get --raw '/api/v1/namespaces/fruit/pods?limit=2'"));
  assert.equal(list.kind, "PodList");
  assert.equal(list.items.length, 2);
  assert.equal(list.metadata.remainingItemCount, 1);
  await server.ok("create deployment tree -n fruit --image tree --replicas 2");
  const scale = await server.json<KubeObject>("get deployment tree -n fruit --subresource scale");
  assert.equal(scale.kind, "Scale");
  assert.deepEqual(scale.spec, { replicas: 2 });
  assert.deepEqual(scale.status, { replicas: 0, selector: "app=tree" });
  const status = await server.json<KubeObject>("get deployment tree -n fruit --subresource status");
  assert.equal(status.kind, "Deployment");
});
