import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { startServer } from "./server.ts";

const server = await startServer();

/** name, short names, apiVersion, namespaced, kind: rows of `kubectl api-resources` that scripts rely on. */
const RESOURCES = `
configmaps cm v1 true ConfigMap
namespaces ns v1 false Namespace
nodes no v1 false Node
persistentvolumeclaims pvc v1 true PersistentVolumeClaim
pods po v1 true Pod
podtemplates v1 true PodTemplate
replicationcontrollers rc v1 true ReplicationController
resourcequotas quota v1 true ResourceQuota
secrets v1 true Secret
serviceaccounts sa v1 true ServiceAccount
services svc v1 true Service
daemonsets ds apps/v1 true DaemonSet
deployments deploy apps/v1 true Deployment
replicasets rs apps/v1 true ReplicaSet
statefulsets sts apps/v1 true StatefulSet
selfsubjectreviews authentication.k8s.io/v1 false SelfSubjectReview
subjectaccessreviews authorization.k8s.io/v1 false SubjectAccessReview
horizontalpodautoscalers hpa autoscaling/v2 true HorizontalPodAutoscaler
cronjobs cj batch/v1 true CronJob
certificatesigningrequests csr certificates.k8s.io/v1 false CertificateSigningRequest
leases coordination.k8s.io/v1 true Lease
endpointslices discovery.k8s.io/v1 true EndpointSlice
events ev events.k8s.io/v1 true Event
flowschemas flowcontrol.apiserver.k8s.io/v1 false FlowSchema
ingresses ing networking.k8s.io/v1 true Ingress
networkpolicies netpol networking.k8s.io/v1 true NetworkPolicy
runtimeclasses node.k8s.io/v1 false RuntimeClass
poddisruptionbudgets pdb policy/v1 true PodDisruptionBudget
clusterroles rbac.authorization.k8s.io/v1 false ClusterRole
priorityclasses pc scheduling.k8s.io/v1 false PriorityClass
storageclasses sc storage.k8s.io/v1 false StorageClass
deviceclasses resource.k8s.io/v1 false DeviceClass
resourceclaims resource.k8s.io/v1 true ResourceClaim
resourceslices resource.k8s.io/v1 false ResourceSlice
validatingwebhookconfigurations admissionregistration.k8s.io/v1 false ValidatingWebhookConfiguration
customresourcedefinitions crd,crds apiextensions.k8s.io/v1 false CustomResourceDefinition
apiservices apiregistration.k8s.io/v1 false APIService
`.trim();

function rows(text: string): string[] {
  return text
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).join(" "));
}

test("kubectl api-resources lists every kind with its short names", async () => {
  const listed = rows(await server.ok("api-resources --no-headers"));
  const missing = RESOURCES.split("\n").filter((row) => !listed.includes(row));
  assert.deepEqual(missing, []);
});

test("kubectl api-resources filters by group, scope, category and verb", async () => {
  const named = async (flags: string) => rows(await server.ok(`api-resources -o name ${flags}`)).sort();
  assert.deepEqual(await named("--api-group apps"), [
    "controllerrevisions.apps",
    "daemonsets.apps",
    "deployments.apps",
    "replicasets.apps",
    "statefulsets.apps",
  ]);
  assert.deepEqual(await named("--categories all"), [
    "cronjobs.batch",
    "daemonsets.apps",
    "deployments.apps",
    "horizontalpodautoscalers.autoscaling",
    "jobs.batch",
    "pods",
    "replicasets.apps",
    "replicationcontrollers",
    "services",
    "statefulsets.apps",
  ]);
  const cluster = await named("--namespaced=false");
  assert.ok(cluster.includes("namespaces") && !cluster.includes("pods"));
  const reviews = await named("--verbs create --namespaced=true");
  assert.ok(reviews.includes("localsubjectaccessreviews.authorization.k8s.io"));
  assert.ok(!(await named("--verbs list")).includes("localsubjectaccessreviews.authorization.k8s.io"));
});

test("kubectl api-versions lists the stable versions", async () => {
  const versions = rows(await server.ok("api-versions"));
  for (const version of ["v1", "apps/v1", "autoscaling/v1", "autoscaling/v2", "policy/v1"]) {
    assert.ok(versions.includes(version), version);
  }
});

test("kubectl explain --recursive describes every kind", async () => {
  const all = rows(await server.ok("api-resources --no-headers"));
  const kinds = all.map((row) => {
    const words = row.split(" ");
    const [apiVersion = "", , kind = ""] = words.slice(-3);
    return { plural: words[0]!, apiVersion, kind };
  });
  assert.ok(kinds.length >= 55);
  for (const { plural, apiVersion, kind } of kinds) {
    const said = await server.ok(`explain ${plural} --api-version ${apiVersion} --recursive`);
    assert.match(said, new RegExp(`^KIND: +${kind}$`, "m"));
    assert.match(said, /^ {2}apiVersion\t<string>$/m, plural);
  }
});

test("kubectl explain prints types, enumerations and required marks of a field", async () => {
  const said = await server.ok("explain pod.spec.containers");
  assert.match(said, /^FIELD: containers <\[\]Container>$/m);
  assert.match(said, /^ {2}name\t<string> -required-$/m);
  assert.match(said, /^ {2}imagePullPolicy\t<string>\n {2}enum: Always, IfNotPresent, Never$/m);
  assert.match(await server.refused("explain pod.spec.nothing"), /field "nothing" does not exist/);
});

test("kubectl explain reads OpenAPI 2 too", async () => {
  const said = await server.ok("explain deployments.spec.replicas --output plaintext-openapiv2");
  assert.match(said, /^FIELD: +replicas <integer>$/m);
});

test("kubectl version reports a server of 1.36", async () => {
  const { serverVersion } = await server.json<{ serverVersion: Record<string, string> }>("version");
  assert.equal(serverVersion.major, "1");
  assert.equal(serverVersion.minor, "36");
  assert.match(serverVersion.gitVersion ?? "", /^v1\.36\./);
});

test("kubectl cluster-info names the control plane", async () => {
  assert.match(await server.ok("cluster-info"), /Kubernetes control plane.* is running at .*https:\/\/127/);
});

test("kubectl config view shows the context without its secrets", async () => {
  const said = await server.ok("config view");
  assert.match(said, /^current-context: \S+$/m);
  assert.match(said, /certificate-authority-data: DATA\+OMITTED/);
  assert.match(said, /client-key-data: DATA\+OMITTED/);
  assert.ok(
    (await server.ok("config get-contexts -o name")).includes(said.match(/current-context: (\S+)/)![1]!),
  );
});

test("kubectl get --raw reads health, version and discovery", async () => {
  assert.equal(await server.ok("get --raw /healthz"), "ok");
  assert.match(await server.ok("get --raw /readyz?verbose"), /\[\+\]etcd ok\n[\s\S]*readyz check passed\n$/);
  assert.equal(JSON.parse(await server.ok("get --raw /version")).minor, "36");
  const apps = JSON.parse(await server.ok("get --raw /apis/apps/v1"));
  assert.equal(apps.kind, "APIResourceList");
  assert.match(await server.ok("get --raw /metrics"), /^apiserver_request_total\{/m);
  const text = await server.refused("get --raw /nothing");
  assert.equal(text, "Error from server (NotFound): the server could not find the requested resource\n");
});

test("kubectl proxy passes requests on", async (t) => {
  const proxy = server.spawnKubectl("proxy --port 0");
  t.after(() => proxy.kill());
  const said = await createInterface({ input: proxy.stdout! })[Symbol.asyncIterator]().next();
  const address = /127\.0\.0\.1:\d+/.exec(said.value ?? "")?.[0];
  const answer = await fetch(`http://${address}/api/v1/namespaces/default`);
  assert.equal(answer.status, 200);
  assert.equal(((await answer.json()) as { kind: string }).kind, "Namespace");
});

test("the kubeconfig is readable by its owner only and names the served address", async () => {
  const config = JSON.parse(await readFile(server.kubeconfig, "utf8"));
  assert.match(config.clusters[0].cluster.server, /^https:\/\/127\.0\.0\.1:\d+$/);
});
