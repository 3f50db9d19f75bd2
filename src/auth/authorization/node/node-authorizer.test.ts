import assert from "node:assert/strict";
import { test } from "node:test";
import type { Attributes } from "../../../api/user.ts";
import { MemoryServer, plainKind } from "../../testing/memory-server.ts";
import { nodeAuthorizer } from "./node-authorizer.ts";
import { type NodeGraphKinds, openNodeGraph, type VolumeShape } from "./node-graph.ts";
import type { PodShape } from "./pod-references.ts";

const kinds: NodeGraphKinds = {
  pods: plainKind("Pod", "pods"),
  persistentVolumes: plainKind("PersistentVolume", "persistentvolumes"),
  volumeAttachments: plainKind("VolumeAttachment", "volumeattachments", "storage.k8s.io"),
};
const n1 = { name: "system:node:n1", groups: ["system:nodes", "system:authenticated"] };
const UNRELATED = "no relationship found between node 'n1' and this object";

function open() {
  const server = new MemoryServer();
  const authorizer = nodeAuthorizer(openNodeGraph(server.reader, kinds));
  const ask = (verb: string, path: string, more: Partial<Attributes> = {}) => {
    const [resource = "", name = "", namespace = "default"] = path.split(" ");
    const empty = { group: "", version: "v1", subresource: "", path: "", isResource: true };
    const answer = authorizer.authorize({ ...empty, user: n1, verb, resource, name, namespace, ...more });
    assert.ok(!(answer instanceof Promise));
    return answer.decision === "allow" ? "allow" : answer.reason;
  };
  return { server, authorizer, ask };
}

function pod(
  name: string,
  nodeName: string | undefined,
  spec: Partial<PodShape["spec"]>,
  more = {},
): PodShape {
  const metadata = { name, namespace: "default", uid: name, ...more };
  return { apiVersion: "v1", kind: "Pod", metadata, spec: { ...spec, ...(nodeName ? { nodeName } : {}) } };
}

const everything: PodShape["spec"] = {
  serviceAccountName: "bot",
  imagePullSecrets: [{ name: "pull" }],
  containers: [{ env: [{ valueFrom: { secretKeyRef: { name: "env" } } }] }],
  initContainers: [{ envFrom: [{ configMapRef: { name: "from" } }] }],
  volumes: [
    { name: "a", secret: { secretName: "files" } },
    { name: "b", projected: { sources: [{ configMap: { name: "projected" } }] } },
    { name: "c", persistentVolumeClaim: { claimName: "data" } },
    { name: "d", ephemeral: {} },
  ],
};

test("a node reads what its pods name, as long as they are its pods", () => {
  const { server, ask } = open();
  const named = [
    "secrets pull",
    "secrets env",
    "secrets files",
    "configmaps from",
    "configmaps projected",
    "persistentvolumeclaims data",
    "persistentvolumeclaims web-d",
    "pods web",
  ];
  const answers = () => [...new Set(named.map((path) => ask("get", path)))];
  server.put(kinds.pods, pod("web", undefined, everything));
  assert.deepEqual(answers(), [UNRELATED]);
  server.put(kinds.pods, pod("web", "n1", everything));
  server.put(kinds.pods, pod("web2", "n1", { imagePullSecrets: [{ name: "pull" }] }));
  assert.deepEqual(answers(), ["allow"]);
  assert.equal(ask("create", "serviceaccounts bot", { subresource: "token" }), "allow");
  assert.equal(ask("get", "secrets other"), UNRELATED);
  assert.equal(ask("get", "secrets pull other-namespace"), UNRELATED);
  server.remove(kinds.pods, "default", "web");
  assert.equal(ask("get", "secrets pull"), "allow", "another pod still names it");
  assert.equal(ask("get", "secrets env"), UNRELATED);
});

test("a mirror pod gives its node nothing to read but itself", () => {
  const { server, ask } = open();
  const annotations = { "kubernetes.io/config.mirror": "x" };
  server.put(kinds.pods, pod("web", "n1", everything, { annotations }));
  assert.equal(ask("get", "pods web"), "allow");
  assert.equal(ask("get", "secrets env"), UNRELATED);
});

test("a node reads the volumes of its pods' claims and the secrets of those", () => {
  const { server, ask } = open();
  const spec = {
    claimRef: { namespace: "default", name: "data" },
    csi: { nodeStageSecretRef: { name: "s", namespace: "csi" } },
  };
  const volume: VolumeShape = { apiVersion: "v1", kind: "PersistentVolume", metadata: { name: "pv" }, spec };
  server.put(kinds.persistentVolumes, volume);
  assert.equal(ask("get", "persistentvolumes pv", { namespace: "" }), UNRELATED);
  server.put(kinds.pods, pod("web", "n1", everything));
  assert.equal(ask("get", "persistentvolumes pv", { namespace: "" }), "allow");
  assert.equal(ask("get", "secrets s csi"), "allow");
  server.remove(kinds.persistentVolumes, "", "pv");
  assert.equal(ask("get", "secrets s csi"), UNRELATED);
  const storage = { group: "storage.k8s.io", namespace: "" };
  server.put(kinds.volumeAttachments, {
    apiVersion: "storage.k8s.io/v1",
    kind: "VolumeAttachment",
    metadata: { name: "va" },
    spec: { nodeName: "n1" },
  });
  assert.equal(ask("get", "volumeattachments va", storage), "allow");
  assert.equal(ask("list", "volumeattachments", storage), "can only get individual resources of this type");
});

test("a node sees to its own objects only", () => {
  const { ask } = open();
  const lease = { group: "coordination.k8s.io" };
  assert.equal(ask("update", "leases n1 kube-node-lease", lease), "allow");
  assert.match(ask("update", "leases n2 kube-node-lease", lease), /same name as the requesting node/);
  assert.equal(
    ask("get", "leases n1", lease),
    'can only access leases in the "kube-node-lease" system namespace',
  );
  assert.equal(ask("get", "nodes n1", { namespace: "" }), "allow");
  assert.equal(
    ask("get", "nodes n2", { namespace: "" }),
    "node 'n1' cannot read 'n2', only its own Node object",
  );
  assert.equal(ask("delete", "nodes n1", { namespace: "" }), "");
  const selector = "can only list/watch pods with spec.nodeName field selector";
  assert.equal(ask("watch", "pods"), selector);
  assert.equal(ask("watch", "pods", { fieldSelector: "spec.nodeName=n1" }), "allow");
  assert.equal(ask("watch", "pods", { fieldSelector: "spec.nodeName!=n1" }), selector);
  assert.equal(ask("watch", "pods", { fieldSelector: "spec.nodeName=n12" }), selector);
  assert.equal(ask("list", "secrets"), "No Object name found");
  assert.equal(ask("update", "secrets env"), "can only read resources of this type");
  assert.equal(ask("list", "services", { namespace: "" }), "allow", "by the rules of system:node");
  assert.equal(ask("list", "deployments", { group: "apps" }), "");
});

test("only members of system:nodes with a node's name are nodes", () => {
  const { ask } = open();
  assert.equal(ask("get", "nodes n1", { user: { name: "system:node:n1", groups: [] } }), "");
  assert.equal(ask("get", "nodes n1", { user: { name: "n1", groups: ["system:nodes"] } }), "");
  assert.equal(
    ask("get", "nodes n1", { user: { name: "system:node:", groups: ["system:nodes"] } }),
    'unknown node for user "system:node:"',
  );
});
