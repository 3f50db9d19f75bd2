import assert from "node:assert/strict";
import { mkdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { type KubeObject, startServer } from "./server.ts";

const server = await startServer();

async function deployment(name: string, flags = ""): Promise<void> {
  await server.ok(`create deployment ${name} --image app:1 ${flags}`);
}

function image({ spec }: KubeObject): string | undefined {
  return (spec.template as { spec: { containers: { image: string }[] } }).spec.containers[0]?.image;
}

test("kubectl patch in three types", async () => {
  await deployment("patched");
  const strategic =
    '{"spec":{"template":{"spec":{"containers":[{"name":"app","env":[{"name":"A","value":"a"}]}]}}}}';
  assert.equal(
    await server.ok(`patch deployment patched -p '${strategic}'`),
    "deployment.apps/patched patched\n",
  );
  const one = await server.json("get deployment patched");
  assert.equal(image(one), "app:1");
  const merge = '{"metadata":{"labels":{"app":null,"x":"y"}},"spec":{"replicas":4}}';
  await server.ok(`patch deployment patched --type merge -p '${merge}'`);
  const two = await server.json("get deployment patched");
  assert.deepEqual(two.metadata.labels, { x: "y" });
  assert.deepEqual([two.spec.replicas, two.metadata.generation], [4, 3]);
  const steps =
    '[{"op":"test","path":"/spec/replicas","value":4},{"op":"replace","path":"/spec/replicas","value":5}]';
  await server.ok(`patch deployment patched --type json -p '${steps}'`);
  assert.equal((await server.json("get deployment patched")).spec.replicas, 5);
  assert.equal(
    await server.ok(`patch deployment patched --type merge -p '${merge.replace("4", "5")}'`),
    "deployment.apps/patched patched (no change)\n",
  );
});

test("kubectl patch refuses a failed test, a wrong value and a broken patch", async () => {
  await deployment("refused");
  const failed = '[{"op":"test","path":"/spec/replicas","value":9}]';
  assert.equal(
    await server.refused(`patch deployment refused --type json -p '${failed}'`),
    "The request is invalid: the server rejected our request due to an error in our request\n",
  );
  assert.equal(
    await server.refused(`patch deployment refused -p '{"spec":{"replicas":-1}}'`),
    'The Deployment "refused" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0\n',
  );
  assert.match(
    await server.refused(`patch deployment refused -p '{"spec":{"replicas":"many"}}'`),
    /^The request is invalid: patch: Invalid value: "map\[spec:map\[replicas:many\]\]": .*string/,
  );
  assert.equal(
    await server.refused(
      `patch deployment refused --type merge -p '{"spec":{"selector":{"matchLabels":{"a":"b"}}}}'`,
    ),
    'The Deployment "refused" is invalid: \n* spec.template.metadata.labels: Invalid value: {"app":"refused"}: `selector` does not match template `labels`\n* spec.selector: Invalid value: {"matchLabels":{"app":"refused","a":"b"}}: field is immutable\n',
  );
});

test("kubectl patch --subresource status and scale", async () => {
  await deployment("parts");
  await server.ok(
    `patch deployment parts --subresource status --type merge -p '{"status":{"replicas":2},"spec":{"replicas":7}}'`,
  );
  const one = await server.json("get deployment parts");
  assert.deepEqual([one.spec.replicas, one.status, one.metadata.generation], [1, { replicas: 2 }, 1]);
  await server.ok(`patch deployment parts --subresource scale --type merge -p '{"spec":{"replicas":7}}'`);
  const two = await server.json("get deployment parts --show-managed-fields");
  assert.deepEqual([two.spec.replicas, two.metadata.generation], [7, 2]);
  assert.deepEqual(
    two.metadata.managedFields.map(({ manager, subresource = "" }) => `${manager} ${subresource}`).sort(),
    ["kubectl-create ", "kubectl-patch scale", "kubectl-patch status"],
  );
  await server.ok(`patch deployment parts --type merge -p '{"status":{"replicas":9}}'`);
  assert.deepEqual((await server.json("get deployment parts")).status, { replicas: 2 });
});

test("kubectl label and annotate add, refuse, overwrite, remove", async () => {
  await server.ok("create configmap marked");
  assert.equal(await server.ok("label configmap marked a=1 b=2"), "configmap/marked labeled\n");
  assert.equal(
    await server.refused("label configmap marked a=3"),
    "error: 'a' already has a value (1), and --overwrite is false\n",
  );
  assert.equal(await server.ok("label configmap marked a=3 --overwrite"), "configmap/marked labeled\n");
  assert.equal(await server.ok("label configmap marked b-"), "configmap/marked unlabeled\n");
  assert.equal(await server.ok("annotate configmap -l a=3 note='some text'"), "configmap/marked annotated\n");
  assert.equal(await server.ok("label configmap marked --list"), "a=3\n");
  const { metadata } = await server.json("get configmap marked");
  assert.deepEqual([metadata.labels, metadata.annotations], [{ a: "3" }, { note: "some text" }]);
  assert.equal(
    await server.refused("label configmap marked a=4 --overwrite --resource-version 1"),
    'Error from server (Conflict): Operation cannot be fulfilled on configmaps "marked": the object has been modified; please apply your changes to the latest version and try again\n',
  );
});

test("kubectl edit writes what the editor leaves", async () => {
  await server.ok("create configmap edited --from-literal a=1");
  const editor = await server.file("editor.sh", '#!/bin/sh\nsed -i "s/a: \\"1\\"/a: \\"2\\"/" "$1"\n', 0o755);
  const env = { KUBE_EDITOR: editor };
  assert.equal(await server.ok("edit configmap edited", { env }), "configmap/edited edited\n");
  assert.deepEqual((await server.json("get configmap edited")).data, { a: "2" });
  const again = await server.kubectl("edit configmap edited", { env });
  assert.deepEqual([again.code, again.stderr], [0, "Edit cancelled, no changes made.\n"]);
});

test("kubectl edit --subresource status", async () => {
  await deployment("status-edited");
  const editor = await server.file(
    "status.sh",
    '#!/bin/sh\nsed -i "s/^status: {}/status: {replicas: 3}/" "$1"\n',
    0o755,
  );
  await server.ok("edit deployment status-edited --subresource status", { env: { KUBE_EDITOR: editor } });
  assert.deepEqual((await server.json("get deployment status-edited")).status, { replicas: 3 });
});

test("kubectl scale checks what stands there", async () => {
  await deployment("scaled");
  assert.equal(await server.ok("scale deployment scaled --replicas 3"), "deployment.apps/scaled scaled\n");
  assert.equal(
    await server.refused("scale deployment scaled --current-replicas 1 --replicas 5"),
    "error: Expected replicas to be 1, was 3\n",
  );
  await server.ok("scale deployment scaled --current-replicas 3 --replicas 5");
  const { spec, metadata } = await server.json("get deployment scaled --show-managed-fields");
  assert.equal(spec.replicas, 5);
  assert.deepEqual(
    metadata.managedFields.map(({ manager, subresource = "" }) => `${manager} ${subresource}`).sort(),
    ["kubectl scale", "kubectl-create "],
  );
});

test("kubectl autoscale makes an autoscaler", async () => {
  await deployment("elastic");
  await server.ok("autoscale deployment elastic --min 2 --max 5 --cpu 70%");
  const { apiVersion, spec } = await server.json("get hpa elastic");
  assert.equal(apiVersion, "autoscaling/v2");
  assert.deepEqual([spec.minReplicas, spec.maxReplicas], [2, 5]);
  assert.deepEqual(spec.scaleTargetRef, { apiVersion: "apps/v1", kind: "Deployment", name: "elastic" });
  const old = await server.json("get horizontalpodautoscalers.v1.autoscaling elastic");
  assert.equal(old.spec.targetCPUUtilizationPercentage, 70);
});

test("kubectl expose makes a service", async () => {
  await deployment("exposed", "--port 8080");
  assert.equal(
    await server.ok("expose deployment exposed --port 80 --target-port 8080"),
    "service/exposed exposed\n",
  );
  const { spec } = await server.json("get service exposed");
  assert.deepEqual(spec.selector, { app: "exposed" });
  assert.deepEqual(spec.ports, [{ port: 80, protocol: "TCP", targetPort: 8080 }]);
});

test("kubectl set image, env, resources, serviceaccount and selector", async () => {
  await deployment("set");
  assert.equal(await server.ok("set image deployment/set app=app:2"), "deployment.apps/set image updated\n");
  await server.ok("set env deployment/set KEY=value");
  await server.ok("set resources deployment/set --limits cpu=1,memory=1Gi --requests cpu=100m");
  await server.ok("set serviceaccount deployment/set robot");
  const made = await server.json("get deployment set");
  const { spec } = made.spec.template as { spec: Record<string, unknown> };
  const [container] = spec.containers as Record<string, unknown>[];
  assert.equal(image(made), "app:2");
  assert.deepEqual(container!.env, [{ name: "KEY", value: "value" }]);
  assert.deepEqual(container!.resources, { limits: { cpu: "1", memory: "1Gi" }, requests: { cpu: "100m" } });
  assert.equal(spec.serviceAccountName, "robot");
  await server.ok("create service clusterip picked --tcp 80");
  await server.ok("set selector service picked a=b");
  assert.deepEqual((await server.json("get service picked")).spec.selector, { a: "b" });
});

test("kubectl rollout history, undo, restart, pause, resume and status", async () => {
  await deployment("rolled");
  await server.ok("annotate deployment rolled deployment.kubernetes.io/revision=2");
  for (const [revision, tag] of [
    ["1", "app:0"],
    ["2", "app:1"],
  ] as const)
    await replicaSet("rolled", revision, tag);
  const history = await server.ok("rollout history deployment/rolled");
  assert.match(history, /^REVISION +CHANGE-CAUSE\n1 +because 1\n2 +because 2$/m);
  assert.match(await server.ok("rollout history deployment/rolled --revision 1"), /Image:\s+app:0/);
  assert.equal(
    await server.ok("rollout undo deployment/rolled --to-revision 1"),
    "deployment.apps/rolled rolled back\n",
  );
  assert.equal(image(await server.json("get deployment rolled")), "app:0");
  assert.equal(await server.ok("rollout restart deployment/rolled"), "deployment.apps/rolled restarted\n");
  const { metadata } = (await server.json("get deployment rolled")).spec.template as KubeObject;
  assert.match(metadata.annotations["kubectl.kubernetes.io/restartedAt"]!, /^\d{4}-/);
  assert.equal(await server.ok("rollout pause deployment/rolled"), "deployment.apps/rolled paused\n");
  assert.match(await server.refused("rollout restart deployment/rolled"), /can't restart paused deployment/);
  assert.equal(await server.ok("rollout resume deployment/rolled"), "deployment.apps/rolled resumed\n");
  assert.match(
    await server.refused("rollout status deployment/rolled --timeout 100ms"),
    /timed out waiting for the condition/,
  );
});

/** As the deployment controller would leave it for a revision. */
async function replicaSet(owner: string, revision: string, tag: string): Promise<void> {
  const { metadata, spec } = await server.json(`get deployment ${owner}`);
  const template = structuredClone(spec.template) as {
    metadata: { labels: object };
    spec: { containers: { image: string }[] };
  };
  template.metadata.labels = { app: owner, "pod-template-hash": revision };
  template.spec.containers[0]!.image = tag;
  const owned = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    name: owner,
    uid: metadata.uid,
    controller: true,
  };
  const annotations = {
    "deployment.kubernetes.io/revision": revision,
    "kubernetes.io/change-cause": `because ${revision}`,
  };
  const labels = template.metadata.labels;
  const input = {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: { name: `${owner}-${revision}`, labels, annotations, ownerReferences: [owned] },
    spec: { replicas: 0, selector: { matchLabels: labels }, template },
  };
  await server.ok("create -f -", { input });
}

test("kubectl replace puts the whole object, and --force makes it anew", async () => {
  await server.ok("create configmap replaced --from-literal a=1");
  const input = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "replaced" }, data: { b: "2" } };
  assert.equal(await server.ok("replace -f -", { input }), "configmap/replaced replaced\n");
  const { data, metadata } = await server.json("get configmap replaced");
  assert.deepEqual(data, { b: "2" });
  const stale = { ...input, metadata: { name: "replaced", resourceVersion: "1" } };
  assert.equal(
    await server.refused("replace -f -", { input: stale }),
    'Error from server (Conflict): error when replacing "STDIN": Operation cannot be fulfilled on configmaps "replaced": the object has been modified; please apply your changes to the latest version and try again\n',
  );
  await server.ok("replace --force -f -", { input });
  assert.notEqual((await server.json("get configmap replaced")).metadata.uid, metadata.uid);
  assert.match(
    await server.refused("replace -f -", { input: { ...input, metadata: { name: "absent" } } }),
    /^Error from server \(NotFound\): error when replacing "STDIN": configmaps "absent" not found\n$/,
  );
});

test("kubectl replace keeps a service's address where only one of its two fields names it", async () => {
  const spec = { clusterIP: "10.96.0.77", ports: [{ port: 80 }] };
  const input = { apiVersion: "v1", kind: "Service", metadata: { name: "replaced" }, spec };
  await server.ok("create -f -", { input });
  assert.equal(await server.ok("replace -f -", { input }), "service/replaced replaced\n");
  assert.deepEqual((await server.json("get service replaced")).spec.clusterIPs, ["10.96.0.77"]);
});

test("kubectl taint, cordon and uncordon", async () => {
  await server.ok("create -f -", { input: { apiVersion: "v1", kind: "Node", metadata: { name: "node-a" } } });
  assert.equal(await server.ok("taint nodes node-a dedicated=db:NoSchedule"), "node/node-a tainted\n");
  assert.equal(await server.ok("cordon node-a"), "node/node-a cordoned\n");
  const { spec } = await server.json("get node node-a");
  assert.equal(spec.unschedulable, true);
  const taints = spec.taints as { key: string }[];
  assert.ok(taints.some(({ key }) => key === "dedicated"));
  assert.equal(await server.ok("uncordon node-a"), "node/node-a uncordoned\n");
  assert.equal(await server.ok("taint nodes node-a dedicated-"), "node/node-a untainted\n");
  assert.equal((await server.json("get node node-a")).spec.unschedulable, undefined);
});

test("kubectl certificate approve and deny", async () => {
  const request = (await readFile(new URL("testdata/jane.csr", import.meta.url))).toString("base64");
  for (const name of ["wanted", "unwanted"]) {
    const spec = { request, signerName: "kubernetes.io/kube-apiserver-client", usages: ["client auth"] };
    const input = {
      apiVersion: "certificates.k8s.io/v1",
      kind: "CertificateSigningRequest",
      metadata: { name },
      spec,
    };
    await server.ok("create -f -", { input });
  }
  const approved = await server.ok("certificate approve wanted");
  assert.equal(approved, "certificatesigningrequest.certificates.k8s.io/wanted approved\n");
  const denied = await server.ok("certificate deny unwanted");
  assert.equal(denied, "certificatesigningrequest.certificates.k8s.io/unwanted denied\n");
  const { status, spec } = await server.json("get csr wanted");
  const [condition] = status.conditions as Record<string, string>[];
  assert.deepEqual([condition!.type, condition!.status], ["Approved", "True"]);
  assert.equal(spec.username, "kubernetes-admin");
  assert.match(await server.ok("get csr"), /unwanted .* Denied/);
});

test("kubectl create --save-config keeps what was sent", async () => {
  const said = await server.json("create configmap saved --from-literal a=b --save-config");
  assert.ok(said.metadata.annotations["kubectl.kubernetes.io/last-applied-configuration"]);
});

test("kubectl --dry-run=server of every verb changes nothing", async () => {
  await deployment("dry");
  await server.ok("create configmap dry");
  await server.ok("create -f -", {
    input: { apiVersion: "v1", kind: "Node", metadata: { name: "node-dry" } },
  });
  const seen = () =>
    server.ok("get deployment,configmap,node -o jsonpath={.items[*].metadata.resourceVersion}");
  const before = await seen();
  const input = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "dry" }, data: { a: "b" } };
  for (const [line, says] of [
    ["label configmap dry a=b", "configmap/dry labeled (server dry run)"],
    ["annotate configmap dry a=b", "configmap/dry annotated (server dry run)"],
    [`patch configmap dry -p '{"data":{"a":"b"}}'`, "configmap/dry patched"],
    ["replace -f -", "configmap/dry replaced (server dry run)"],
    ["apply --server-side -f -", "configmap/dry serverside-applied (server dry run)"],
    ["delete configmap dry", 'configmap "dry" deleted from default namespace (server dry run)'],
    ["scale deployment dry --replicas 9", "deployment.apps/dry scaled (server dry run)"],
    ["set image deployment/dry app=app:9", "deployment.apps/dry image updated (server dry run)"],
    [
      "autoscale deployment dry --max 3",
      "horizontalpodautoscaler.autoscaling/dry autoscaled (server dry run)",
    ],
    ["expose deployment dry --port 80", "service/dry exposed (server dry run)"],
    ["taint node node-dry a=b:NoSchedule", "node/node-dry tainted"],
    ["cordon node-dry", "node/node-dry cordoned (server dry run)"],
  ] as const) {
    assert.equal(await server.ok(`${line} --dry-run=server`, { input }), `${says}\n`);
  }
  assert.equal(await seen(), before);
});

test("kubectl replace, apply and get take a subresource", async () => {
  await deployment("sub");
  const read = await server.json("get deployment sub");
  const input = { ...read, status: { replicas: 4 }, spec: { ...read.spec, replicas: 8 } };
  await server.ok("replace --subresource status -f -", { input });
  const { spec, status } = await server.json("get deployment sub --subresource status");
  assert.deepEqual([spec.replicas, status], [1, { replicas: 4 }]);
  const { apiVersion, kind } = read;
  const applied = { apiVersion, kind, metadata: { name: "sub" }, status: { readyReplicas: 2 } };
  await server.ok("apply --server-side --subresource status -f -", { input: applied });
  assert.deepEqual((await server.json("get deployment sub")).status, { replicas: 4, readyReplicas: 2 });
});

test("kubectl set subject adds subjects", async () => {
  await server.ok("create rolebinding set --clusterrole view --user jane");
  await server.ok("set subject rolebinding set --user joe --group dev");
  const { subjects } = await server.json<{ subjects: { name: string }[] }>("get rolebinding set");
  assert.deepEqual(
    subjects.map(({ name }) => name),
    ["jane", "joe", "dev"],
  );
});

test("kubectl create and apply read directories", async () => {
  const one = { apiVersion: "v1", kind: "ConfigMap", metadata: { name: "from-one" } };
  await mkdir(join(server.directory, "manifests/below"), { recursive: true });
  await server.file("manifests/one.json", one);
  await server.file(
    "manifests/below/two.yaml",
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: from-two}\n",
  );
  assert.equal(await server.ok("create -f manifests"), "configmap/from-one created\n");
  const { stdout } = await server.kubectl("apply -R -f manifests");
  assert.equal(stdout, "configmap/from-two created\nconfigmap/from-one configured\n");
  assert.equal(await server.ok("get -R -f manifests -o name"), "configmap/from-two\nconfigmap/from-one\n");
});
