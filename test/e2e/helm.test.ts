import assert from "node:assert/strict";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { startServer } from "./server.ts";

const server = await startServer();
await server.namespace("apps");

const CHART = fileURLToPath(new URL("testdata/chart", import.meta.url));
const KINDS =
  "deploy,sts,ds,job,cronjob,hpa,pdb,svc,ingress,netpol,cm,secret,pvc,limits,quota,sa,role,rolebinding";
const CLUSTER_KINDS = "priorityclass,ingressclass,clusterrole,clusterrolebinding,storageclass";

interface Release {
  name: string;
  revision: number | string;
  status: string;
  chart: string;
  description: string;
}

const helm = (line: string) => server.helmOk(`${line} --namespace apps`);
const list = async (line: string) => JSON.parse(await helm(`${line} -o json`)) as Release[];
const data = async (name: string) => (await server.json(`get configmap ${name} -n apps`)).data;
/** What the release has, by name. */
const objects = async (name: string) =>
  [await server.ok(`get ${KINDS} -n apps -o name`), await server.ok(`get ${CLUSTER_KINDS} -o name`)]
    .join("")
    .split("\n")
    .filter((line) => line.endsWith(`/${name}`));

test("helm template and lint need no server, and --dry-run=server asks it", async () => {
  assert.match(await helm(`template web ${CHART}`), /^kind: StatefulSet$/m);
  assert.match(await helm(`lint ${CHART}`), /1 chart\(s\) linted, 0 chart\(s\) failed/);
  const said = await helm(`install dry ${CHART} --dry-run=server`);
  assert.match(said, /^STATUS: pending-install$/m);
  assert.deepEqual(await list("list"), []);
});

test("helm install makes one of every kind", async () => {
  const said = await helm(`install web ${CHART}`);
  assert.match(said, /^STATUS: deployed$/m);
  assert.match(said, /^The message is hello\.$/m);
  assert.equal((await objects("web")).length, KINDS.split(",").length + CLUSTER_KINDS.split(",").length);
  const [release] = await list("list");
  assert.equal(release!.chart, "everything-1.2.3");
  assert.equal(release!.status, "deployed");
  const { metadata } = await server.json("get secret sh.helm.release.v1.web.v1 -n apps");
  assert.equal(metadata.labels.owner, "helm");
  assert.deepEqual(await data("web-before"), { revision: "1" });
});

test("helm install refuses a name in use, and objects that another release owns", async () => {
  const taken = await server.helm(`install web ${CHART} --namespace apps`);
  assert.equal(taken.code, 1);
  assert.match(taken.stderr, /cannot reuse a name that is still in use/);
  await server.ok("create configmap other-extra -n apps");
  const owned = await server.helm(`install other ${CHART} --namespace apps`);
  assert.equal(owned.code, 1);
  assert.match(owned.stderr, /ConfigMap "other-extra" in namespace "apps" exists and cannot be imported/);
});

test("helm upgrade changes, and removes what the chart has no more", async () => {
  const said = await helm(`upgrade web ${CHART} --set message=bye --set replicas=3 --set extra=false`);
  assert.match(said, /^REVISION: 2$/m);
  assert.deepEqual(await data("web"), { message: "bye", revision: "2" });
  assert.equal((await server.json("get deployment web -n apps")).spec.replicas, 3);
  assert.match(await server.refused("get configmap web-extra -n apps"), /NotFound/);
  assert.deepEqual(await data("web-before"), { revision: "2" });
});

test("helm get manifest, values, notes, hooks and all", async () => {
  assert.match(await helm("get manifest web"), /^ {2}message: "bye"$/m);
  assert.deepEqual(JSON.parse(await helm("get values web -o json")), {
    message: "bye",
    replicas: 3,
    extra: false,
  });
  assert.match(await helm("get notes web"), /The message is bye\./);
  assert.match(await helm("get hooks web"), /helm\.sh\/hook: pre-install,pre-upgrade/);
  assert.match(await helm("get all web --template {{.Release.Name}}"), /^web$/);
});

test("helm history and rollback", async () => {
  await helm("rollback web 1");
  assert.deepEqual(await data("web"), { message: "hello", revision: "1" });
  assert.equal((await server.json("get deployment web -n apps")).spec.replicas, 2);
  assert.equal(await server.ok("get configmap web-extra -n apps -o name"), "configmap/web-extra\n");
  const history = await list("history web");
  assert.deepEqual(
    history.map(({ revision, status }) => [revision, status]),
    [
      [1, "superseded"],
      [2, "superseded"],
      [3, "deployed"],
    ],
  );
  assert.equal(history[2]!.description, "Rollback to 1");
});

test("helm upgrade --install, --reuse-values and a failure that leaves the release failed", async () => {
  await helm(`upgrade --install web ${CHART} --reuse-values --set message=again`);
  const failed = await server.helm(`upgrade web ${CHART} --namespace apps --set replicas=-1`);
  assert.equal(failed.code, 1);
  assert.match(failed.stderr, /spec\.replicas: Invalid value: -1: must be greater than or equal to 0/);
  assert.equal((await list("list --failed"))[0]!.status, "failed");
  await helm("rollback web 4");
  assert.equal((await data("web")).message, "again");
});

test("helm status shows the release, and helm test runs its pod", async () => {
  const status = JSON.parse(await helm("status web -o json"));
  assert.equal(status.info.status, "deployed");
  // As the controller of quotas would.
  const counted = { status: { hard: { pods: "10" }, used: { pods: "0" } } };
  await server.ok(`patch quota web -n apps --subresource status -p '${JSON.stringify(counted)}'`);
  const tested = helm("test web --timeout 120s");
  await server.ok("wait --for create pod/web-test -n apps --timeout 120s");
  await server.ok(`patch pod web-test -n apps --subresource status -p '{"status":{"phase":"Succeeded"}}'`);
  assert.match(await tested, /^TEST SUITE: +web-test$[\s\S]*^Phase: +Succeeded$/m);
});

test("helm uninstall takes everything away", async () => {
  assert.match(await helm("uninstall web"), /release "web" uninstalled/);
  // No controller takes the finalizer that protects claims.
  assert.deepEqual(await objects("web"), ["persistentvolumeclaim/web"]);
  assert.match(await server.ok("get pvc web -n apps"), /Terminating/);
  assert.deepEqual(await list("list"), []);
});

test("helm applies on the client's side too, as Helm 3 did", async () => {
  await helm(`install old ${CHART} --server-side=false`);
  await helm(`upgrade old ${CHART} --server-side=false --set image=app:2,message=new,extra=false`);
  assert.equal((await data("old")).message, "new");
  assert.match(await server.ok("get deployment old -n apps -o wide"), / app:2 /);
  assert.match(await server.refused("get configmap old-extra -n apps"), /NotFound/);
  await helm("uninstall old");
});

test("helm upgrade meets fields that others manage, and takes them when told to", async () => {
  await helm(`install shared ${CHART}`);
  await server.ok("scale deployment shared -n apps --replicas 7");
  const refused = await server.helm(`upgrade shared ${CHART} --namespace apps --set replicas=4`);
  assert.equal(refused.code, 1);
  assert.match(
    refused.stderr,
    /conflict with "kubectl" with subresource "scale" using apps\/v1: \.spec\.replicas/,
  );
  await helm(`upgrade shared ${CHART} --set replicas=4 --force-conflicts`);
  assert.equal((await server.json("get deployment shared -n apps")).spec.replicas, 4);
});

test("helm uninstall --keep-history keeps the release's secrets", async () => {
  await helm("uninstall shared --keep-history");
  assert.equal((await list("list --uninstalled"))[0]!.status, "uninstalled");
  const secrets = await server.ok("get secrets -n apps -l owner=helm,name=shared -o name");
  assert.match(secrets, /^secret\/sh\.helm\.release\.v1\.shared\.v1$/m);
});

test("helm install --create-namespace and --take-ownership", async () => {
  const install = (flags: string) =>
    server.helm(`install fresh ${CHART} --namespace fresh --create-namespace ${flags}`);
  assert.equal((await install("")).code, 0);
  assert.match(await server.ok("get namespace fresh"), /Active/);
  await server.helmOk("uninstall fresh --namespace fresh");
  await server.ok("create configmap fresh-extra -n fresh");
  assert.match((await install("")).stderr, /exists and cannot be imported into the current release/);
  assert.equal((await install("--take-ownership")).code, 0);
  const { metadata } = await server.json("get configmap fresh-extra -n fresh");
  assert.equal(metadata.annotations["meta.helm.sh/release-name"], "fresh");
});
