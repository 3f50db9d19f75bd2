/** One life of an object of each of many kinds, in every form: what is sent back unchanged must stay unchanged. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { deployment, startTestServer, type TestServer } from "./harness.ts";

const PROTOBUF = "application/vnd.kubernetes.protobuf";
const LABELS = { app: "x" };
const TEMPLATE = {
  metadata: { labels: LABELS },
  spec: { containers: [{ name: "main", image: "registry.k8s.io/pause:3.10" }] },
};
const SELECTOR = { matchLabels: LABELS };
const ROLE_REF = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: "view" };
const SUBJECTS = [{ kind: "User", name: "alice" }];

interface Sample {
  apiVersion: string;
  kind: string;
  plural: string;
  namespaced: boolean;
  /** Whether DELETE answers with the object. */
  returns?: true;
  body: Record<string, unknown>;
}

const namespaced = (apiVersion: string, kind: string, plural: string, body: object, more = {}): Sample => ({
  apiVersion,
  kind,
  plural,
  namespaced: true,
  body: { ...body },
  ...more,
});
const cluster = (apiVersion: string, kind: string, plural: string, body: object, more = {}): Sample => ({
  ...namespaced(apiVersion, kind, plural, body, more),
  namespaced: false,
});

const SAMPLES: Sample[] = [
  namespaced("v1", "ConfigMap", "configmaps", { data: { a: "b" }, binaryData: { c: "AAEC" } }),
  namespaced("v1", "Secret", "secrets", { type: "Opaque", stringData: { a: "b" } }),
  namespaced("v1", "ServiceAccount", "serviceaccounts", {}, { returns: true }),
  namespaced("v1", "Pod", "pods", { spec: TEMPLATE.spec }, { returns: true }),
  namespaced(
    "v1",
    "Service",
    "services",
    { spec: { ports: [{ port: 80 }], selector: LABELS } },
    { returns: true },
  ),
  namespaced("v1", "Endpoints", "endpoints", {
    subsets: [{ addresses: [{ ip: "10.0.0.1" }], ports: [{ port: 80 }] }],
  }),
  namespaced("v1", "LimitRange", "limitranges", { spec: { limits: [{ type: "Pod", max: { cpu: "2" } }] } }),
  namespaced(
    "v1",
    "ResourceQuota",
    "resourcequotas",
    { spec: { hard: { pods: "100", cpu: "1k" } } },
    { returns: true },
  ),
  namespaced(
    "v1",
    "PersistentVolumeClaim",
    "persistentvolumeclaims",
    {
      spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "1Gi" } } },
    },
    { returns: true },
  ),
  namespaced("v1", "ReplicationController", "replicationcontrollers", {
    spec: { selector: LABELS, template: TEMPLATE },
  }),
  namespaced("v1", "PodTemplate", "podtemplates", { template: TEMPLATE }, { returns: true }),
  namespaced("v1", "Event", "events", {
    involvedObject: { kind: "Pod", name: "p", namespace: "default" },
    reason: "R",
    message: "m",
  }),
  cluster("v1", "Namespace", "namespaces", {}),
  cluster("v1", "Node", "nodes", { spec: { taints: [{ key: "k", effect: "NoSchedule" }] } }),
  cluster(
    "v1",
    "PersistentVolume",
    "persistentvolumes",
    {
      spec: { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], hostPath: { path: "/tmp/x" } },
    },
    { returns: true },
  ),
  namespaced("apps/v1", "Deployment", "deployments", { spec: deployment("x").spec }),
  namespaced("apps/v1", "ReplicaSet", "replicasets", { spec: { selector: SELECTOR, template: TEMPLATE } }),
  namespaced("apps/v1", "StatefulSet", "statefulsets", {
    spec: { selector: SELECTOR, template: TEMPLATE, serviceName: "x" },
  }),
  namespaced("apps/v1", "DaemonSet", "daemonsets", { spec: { selector: SELECTOR, template: TEMPLATE } }),
  namespaced("apps/v1", "ControllerRevision", "controllerrevisions", {
    revision: 1,
    data: { any: [1, "two"] },
  }),
  namespaced("batch/v1", "Job", "jobs", {
    spec: { template: { spec: { ...TEMPLATE.spec, restartPolicy: "Never" } } },
  }),
  namespaced("batch/v1", "CronJob", "cronjobs", {
    spec: {
      schedule: "* * * * *",
      jobTemplate: { spec: { template: { spec: { ...TEMPLATE.spec, restartPolicy: "Never" } } } },
    },
  }),
  namespaced("autoscaling/v2", "HorizontalPodAutoscaler", "horizontalpodautoscalers", {
    spec: { scaleTargetRef: { kind: "Deployment", name: "d", apiVersion: "apps/v1" }, maxReplicas: 3 },
  }),
  namespaced("autoscaling/v1", "HorizontalPodAutoscaler", "horizontalpodautoscalers", {
    spec: { scaleTargetRef: { kind: "Deployment", name: "d", apiVersion: "apps/v1" }, maxReplicas: 3 },
  }),
  namespaced("networking.k8s.io/v1", "NetworkPolicy", "networkpolicies", {
    spec: { podSelector: SELECTOR, ingress: [{}] },
  }),
  namespaced("networking.k8s.io/v1", "Ingress", "ingresses", {
    spec: { defaultBackend: { service: { name: "s", port: { number: 80 } } } },
  }),
  cluster("networking.k8s.io/v1", "IngressClass", "ingressclasses", {
    spec: { controller: "example.com/c" },
  }),
  namespaced("policy/v1", "PodDisruptionBudget", "poddisruptionbudgets", {
    spec: { minAvailable: "50%", selector: SELECTOR },
  }),
  namespaced("rbac.authorization.k8s.io/v1", "Role", "roles", {
    rules: [{ apiGroups: [""], resources: ["pods"], verbs: ["get"] }],
  }),
  namespaced("rbac.authorization.k8s.io/v1", "RoleBinding", "rolebindings", {
    roleRef: ROLE_REF,
    subjects: SUBJECTS,
  }),
  cluster("rbac.authorization.k8s.io/v1", "ClusterRole", "clusterroles", {
    rules: [{ nonResourceURLs: ["/x"], verbs: ["get"] }],
  }),
  cluster("rbac.authorization.k8s.io/v1", "ClusterRoleBinding", "clusterrolebindings", {
    roleRef: ROLE_REF,
    subjects: SUBJECTS,
  }),
  cluster("scheduling.k8s.io/v1", "PriorityClass", "priorityclasses", { value: 7 }),
  cluster(
    "storage.k8s.io/v1",
    "StorageClass",
    "storageclasses",
    { provisioner: "example.com/p", parameters: { a: "b" } },
    { returns: true },
  ),
  cluster("storage.k8s.io/v1", "CSIDriver", "csidrivers", { spec: {} }, { returns: true }),
  cluster("node.k8s.io/v1", "RuntimeClass", "runtimeclasses", { handler: "runc" }),
  namespaced("coordination.k8s.io/v1", "Lease", "leases", {
    spec: { holderIdentity: "me", renewTime: "2026-01-01T00:00:00.000001Z" },
  }),
  namespaced("discovery.k8s.io/v1", "EndpointSlice", "endpointslices", {
    addressType: "IPv4",
    endpoints: [{ addresses: ["10.0.0.1"], conditions: {} }],
    ports: [{ port: 80 }],
  }),
  namespaced("events.k8s.io/v1", "Event", "events", {
    eventTime: "2026-01-01T00:00:00.000000Z",
    regarding: { kind: "Pod", name: "p", namespace: "default" },
    reason: "R",
    action: "A",
    type: "Normal",
    reportingController: "example.com/c",
    reportingInstance: "i",
  }),
  cluster("flowcontrol.apiserver.k8s.io/v1", "PriorityLevelConfiguration", "prioritylevelconfigurations", {
    spec: { type: "Limited", limited: { nominalConcurrencyShares: 5, limitResponse: { type: "Reject" } } },
  }),
  cluster(
    "admissionregistration.k8s.io/v1",
    "ValidatingWebhookConfiguration",
    "validatingwebhookconfigurations",
    {
      webhooks: [
        {
          name: "a.example.com",
          clientConfig: { url: "https://example.com/x" },
          admissionReviewVersions: ["v1"],
          sideEffects: "None",
        },
      ],
    },
  ),
];

let server: TestServer;
before(async () => {
  server = await startTestServer();
  const account = { apiVersion: "v1", kind: "ServiceAccount", metadata: { name: "default" } };
  await server.create("/api/v1/namespaces/default/serviceaccounts", account);
});
after(() => server[Symbol.asyncDispose]());

for (const { apiVersion, kind, plural, namespaced, returns, body } of SAMPLES) {
  test(`${apiVersion} ${kind} lives its life`, async () => {
    const root = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
    const url = `${root}${namespaced ? "/namespaces/default" : ""}/${plural}`;
    const name = `life-${apiVersion.replace(/[^a-z0-9]/g, "-")}`;
    const one = `${url}/${name}`;
    const sent = { apiVersion, kind, metadata: { name }, ...body };

    const dry = await server.ask("POST", `${url}?dryRun=All`, { body: sent });
    assert.equal(dry.code, 201, dry.text);
    assert.equal((await server.get(one)).code, 404);
    const start = await server.store.current();
    const watch = server.watch(
      `${url}?watch=true&fieldSelector=metadata.name%3D${name}&resourceVersion=${start}`,
    );
    const created = await server.create(url, sent);
    assert.deepEqual([created.apiVersion, created.kind, created.metadata.name], [apiVersion, kind, name]);
    assert.deepEqual((await server.get(one)).object, created);
    assert.deepEqual((await watch.next()).object, created);

    const list = await server.get(`${url}?fieldSelector=metadata.name%3D${name}`);
    assert.deepEqual([list.object.kind, list.object.items.length], [`${kind}List`, 1]);
    const { apiVersion: _, kind: __, ...item } = created;
    assert.deepEqual(list.object.items[0], item);

    const same = await server.ask("PUT", one, { body: created });
    assert.deepEqual([same.code, same.object], [200, created], same.text);
    const packed = await server.get(one, { headers: { accept: PROTOBUF } });
    const repacked = await server.ask("PUT", one, {
      body: packed.bytes,
      headers: { "content-type": PROTOBUF },
    });
    assert.deepEqual([repacked.code, repacked.object], [200, created], repacked.text);
    const yaml = await server.get(one, { headers: { accept: "application/yaml" } });
    const rewritten = await server.ask("PUT", one, {
      body: yaml.bytes,
      headers: { "content-type": "application/yaml" },
    });
    assert.deepEqual([rewritten.code, rewritten.object], [200, created], rewritten.text);
    for (const type of ["merge-patch", "strategic-merge-patch"]) {
      const headers = { "content-type": `application/${type}+json` };
      const empty = await server.ask("PATCH", one, { headers, body: {} });
      assert.deepEqual([empty.code, empty.object], [200, created], empty.text);
    }

    const headers = { "content-type": "application/merge-patch+json" };
    const labeled = await server.ask("PATCH", one, {
      headers,
      body: { metadata: { labels: { added: "yes" } } },
    });
    assert.equal(labeled.code, 200, labeled.text);
    // The labels of an EndpointSlice count for its generation.
    const raised = kind === "EndpointSlice" ? 2 : created.metadata.generation;
    assert.equal(labeled.object.metadata.generation, raised);
    const modified = await watch.next();
    assert.deepEqual([modified.type, modified.object], ["MODIFIED", labeled.object]);
    const apply = { "content-type": "application/apply-patch+yaml" };
    const applied = await server.ask("PATCH", `${one}?fieldManager=me`, {
      headers: apply,
      body: JSON.stringify({ apiVersion, kind, metadata: { name, annotations: { applied: "yes" } } }),
    });
    assert.equal(applied.code, 200, applied.text);
    assert.equal(applied.object.metadata.annotations?.applied, "yes");
    assert.equal((await watch.next()).type, "MODIFIED");

    const table = await server.get(one, {
      headers: { accept: "application/json;as=Table;v=v1;g=meta.k8s.io" },
    });
    assert.equal(table.object.rows.length, 1);
    assert.equal(table.object.rows[0]!.cells.length, table.object.columnDefinitions?.length);

    const deleted = await server.ask("DELETE", one);
    assert.equal(deleted.code, 200, deleted.text);
    if (kind === "Namespace") return watch.close();
    const marked = deleted.object.metadata?.finalizers !== undefined;
    assert.equal(deleted.object.kind, returns || marked ? kind : "Status");
    if (marked) {
      assert.equal((await watch.next()).type, "MODIFIED");
      await server.ask("PATCH", one, { headers, body: { metadata: { finalizers: null } } });
    }
    assert.equal((await watch.next()).type, "DELETED");
    watch.close();
    assert.equal((await server.get(one)).code, 404);
  });
}
