import assert from "node:assert/strict";
import { test } from "node:test";
import type { KubeObject } from "../api/object.ts";
import type { Ports } from "../api/ports.ts";
import { defineResource, type Resource } from "../api/resource.ts";
import { bitString, integer, objectIdentifier, sequence, set, utf8String } from "../base/x509/der.ts";
import { startChain } from "./chain.ts";
import { ADMISSION, OPTIONAL_ADMISSION } from "./index.ts";
import type { AdmissionDeclaration, AdmissionRequest } from "./plugin.ts";

type Fields = Record<string, unknown>;
const object = (fields: Fields, metadata: Fields = {}) =>
  ({
    apiVersion: "v1",
    kind: "X",
    ...fields,
    metadata: { name: "x", namespace: "n", ...metadata },
  }) as unknown as KubeObject;

function resource(full: string): Resource {
  const [plural, ...group] = full.split(".");
  return defineResource({
    group: group.join("."),
    version: "v1",
    kind: plural!,
    plural: plural!,
    scope: "Namespaced",
    definition: "x",
  });
}

/** A server that holds `objects` by plural. */
function serverWith(objects: Record<string, KubeObject[]>): Ports {
  const all = (r: Resource) => objects[r.plural] ?? [];
  return {
    reader: {
      get: (r: Resource, _: string, name: string) => all(r).find((o) => o.metadata.name === name),
      list: (r: Resource) => all(r),
    },
    writer: {
      async update(r: Resource, _: string, name: string, change: (copy: KubeObject) => void) {
        const at = all(r).findIndex((o) => o.metadata.name === name);
        const copy = structuredClone(all(r)[at]!);
        change(copy);
        all(r)[at] = copy;
        return copy;
      },
    },
    random: { suffix: (length: number) => "bcdfg".slice(0, length) },
    authorizer: { authorize: () => ({ decision: "none", reason: "" }) },
  } as unknown as Ports;
}

const namespace = (name: string, status: Fields = {}) => object({ status }, { name });
const plugin = (name: string) => ADMISSION.filter((declaration) => declaration.name === name);
const ADMIN = { name: "admin", groups: ["system:masters"] };

interface Given {
  plugins?: readonly AdmissionDeclaration[];
  held?: Record<string, KubeObject[]>;
  request?: Partial<AdmissionRequest>;
}

async function admit(
  on: string,
  made: KubeObject | undefined,
  { plugins = ADMISSION, held = {}, request = {} }: Given,
) {
  const chain = startChain(plugins, serverWith({ namespaces: [namespace("n")], ...held }));
  const full: AdmissionRequest = {
    operation: "CREATE",
    resource: resource(on),
    subresource: "",
    namespace: "n",
    name: made?.metadata.name ?? "x",
    object: made,
    old: undefined,
    user: ADMIN,
    dryRun: false,
    now: "2026-01-01T00:00:00Z",
    warn: () => {},
    annotate: () => {},
    ...request,
  };
  await chain.mutate(full);
  await chain.validate(full);
  return made as unknown as KubeObject & { spec: Fields };
}

const container = { name: "c", image: "i" };
const pod = (spec: Fields = {}, metadata: Fields = {}) =>
  object({ spec: { containers: [{ ...container }], ...spec } }, metadata);
const accounts = { serviceaccounts: [object({}, { name: "default" })] };

test("the chain calls plugins in order, waits only where one does, and skips what is none of their business", async () => {
  const calls: string[] = [];
  const made = (name: string, on: AdmissionDeclaration["on"], waits: boolean): AdmissionDeclaration => ({
    name,
    summary: "",
    on,
    start: () => ({
      mutate() {
        calls.push(name);
        return waits ? Promise.resolve() : undefined;
      },
    }),
  });
  const chain = startChain(
    [
      made("a", [["pods", ["CREATE"]]], false),
      made("b", [["*", ["CREATE"]]], true),
      made("c", [["**", ["CREATE", "DELETE"]]], false),
      made("d", [["pods/status", ["CREATE"]]], false),
    ],
    serverWith({}),
  );
  const pods = resource("pods");
  const request = (more: Partial<AdmissionRequest>) =>
    ({ operation: "CREATE", resource: pods, subresource: "", ...more }) as AdmissionRequest;
  await chain.mutate(request({}));
  assert.deepEqual(calls.splice(0), ["a", "b", "c"]);
  assert.equal(chain.mutate(request({ subresource: "status" })), undefined);
  assert.deepEqual(calls.splice(0), ["c", "d"]);
  assert.equal(chain.mutate(request({ operation: "UPDATE" })), undefined);
  assert.equal(chain.validate(request({})), undefined);
  assert.deepEqual(calls, []);
});

test("ServiceAccount mounts a token exactly as upstream, in containers and init containers", async () => {
  const made = await admit("pods", pod({ initContainers: [{ name: "i" }], containers: [container] }), {
    plugins: plugin("ServiceAccount"),
    held: { serviceaccounts: [object({ imagePullSecrets: [{ name: "pull" }] }, { name: "default" })] },
  });
  const volumeMounts = [
    {
      name: "kube-api-access-bcdfg",
      readOnly: true,
      mountPath: "/var/run/secrets/kubernetes.io/serviceaccount",
    },
  ];
  assert.deepEqual(made.spec, {
    initContainers: [{ name: "i", volumeMounts }],
    containers: [{ ...container, volumeMounts }],
    serviceAccountName: "default",
    serviceAccount: "default",
    imagePullSecrets: [{ name: "pull" }],
    volumes: [
      {
        name: "kube-api-access-bcdfg",
        projected: {
          defaultMode: 420,
          sources: [
            { serviceAccountToken: { expirationSeconds: 3607, path: "token" } },
            { configMap: { items: [{ key: "ca.crt", path: "ca.crt" }], name: "kube-root-ca.crt" } },
            {
              downwardAPI: {
                items: [
                  { fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" }, path: "namespace" },
                ],
              },
            },
          ],
        },
      },
    ],
  });
});

const unmounted: [name: string, spec: Fields, account: Fields][] = [
  ["the pod says no", { automountServiceAccountToken: false }, { automountServiceAccountToken: true }],
  ["the account says no", {}, { automountServiceAccountToken: false }],
];
for (const [name, spec, account] of unmounted) {
  test(`ServiceAccount mounts nothing where ${name}`, async () => {
    const held = { serviceaccounts: [object(account, { name: "default" })] };
    const made = await admit("pods", pod(spec), { plugins: plugin("ServiceAccount"), held });
    assert.equal(made.spec.volumes, undefined);
  });
}

test("Priority, DefaultTolerationSeconds and LimitRanger complete a pod", async () => {
  const held = {
    ...accounts,
    priorityclasses: [object({ value: 7, globalDefault: true, preemptionPolicy: "Never" }, { name: "mid" })],
    limitranges: [
      object({
        spec: { limits: [{ type: "Container", default: { cpu: "1" }, defaultRequest: { cpu: "500m" } }] },
      }),
    ],
  };
  const made = await admit("pods", pod(), { held });
  const spec = made.spec as Fields & { containers: Fields[]; tolerations: unknown[] };
  assert.deepEqual([spec.priority, spec.priorityClassName, spec.preemptionPolicy], [7, "mid", "Never"]);
  const stay = { operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 };
  assert.deepEqual(spec.tolerations, [
    { key: "node.kubernetes.io/not-ready", ...stay },
    { key: "node.kubernetes.io/unreachable", ...stay },
  ]);
  assert.deepEqual(spec.containers[0]?.resources, { limits: { cpu: "1" }, requests: { cpu: "500m" } });
  assert.deepEqual(made.metadata.annotations, {
    "kubernetes.io/limit-ranger":
      "LimitRanger plugin set: cpu request for container c; cpu limit for container c",
  });
});

test("TaintNodesByCondition and StorageObjectInUseProtection mark new objects", async () => {
  const node = await admit("nodes", object({ spec: {} }), { request: { namespace: "" } });
  assert.deepEqual(node.spec.taints, [{ key: "node.kubernetes.io/not-ready", effect: "NoSchedule" }]);
  const claim = await admit("persistentvolumeclaims", object({ spec: {} }), {});
  assert.deepEqual(claim.metadata.finalizers, ["kubernetes.io/pvc-protection"]);
});

test("PodTopologyLabels gives a pod the zone and region of its node, and a binding those of its target", async () => {
  const zone = { "topology.kubernetes.io/zone": "a", "topology.kubernetes.io/region": "b" };
  const nodes = [
    object({}, { name: "n1", namespace: undefined, labels: { ...zone, pool: "x" } }),
    object({}, { name: "n2", namespace: undefined }),
  ];
  const given = { held: { nodes, ...accounts } };
  const labels = { app: "web", "topology.kubernetes.io/zone": "mine" };
  const labelled = (nodeName: string) => admit("pods", pod({ nodeName }, { labels }), given);
  assert.deepEqual((await labelled("n1")).metadata.labels, { app: "web", ...zone });
  assert.deepEqual((await labelled("n2")).metadata.labels, labels);
  assert.deepEqual((await labelled("gone")).metadata.labels, labels);
  const bind = async (target: Fields) => {
    const binding = object({ target }, { name: "p" });
    return (await admit("pods", binding, { ...given, request: { subresource: "binding" } })).metadata.labels;
  };
  assert.deepEqual(await bind({ kind: "Node", name: "n1" }), zone);
  assert.deepEqual(await bind({ name: "n1" }), zone);
  assert.equal(await bind({ kind: "Other", name: "n1" }), undefined);
  assert.equal(await bind({ kind: "Node", name: "n2" }), undefined);
});

test("DefaultStorageClass and DefaultIngressClass take the newest default", async () => {
  const two = (annotation: string) => [
    object({}, { name: "old", creationTimestamp: "2025", annotations: { [annotation]: "true" } }),
    object({}, { name: "new", creationTimestamp: "2026", annotations: { [annotation]: "true" } }),
  ];
  const held = {
    storageclasses: two("storageclass.kubernetes.io/is-default-class"),
    ingressclasses: two("ingressclass.kubernetes.io/is-default-class"),
  };
  const claim = await admit("persistentvolumeclaims", object({ spec: {} }), { held });
  assert.equal(claim.spec.storageClassName, "new");
  const ingress = await admit("ingresses.networking.k8s.io", object({ spec: {} }), { held });
  assert.equal(ingress.spec.ingressClassName, "new");
});

test("RuntimeClass gives a pod overhead, selector and tolerations", async () => {
  const scheduling = { nodeSelector: { kata: "yes" }, tolerations: [{ key: "kata" }] };
  const held = {
    runtimeclasses: [object({ overhead: { podFixed: { cpu: "1" } }, scheduling }, { name: "kata" })],
  };
  const made = await admit("pods", pod({ runtimeClassName: "kata" }), {
    plugins: plugin("RuntimeClass"),
    held,
  });
  const { overhead, nodeSelector, tolerations } = made.spec as Fields;
  assert.deepEqual(
    { overhead: { podFixed: overhead }, scheduling: { nodeSelector, tolerations } },
    { overhead: { podFixed: { cpu: "1" } }, scheduling },
  );
});

const limited = (item: Fields) => ({ ...accounts, limitranges: [object({ spec: { limits: [item] } })] });
const quota = (hard: Fields, used: Fields, spec: Fields = {}) => ({
  ...accounts,
  resourcequotas: [object({ spec: { hard, ...spec }, status: { hard, used } }, { name: "q" })],
});
const kubelet = { user: { name: "system:node:n1", groups: ["system:nodes"] } };
const nodeUpdate = (fields: Fields, metadata: Fields = {}) => ({
  on: "nodes",
  made: object(fields, { name: "n1", ...metadata }),
  request: {
    operation: "UPDATE",
    namespace: "",
    old: object({ spec: {} }, { name: "n1" }),
    ...kubelet,
  } as Partial<AdmissionRequest>,
});
const refusals: (Given & { name: string; on: string; made: KubeObject | undefined; message: string })[] = [
  {
    name: "an object in a namespace that is not there",
    on: "configmaps",
    made: object({}),
    held: { namespaces: [] },
    message: 'namespaces "n" not found',
  },
  {
    name: "an object in a terminating namespace",
    on: "configmaps",
    made: object({}),
    held: { namespaces: [namespace("n", { phase: "Terminating" })] },
    message:
      'configmaps "x" is forbidden: unable to create new content in namespace n because it is being terminated',
  },
  {
    name: "the end of kube-system",
    on: "namespaces",
    made: undefined,
    request: { operation: "DELETE", name: "kube-system", namespace: "" },
    message: 'namespaces "kube-system" is forbidden: this namespace may not be deleted',
  },
  {
    name: "a pod without its account",
    on: "pods",
    made: pod({ serviceAccountName: "who" }),
    message: 'pods "x" is forbidden: error looking up service account n/who: serviceaccount "who" not found',
  },
  {
    name: "a mirror pod with secrets of a later list",
    on: "pods",
    made: pod(
      { ephemeralContainers: [{ name: "e", envFrom: [{ secretRef: { name: "s" } }] }] },
      { annotations: { "kubernetes.io/config.mirror": "h" } },
    ),
    held: accounts,
    message: 'pods "x" is forbidden: a mirror pod may not reference secrets',
  },
  {
    name: "an unknown priority class",
    on: "pods",
    made: pod({ priorityClassName: "p" }),
    held: accounts,
    message: 'pods "x" is forbidden: no PriorityClass with name p was found',
  },
  {
    name: "a priority of the pod's own",
    on: "pods",
    made: pod({ priority: 9 }),
    held: accounts,
    message:
      'pods "x" is forbidden: the integer value of priority (9) must not be provided in pod spec; priority admission controller computed 0 from the given PriorityClass name',
  },
  {
    name: "a second default class",
    on: "priorityclasses.scheduling.k8s.io",
    made: object({ globalDefault: true }),
    held: { priorityclasses: [object({ globalDefault: true }, { name: "first" })] },
    request: { namespace: "" },
    message:
      'priorityclasses.scheduling.k8s.io "x" is forbidden: PriorityClass first is already marked as default. Only one default can exist',
  },
  {
    name: "a container over the maximum",
    on: "pods",
    made: pod({
      initContainers: [{ name: "i", resources: { limits: { cpu: "3" } } }],
      containers: [{ ...container, resources: { limits: { cpu: "1" } } }],
    }),
    held: limited({ type: "Container", max: { cpu: "2" } }),
    message: 'pods "x" is forbidden: maximum cpu usage per Container is 2, but limit is 3',
  },
  {
    name: "a container without what has a minimum",
    on: "pods",
    made: pod(),
    held: limited({ type: "Container", min: { cpu: "1" } }),
    message: 'pods "x" is forbidden: minimum cpu usage per Container is 1.  No request is specified',
  },
  {
    name: "a pod over the maximum together",
    on: "pods",
    made: pod({
      containers: [1, 2].map((i) => ({
        name: `c${i}`,
        resources: { limits: { memory: "1Gi" }, requests: { memory: "1Gi" } },
      })),
    }),
    held: limited({ type: "Pod", max: { memory: "1Gi" } }),
    message: 'pods "x" is forbidden: maximum memory usage per Pod is 1Gi, but limit is 2Gi',
  },
  {
    name: "too large a claim",
    on: "persistentvolumeclaims",
    made: object({ spec: { resources: { requests: { storage: "2Gi" } } } }),
    held: limited({ type: "PersistentVolumeClaim", max: { storage: "1Gi" } }),
    message:
      'persistentvolumeclaims "x" is forbidden: maximum storage usage per PersistentVolumeClaim is 1Gi, but request is 2Gi',
  },
  {
    name: "a pod over the quota",
    on: "pods",
    made: pod({ containers: [{ ...container, resources: { requests: { cpu: "600m" } } }] }),
    held: quota({ "requests.cpu": "1", pods: "9" }, { "requests.cpu": "500m", pods: "1" }),
    message:
      'pods "x" is forbidden: exceeded quota: q, requested: requests.cpu=600m, used: requests.cpu=500m, limited: requests.cpu=1',
  },
  {
    name: "a pod that does not say what a quota limits",
    on: "pods",
    made: pod({ initContainers: [{ name: "i" }] }),
    held: quota({ "limits.cpu": "1" }, { "limits.cpu": "0" }),
    message: 'pods "x" is forbidden: failed quota: q: must specify limits.cpu for: c,i',
  },
  {
    name: "an object over its count",
    on: "deployments.apps",
    made: object({}),
    held: quota({ "count/deployments.apps": "1" }, { "count/deployments.apps": "1" }),
    message:
      'deployments.apps "x" is forbidden: exceeded quota: q, requested: count/deployments.apps=1, used: count/deployments.apps=1, limited: count/deployments.apps=1',
  },
  {
    name: "a quota whose use is not known yet",
    on: "secrets",
    made: object({}),
    held: { resourcequotas: [object({ spec: { hard: { secrets: "1" } } }, { name: "q" })] },
    message: 'secrets "x" is forbidden: status unknown for quota: q, resources: secrets',
  },
  {
    name: "a node port over the quota",
    on: "services",
    made: object({ spec: { type: "NodePort", ports: [{}, {}] } }),
    held: quota({ "services.nodeports": "1" }, { "services.nodeports": "0" }),
    message:
      'services "x" is forbidden: exceeded quota: q, requested: services.nodeports=2, used: services.nodeports=0, limited: services.nodeports=1',
  },
  {
    name: "storage of a class over the quota",
    on: "persistentvolumeclaims",
    made: object({ spec: { storageClassName: "gold", resources: { requests: { storage: "2Gi" } } } }),
    held: quota(
      { "gold.storageclass.storage.k8s.io/requests.storage": "1Gi" },
      { "gold.storageclass.storage.k8s.io/requests.storage": "0" },
    ),
    message:
      'persistentvolumeclaims "x" is forbidden: exceeded quota: q, requested: gold.storageclass.storage.k8s.io/requests.storage=2Gi, used: gold.storageclass.storage.k8s.io/requests.storage=0, limited: gold.storageclass.storage.k8s.io/requests.storage=1Gi',
  },
  {
    name: "new external IPs",
    on: "services",
    made: object({ spec: { externalIPs: ["1.2.3.4"] } }),
    message: 'services "x" is forbidden: Use of external IPs is denied by admission control',
  },
  {
    name: "a kubelet's change of another node",
    ...nodeUpdate({ spec: {} }, { name: "n2" }),
    message: 'nodes "n2" is forbidden: node "n1" is not allowed to modify node "n2"',
  },
  {
    name: "a kubelet's change of its taints",
    ...nodeUpdate({ spec: { taints: [{ key: "a" }] } }),
    message: 'nodes "n1" is forbidden: node "n1" is not allowed to modify taints',
  },
  {
    name: "a kubelet's change of its owners",
    ...nodeUpdate({ spec: {} }, { ownerReferences: [{ name: "a" }] }),
    message: 'nodes "n1" is forbidden: node "n1" is not allowed to modify ownerReferences',
  },
  {
    name: "a kubelet's restricted labels",
    ...nodeUpdate({ spec: {} }, { labels: { "node-restriction.kubernetes.io/a": "b" } }),
    message: 'nodes "n1" is forbidden: is not allowed to modify labels: node-restriction.kubernetes.io/a',
  },
  {
    name: "a kubelet's pod that is no mirror",
    on: "pods",
    made: pod({ nodeName: "n1" }),
    held: accounts,
    request: kubelet,
    message:
      'pods "x" is forbidden: pod does not have "kubernetes.io/config.mirror" annotation, node "n1" can only create mirror pods',
  },
  {
    name: "a kubelet's end of a pod elsewhere",
    on: "pods",
    made: undefined,
    request: { operation: "DELETE", old: pod({ nodeName: "n2" }), ...kubelet },
    message: 'pods "x" is forbidden: node "n1" can only delete pods with spec.nodeName set to itself',
  },
  {
    name: "approval by who may not approve",
    on: "certificatesigningrequests.certificates.k8s.io",
    made: object({}),
    request: {
      operation: "UPDATE",
      subresource: "approval",
      namespace: "",
      old: object({ spec: { signerName: "a.com/b" } }),
    },
    message:
      'certificatesigningrequests.certificates.k8s.io "x" is forbidden: user not permitted to approve requests with signerName "a.com/b"',
  },
];

const claim = (storage: string, status: Fields = {}) =>
  object({ spec: { storageClassName: "s", resources: { requests: { storage } } }, status });
refusals.push(
  {
    name: "growth of a claim that is not bound",
    on: "persistentvolumeclaims",
    made: claim("2Gi"),
    request: { operation: "UPDATE", old: claim("1Gi") },
    message: 'persistentvolumeclaims "x" is forbidden: Only bound persistent volume claims can be expanded',
  },
  {
    name: "growth of a claim whose class cannot",
    on: "persistentvolumeclaims",
    made: claim("2Gi"),
    held: { storageclasses: [object({}, { name: "s" })] },
    request: { operation: "UPDATE", old: claim("1Gi", { phase: "Bound" }) },
    message:
      'persistentvolumeclaims "x" is forbidden: only dynamically provisioned pvc can be resized and the storageclass that provisions the pvc must support resize',
  },
  {
    name: "an owner from who may not delete, where that is asked for",
    on: "configmaps",
    made: object({}, { ownerReferences: [{ name: "o" }] }),
    plugins: OPTIONAL_ADMISSION,
    message: 'configmaps "x" is forbidden: cannot set an ownerRef on a resource you can\'t delete',
  },
);

for (const { name, on, made, message, ...given } of refusals) {
  test(`admission refuses ${name}`, async () => {
    await assert.rejects(admit(on, made, given), { message });
  });
}

function signingRequest(organization: string): KubeObject {
  const name = sequence(set(sequence(objectIdentifier("2.5.4.10"), utf8String(organization))));
  const information = sequence(integer(Uint8Array.of(0)), name, sequence());
  const der = sequence(information, sequence(objectIdentifier("1.2.3")), bitString(Uint8Array.of()));
  const pem = `-----BEGIN CERTIFICATE REQUEST-----\n${btoa(String.fromCharCode(...der))}\n-----END CERTIFICATE REQUEST-----\n`;
  return object({ spec: { signerName: "kubernetes.io/kube-apiserver-client", request: btoa(pem) } });
}

test("CertificateSubjectRestriction refuses system:masters, what it cannot read, and nothing else", async () => {
  const on = "certificatesigningrequests.certificates.k8s.io";
  const request = { namespace: "" };
  await admit(on, signingRequest("dev"), { request });
  await assert.rejects(admit(on, signingRequest("system:masters"), { request }), {
    message: `${on} "x" is forbidden: use of kubernetes.io/kube-apiserver-client signer with system:masters group is not allowed`,
  });
  const unreadable = object({ spec: { signerName: "kubernetes.io/kube-apiserver-client", request: "AAAA" } });
  await assert.rejects(admit(on, unreadable, { request }), /failed to parse CSR/);
});

test("ResourceQuota lets as many of many requests at once through as there is room", async () => {
  const held = quota({ configmaps: "3" }, { configmaps: "0" });
  const results = await Promise.allSettled(
    Array.from({ length: 10 }, (_, i) => admit("configmaps", object({}, { name: `c${i}` }), { held })),
  );
  assert.equal(results.filter(({ status }) => status === "fulfilled").length, 3);
  assert.deepEqual((held.resourcequotas[0] as unknown as { status: Fields }).status.used, {
    configmaps: "3",
  });
});

const scopes: [scope: Fields, spec: Fields, counts: boolean][] = [
  [{ scopes: ["Terminating"] }, { activeDeadlineSeconds: 5 }, true],
  [{ scopes: ["NotTerminating"] }, { activeDeadlineSeconds: 5 }, false],
  [{ scopes: ["BestEffort"] }, {}, true],
  [{ scopes: ["NotBestEffort"] }, {}, false],
  [
    {
      scopeSelector: { matchExpressions: [{ scopeName: "PriorityClass", operator: "In", values: ["high"] }] },
    },
    {},
    false,
  ],
  [
    { scopes: ["CrossNamespacePodAffinity"] },
    {
      affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [{ namespaces: ["o"] }] } },
    },
    true,
  ],
];
for (const [scope, spec, counts] of scopes) {
  test(`ResourceQuota with ${JSON.stringify(scope)} ${counts ? "counts" : "leaves out"} a pod with ${JSON.stringify(spec)}`, async () => {
    const held = quota({ pods: "3" }, { pods: "0" }, scope);
    await admit("pods", pod(spec), { held });
    const { used } = (held.resourcequotas[0] as unknown as { status: { used: Fields } }).status;
    assert.deepEqual(used, { pods: counts ? "1" : "0" });
  });
}
