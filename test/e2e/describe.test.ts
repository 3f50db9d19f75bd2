import assert from "node:assert/strict";
import { test } from "node:test";
import { startServer } from "./server.ts";

const server = await startServer();
await server.ok("create serviceaccount default");

const labels = { app: "web" };
const template = { metadata: { labels }, spec: { containers: [{ name: "app", image: "app:1" }] } };
const selector = { matchLabels: labels };
const storage = { resources: { requests: { storage: "1Gi" } }, accessModes: ["ReadWriteOnce"] };
const backend = { service: { name: "web", port: { number: 80 } } };
const target = { apiVersion: "apps/v1", kind: "Deployment", name: "web" };

/** Kind, its apiVersion, and the rest of an object named web. */
const OBJECTS: readonly (readonly [kind: string, apiVersion: string, rest: object, says: RegExp])[] = [
  ["ConfigMap", "v1", { data: { a: "b" } }, /^Data\n====\na:\n----\nb$/m],
  ["Secret", "v1", { data: { a: "Yg==" } }, /^Type: +Opaque$/m],
  ["ServiceAccount", "v1", {}, /^Image pull secrets: +<none>$/m],
  ["Pod", "v1", { spec: template.spec }, /^Status: +Pending$/m],
  ["Service", "v1", { spec: { selector: labels, ports: [{ port: 80 }] } }, /^Type: +ClusterIP$/m],
  [
    "Endpoints",
    "v1",
    { subsets: [{ addresses: [{ ip: "10.0.0.1" }], ports: [{ port: 80 }] }] },
    /10\.0\.0\.1/,
  ],
  ["PersistentVolumeClaim", "v1", { spec: storage }, /^Status: +Pending$/m],
  [
    "PersistentVolume",
    "v1",
    { spec: { capacity: { storage: "1Gi" }, accessModes: ["ReadWriteOnce"], hostPath: { path: "/x" } } },
    /^Reclaim Policy: +Retain$/m,
  ],
  ["ResourceQuota", "v1", { spec: { hard: { pods: "100" } } }, /^Resource +Used +Hard$/m],
  ["LimitRange", "v1", { spec: { limits: [{ type: "Pod", max: { cpu: "4" } }] } }, /^Pod +cpu +- +4/m],
  [
    "ReplicationController",
    "v1",
    { spec: { selector: labels, template } },
    /^Replicas: +0 current \/ 1 desired$/m,
  ],
  ["PodTemplate", "v1", { template }, /^Kind: +PodTemplate$/m],
  ["Node", "v1", {}, /^Unschedulable: +false$/m],
  ["Namespace", "v1", {}, /^Status: +Active$/m],
  ["Deployment", "apps/v1", { spec: { selector, template } }, /^StrategyType: +RollingUpdate$/m],
  ["ReplicaSet", "apps/v1", { spec: { selector, template } }, /^Replicas: +0 current \/ 1 desired$/m],
  [
    "StatefulSet",
    "apps/v1",
    { spec: { selector, template, serviceName: "web" } },
    /^Update Strategy: +RollingUpdate$/m,
  ],
  ["DaemonSet", "apps/v1", { spec: { selector, template } }, /^Desired Number of Nodes Scheduled: +0$/m],
  ["ControllerRevision", "apps/v1", { revision: 1, data: { a: 1 } }, /^Revision: +1$/m],
  [
    "Job",
    "batch/v1",
    { spec: { template: { spec: { ...template.spec, restartPolicy: "Never" } } } },
    /^Completion Mode: +NonIndexed$/m,
  ],
  [
    "CronJob",
    "batch/v1",
    {
      spec: {
        schedule: "@daily",
        jobTemplate: { spec: { template: { spec: { ...template.spec, restartPolicy: "Never" } } } },
      },
    },
    /^Schedule: +@daily$/m,
  ],
  ["Ingress", "networking.k8s.io/v1", { spec: { defaultBackend: backend } }, /^Default backend: +web:80/m],
  ["IngressClass", "networking.k8s.io/v1", { spec: { controller: "a.b/c" } }, /^Controller: +a\.b\/c$/m],
  [
    "NetworkPolicy",
    "networking.k8s.io/v1",
    { spec: { podSelector: {}, policyTypes: ["Ingress"], ingress: [{ from: [{ podSelector: selector }] }] } },
    /^ {2}Policy Types: Ingress$/m,
  ],
  ["PodDisruptionBudget", "policy/v1", { spec: { maxUnavailable: 1, selector } }, /^Max unavailable: +1$/m],
  [
    "HorizontalPodAutoscaler",
    "autoscaling/v2",
    { spec: { maxReplicas: 3, scaleTargetRef: target } },
    /^Reference: +Deployment\/web$/m,
  ],
  [
    "EndpointSlice",
    "discovery.k8s.io/v1",
    { addressType: "IPv4", endpoints: [{ addresses: ["10.0.0.1"] }] },
    /^AddressType: +IPv4$/m,
  ],
  ["Lease", "coordination.k8s.io/v1", { spec: { holderIdentity: "me" } }, /^ {2}Holder Identity: +me$/m],
  ["PriorityClass", "scheduling.k8s.io/v1", { value: 7 }, /^Value: +7$/m],
  ["RuntimeClass", "node.k8s.io/v1", { handler: "runc" }, /^Handler: +runc$/m],
  ["StorageClass", "storage.k8s.io/v1", { provisioner: "a.b/c" }, /^Provisioner: +a\.b\/c$/m],
  ["CSIDriver", "storage.k8s.io/v1", { spec: {} }, /^ {2}Attach Required: +true$/m],
  ["Role", "rbac.authorization.k8s.io/v1", { rules: [] }, /^PolicyRule:$/m],
  [
    "RoleBinding",
    "rbac.authorization.k8s.io/v1",
    { roleRef: { kind: "Role", name: "web", apiGroup: "rbac.authorization.k8s.io" } },
    /^ {2}Name: +web$/m,
  ],
];

test("kubectl create takes one of every common kind in a file of several documents", async () => {
  const items = OBJECTS.map(([kind, apiVersion, rest]) => ({
    apiVersion,
    kind,
    metadata: { name: kind === "CSIDriver" ? "web.example" : "web" },
    ...rest,
  }));
  const said = await server.ok("create -f -", { input: { apiVersion: "v1", kind: "List", items } });
  assert.equal(said.trim().split("\n").length, OBJECTS.length);
  assert.ok(
    said
      .trim()
      .split("\n")
      .every((line) => line.endsWith(" created")),
  );
});

test("kubectl describe prints every common kind", async () => {
  for (const [kind, apiVersion, , says] of OBJECTS) {
    const [group = "", version] = apiVersion.includes("/") ? apiVersion.split("/") : ["", apiVersion];
    const name = kind === "CSIDriver" ? "web.example" : "web";
    const said = await server.ok(`describe ${kind}.${version}.${group} ${name}`);
    assert.match(said, new RegExp(`^Name: +${name}$`, "m"));
    assert.match(said, says, `${kind}\n${said}`);
  }
});

test("kubectl describe finds objects by prefix and label, and says what is not there", async () => {
  assert.match(await server.ok("describe deployment we"), /^Name: +web$/m);
  await server.ok("label secret web found=yes");
  assert.match(await server.ok("describe secrets -l found=yes"), /^Name: +web$/m);
  assert.equal(
    await server.refused("describe pod absent"),
    'Error from server (NotFound): pods "absent" not found\n',
  );
});

test("kubectl describe and events show events, of either version of the API", async () => {
  const { metadata } = await server.json("get pod web");
  const about = { apiVersion: "v1", kind: "Pod", name: "web", namespace: "default", uid: metadata.uid };
  const time = new Date().toISOString();
  const second = time.replace(/\.\d+Z$/, "Z");
  await server.ok("create -f -", {
    input: {
      apiVersion: "v1",
      kind: "Event",
      metadata: { name: "web.1" },
      involvedObject: about,
      type: "Warning",
      reason: "Slow",
      message: "It is slow",
      firstTimestamp: second,
      lastTimestamp: second,
      count: 1,
      source: { component: "test" },
    },
  });
  await server.ok("create -f -", {
    input: {
      apiVersion: "events.k8s.io/v1",
      kind: "Event",
      metadata: { name: "web.2", namespace: "default" },
      regarding: about,
      type: "Normal",
      reason: "Quick",
      note: "It is quick",
      eventTime: time.replace("Z", "000Z"),
      action: "Test",
      reportingController: "example.com/test",
      reportingInstance: "test-1",
    },
  });
  assert.match(await server.ok("describe pod web"), /Events:[\s\S]*Warning +Slow .*test +It is slow/);
  const said = await server.ok("events --for pod/web");
  assert.match(said, /Warning +Slow +Pod\/web +It is slow/);
  assert.match(said, /Normal +Quick +Pod\/web +It is quick/);
  assert.doesNotMatch(await server.ok("events --types Warning"), /Quick/);
  const field = "--field-selector involvedObject.name=web,reason=Slow";
  assert.equal(await server.ok(`get events ${field} -o name`), "event/web.1\n");
  const other = await server.json("get events.v1.events.k8s.io web.1");
  assert.equal(other.note, "It is slow");
});
