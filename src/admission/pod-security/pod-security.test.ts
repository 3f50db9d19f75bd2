import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { parse } from "yaml";
import { Namespace } from "../../api/core/namespace.ts";
import type { KubeObject } from "../../api/object.ts";
import type { Ports } from "../../api/ports.ts";
import { defineResource } from "../../api/resource.ts";
import type { PodSpec } from "../../api/schema/core.v1.generated.ts";
import type { AdmissionRequest } from "../plugin.ts";
import { podSecurity } from "./pod-security.ts";
import { violations } from "./policy.ts";

const pods = new URL("../../../../shared/reference/pod-security/", import.meta.url);

for (const level of ["baseline", "restricted"]) {
  for (const verdict of ["pass", "fail"]) {
    const folder = new URL(`${level}/${verdict}/`, pods);
    const here = existsSync(folder);
    test(`the example pods that ${level} lets ${verdict} do`, { skip: !here && "no reference data" }, () => {
      const names = readdirSync(folder);
      assert.ok(names.length > 10);
      const wrong = names.filter((name) => {
        const pod = parse(readFileSync(new URL(name, folder), "utf8"));
        const found = violations(pod.spec, pod.metadata, { level, version: "latest" });
        return (found === undefined) !== (verdict === "pass");
      });
      assert.deepEqual(wrong, []);
    });
  }
}

const open: PodSpec = { containers: [{ name: "a" }] };
const privileged = { securityContext: { privileged: true } };
const baseline = { level: "baseline", version: "latest" };
const restricted = { level: "restricted", version: "latest" };

test("a pod that says nothing violates restricted in upstream's words", () => {
  assert.equal(
    violations(open, {}, restricted),
    'allowPrivilegeEscalation != false (container "a" must set securityContext.allowPrivilegeEscalation=false), unrestricted capabilities (container "a" must set securityContext.capabilities.drop=["ALL"]), runAsNonRoot != true (pod or container "a" must set securityContext.runAsNonRoot=true), seccompProfile (pod or container "a" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost")',
  );
});

for (const list of ["initContainers", "containers", "ephemeralContainers"] as const) {
  test(`a privileged container among ${list} violates baseline`, () => {
    const spec = { ...open, [list]: [{ name: "x", ...privileged }] } as PodSpec;
    assert.equal(
      violations(spec, {}, baseline),
      'privileged (container "x" must not set securityContext.privileged=true)',
    );
  });
}

const sentences: [name: string, spec: Partial<PodSpec>, text: string][] = [
  [
    "host namespaces",
    { hostNetwork: true, hostPID: true },
    "host namespaces (hostNetwork=true, hostPID=true)",
  ],
  ["hostPath", { volumes: [{ name: "v", hostPath: { path: "/" } }] }, 'hostPath volumes (volume "v")'],
  [
    "sysctls",
    { securityContext: { sysctls: [{ name: "kernel.msgmax", value: "1" }] } },
    "forbidden sysctls (kernel.msgmax)",
  ],
  [
    "ports",
    { containers: [{ name: "a", ports: [{ containerPort: 1, hostPort: 80 }] }] },
    'hostPort (container "a" uses hostPort 80)',
  ],
];
for (const [name, spec, text] of sentences) {
  test(`violations names ${name} in upstream's words`, () => {
    assert.equal(violations({ ...open, ...spec }, {}, baseline), text);
  });
}

test("a version pins what is asked", () => {
  const spec: PodSpec = { containers: [{ name: "a", livenessProbe: { httpGet: { port: 1, host: "x" } } }] };
  assert.equal(violations(spec, {}, { level: "baseline", version: "v1.33" }), undefined);
  assert.match(violations(spec, {}, { level: "baseline", version: "v1.34" })!, /^probe or lifecycle host/);
});

const podResource = defineResource({
  group: "",
  version: "v1",
  kind: "Pod",
  plural: "pods",
  scope: "Namespaced",
  definition: "core.v1.Pod",
});
const deployments = defineResource({
  group: "apps",
  version: "v1",
  kind: "Deployment",
  plural: "deployments",
  scope: "Namespaced",
  definition: "apps.v1.Deployment",
});

function judge(labels: Record<string, string>, request: Partial<AdmissionRequest>) {
  const namespace = { apiVersion: "v1", kind: "Namespace", metadata: { name: "n", labels } };
  const reader = { get: () => namespace } as unknown as Ports["reader"];
  const plugin = podSecurity.start({ reader } as Ports);
  const warnings: string[] = [];
  const annotations: Record<string, string> = {};
  const full = {
    operation: "CREATE",
    resource: podResource,
    subresource: "",
    namespace: "n",
    name: "p",
    warn: (text: string) => warnings.push(text),
    annotate: (key: string, value: string) => {
      annotations[key] = value;
    },
    ...request,
  } as AdmissionRequest;
  plugin.validate?.(full);
  return { warnings, annotations };
}

const pod = (spec: PodSpec) =>
  ({ apiVersion: "v1", kind: "Pod", metadata: { name: "p" }, spec }) as KubeObject;
const bad = pod({ ...open, hostPID: true });
const P = "pod-security.kubernetes.io/";

test("PodSecurity refuses a pod by the namespace's level", () => {
  assert.throws(() => judge({ [`${P}enforce`]: "baseline" }, { object: bad }), {
    code: 403,
    message: 'pods "p" is forbidden: violates PodSecurity "baseline:latest": host namespaces (hostPID=true)',
  });
});

test("PodSecurity warns and audits by their own levels", () => {
  const labels = { [`${P}warn`]: "baseline", [`${P}warn-version`]: "v1.30", [`${P}audit`]: "baseline" };
  const { warnings, annotations } = judge(labels, { object: bad });
  assert.deepEqual(warnings, ['would violate PodSecurity "baseline:v1.30": host namespaces (hostPID=true)']);
  assert.match(annotations[`${P}audit-violations`]!, /^would violate PodSecurity "baseline:latest"/);
});

test("PodSecurity takes the strictest level for a label that makes no sense", () => {
  assert.throws(
    () => judge({ [`${P}enforce`]: "what" }, { object: pod(open) }),
    /violates PodSecurity "restricted:latest"/,
  );
});

test("PodSecurity only warns of a workload's template", () => {
  const object = {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: {},
    spec: { template: { spec: { ...open, hostPID: true } } },
  };
  const labels = { [`${P}enforce`]: "baseline", [`${P}warn`]: "baseline" };
  const { warnings } = judge(labels, { object: object as KubeObject, resource: deployments });
  assert.equal(warnings.length, 1);
});

test("PodSecurity lets updates be that bring no containers or images, and judges ephemeral ones", () => {
  const labels = { [`${P}enforce`]: "baseline" };
  assert.doesNotThrow(() => judge(labels, { operation: "UPDATE", object: bad, old: bad }));
  const object = pod({ ...open, ephemeralContainers: [{ name: "e", ...privileged }] });
  const request = {
    operation: "UPDATE",
    subresource: "ephemeralcontainers",
    object,
    old: pod(open),
  } as const;
  assert.throws(() => judge(labels, request), /container "e" must not set securityContext.privileged=true/);
});

test("PodSecurity refuses labels of a namespace that make no sense", () => {
  const metadata = { name: "n", labels: { [`${P}enforce`]: "what", [`${P}warn-version`]: "v2" } };
  const object = { apiVersion: "v1", kind: "Namespace", metadata };
  const request = { name: "n", object, resource: Namespace as unknown as AdmissionRequest["resource"] };
  assert.throws(() => judge({}, request), {
    code: 422,
    message:
      'Namespace "n" is invalid: [metadata.labels[pod-security.kubernetes.io/enforce]: Invalid value: "what": must be one of privileged, baseline, restricted, metadata.labels[pod-security.kubernetes.io/warn-version]: Invalid value: "v2": must be "latest" or "v1.x"]',
  });
  assert.doesNotThrow(() => judge({}, { ...request, operation: "UPDATE", old: object }));
});
