import assert from "node:assert/strict";
import test from "node:test";
import type { Node } from "../../api/core/node.ts";
import type { Pod, PodSpec } from "../../api/schema/core.v1.generated.ts";
import { type AdmissionFacts, decideAdmission } from "./pod-admission.ts";

const pod = (spec: Partial<PodSpec> = {}, annotations?: Record<string, string>): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "p", namespace: "ns", ...(annotations ? { annotations } : {}) },
  spec: { containers: [], ...spec },
});
const asking = (requests: Record<string, string>): Pod =>
  pod({ containers: [{ name: "main", resources: { requests } }] });
const listening = (hostPort: number, more: object = {}): Pod =>
  pod({ containers: [{ name: "main", ports: [{ containerPort: 80, hostPort, ...more }] }] });
const node: Node = {
  apiVersion: "v1",
  kind: "Node",
  metadata: { name: "n", labels: { zone: "a" } },
  spec: { taints: [{ key: "k", effect: "NoExecute" }] },
  status: { allocatable: { cpu: "2", memory: "1Gi", pods: "10" } },
};
const tolerations = [{ operator: "Exists" }];

function refusal(given: Pod, more: Partial<AdmissionFacts> = {}): string {
  const spec = given.spec?.tolerations ? given.spec : { containers: [], ...given.spec, tolerations };
  const facts = { node, others: [], maxPods: 2, allowedUnsafeSysctls: [], pressure: undefined, ...more };
  const { refusal: found } = decideAdmission({ ...given, spec }, facts);
  return found ? `${found.reason}: ${found.message}` : "";
}

test("decideAdmission takes what fits", () => {
  assert.equal(refusal(asking({ cpu: "1", memory: "1Gi" })), "");
});

test("decideAdmission refuses what there is no room for", () => {
  const others = [asking({ cpu: "1500m" })];
  const message = "Node didn't have enough resource: cpu, requested: 600, used: 1500, capacity: 2000";
  assert.equal(refusal(asking({ cpu: "600m" }), { others }), `OutOfcpu: ${message}`);
  assert.match(refusal(asking({ memory: "2Gi" })), /^OutOfmemory: .*requested: 2147483648, used: 0/);
  assert.match(refusal(asking({ "example.com/gpu": "1" })), /^OutOfexample.com\/gpu: .*capacity: 0$/);
  assert.equal(
    refusal(pod(), { others: [pod(), pod()] }),
    "OutOfpods: Node didn't have enough resource: pods, requested: 1, used: 2, capacity: 2",
  );
});

test("decideAdmission refuses what wants another node", () => {
  assert.equal(refusal(pod({ nodeSelector: { zone: "a" } })), "");
  assert.match(refusal(pod({ nodeSelector: { zone: "b" } })), /^NodeAffinity: Predicate NodeAffinity failed/);
});

test("decideAdmission refuses ports of the node that another pod has", () => {
  const others = [listening(80)];
  assert.match(refusal(listening(80), { others }), /^NodePorts: /);
  assert.match(refusal(listening(80, { hostIP: "192.0.2.1" }), { others }), /^NodePorts: /);
  assert.equal(refusal(listening(81), { others }), "");
  assert.equal(refusal(listening(80, { protocol: "UDP" }), { others }), "");
  const one = [listening(80, { hostIP: "192.0.2.1" })];
  assert.equal(refusal(listening(80, { hostIP: "192.0.2.2" }), { others: one }), "");
});

test("decideAdmission refuses pods that do not tolerate the node's taints, but not static ones", () => {
  assert.match(refusal(pod({ tolerations: [] })), /^TaintToleration: /);
  assert.equal(refusal(pod({ tolerations: [] }, { "kubernetes.io/config.source": "file" })), "");
});

test("decideAdmission refuses sysctls that reach other pods", () => {
  const setting = (name: string, more: Partial<PodSpec> = {}): Pod =>
    pod({ securityContext: { sysctls: [{ name, value: "1" }] }, ...more });
  assert.equal(refusal(setting("net.ipv4.tcp_syncookies")), "");
  assert.equal(refusal(setting("net/ipv4/tcp_syncookies")), "");
  assert.equal(
    refusal(setting("kernel.msgmax")),
    'SysctlForbidden: forbidden sysctl: "kernel.msgmax" not allowlisted',
  );
  assert.equal(refusal(setting("kernel.msgmax"), { allowedUnsafeSysctls: ["kernel.msg*"] }), "");
  assert.match(
    refusal(setting("net.ipv4.tcp_syncookies", { hostNetwork: true })),
    /not allowed with host net/,
  );
});

test("decideAdmission refuses pods of other systems", () => {
  assert.match(refusal(pod({ os: { name: "windows" } })), /^PodOSNotSupported: /);
});

test("decideAdmission has others make room for critical pods, unless they could not run here all the same", () => {
  const critical = { priority: 2_000_000_000 };
  const wants = (cpu: string, more: Partial<PodSpec> = {}): Pod =>
    pod({
      containers: [{ name: "main", resources: { requests: { cpu } } }],
      tolerations,
      ...critical,
      ...more,
    });
  const facts = { node, others: [], maxPods: 2, allowedUnsafeSysctls: [], pressure: undefined };
  const others = [asking({ cpu: "1500m" }), asking({ cpu: "500m" })];
  assert.deepEqual(decideAdmission(wants("400m"), { ...facts, others }), { victims: [others[1]] });
  const elsewhere = decideAdmission(wants("400m", { nodeSelector: { zone: "b" } }), { ...facts, others });
  assert.equal(elsewhere.refusal?.reason, "NodeAffinity");
  assert.deepEqual(decideAdmission(wants("3"), { ...facts, others }).refusal, {
    reason: "UnexpectedAdmissionError",
    message:
      "Unexpected error while attempting to recover from admission failure: preemption: error finding a set of pods to preempt: no set of running pods found to reclaim resources: [(res: cpu, q: 1000), ]",
  });
});

test("decideAdmission takes nobody whom the node's pressure keeps out", () => {
  const facts = { node, others: [], maxPods: 2, allowedUnsafeSysctls: [], pressure: "no" };
  assert.deepEqual(decideAdmission(pod({ tolerations }), facts), {
    refusal: { reason: "Evicted", message: "no" },
  });
});
