import assert from "node:assert/strict";
import test from "node:test";
import { milliseconds } from "./milliseconds.ts";
import {
  ConfigurationError,
  DEFAULT_CONFIGURATION,
  type ReadConfiguration,
  readKubeletConfiguration,
} from "./read-configuration.ts";

const HEAD = "apiVersion: kubelet.config.k8s.io/v1beta1\nkind: KubeletConfiguration\n";

function read(body: string): ReadConfiguration {
  return readKubeletConfiguration(new TextEncoder().encode(HEAD + body), "/etc/kybern");
}

test("readKubeletConfiguration completes what is not said by the defaults", () => {
  const { configuration, withoutEffect } = read("");
  assert.deepEqual(configuration, DEFAULT_CONFIGURATION);
  assert.deepEqual(withoutEffect, []);
  const { maxPods, evictionHard, maxParallelImagePulls, nodeStatusReportFrequency } = configuration;
  assert.deepEqual([maxPods, maxParallelImagePulls, nodeStatusReportFrequency], [110, 3, "5m0s"]);
  assert.equal(evictionHard["nodefs.available"], "10%");
});

test("readKubeletConfiguration reads JSON too", () => {
  const text = '{"kind":"KubeletConfiguration","apiVersion":"kubelet.config.k8s.io/v1beta1","maxPods":7}';
  assert.equal(readKubeletConfiguration(new TextEncoder().encode(text), "/").configuration.maxPods, 7);
});

test("readKubeletConfiguration takes zero for nothing, but of fields that Go has as pointers", () => {
  const { configuration } = read(
    "maxPods: 0\nnodeStatusUpdateFrequency: 0s\nregistryPullQPS: 0\nregistryBurst: 0\nresolvConf: ''\nevictionHard: {}\nenforceNodeAllocatable: []\nstaticPodPath: ''",
  );
  const { maxPods, nodeStatusUpdateFrequency, registryPullQPS, registryBurst, resolvConf } = configuration;
  assert.deepEqual(
    [maxPods, nodeStatusUpdateFrequency, registryPullQPS, registryBurst, resolvConf],
    [110, "10s", 0, 10, ""],
  );
  assert.deepEqual(configuration.evictionHard, {});
  assert.deepEqual(configuration.enforceNodeAllocatable, []);
  assert.equal(configuration.staticPodPath, undefined);
  assert.equal(configuration.nodeStatusReportFrequency, "5m0s");
});

test("readKubeletConfiguration completes fields by others", () => {
  const soft = read("nodeStatusUpdateFrequency: 90s").configuration;
  assert.equal(soft.nodeStatusReportFrequency, "1m30s");
  assert.equal(milliseconds(soft.nodeStatusReportFrequency), 90_000);
  const merged = read("mergeDefaultEvictionSettings: true\nevictionHard: {memory.available: 1Gi}");
  assert.equal(merged.configuration.evictionHard["memory.available"], "1Gi");
  assert.equal(merged.configuration.evictionHard["nodefs.available"], "10%");
  const single = read("evictionHard: {memory.available: 1Gi}").configuration;
  assert.deepEqual(single.evictionHard, { "memory.available": "1Gi" });
  for (const [body, serialize, most] of [
    ["serializeImagePulls: true", true, undefined],
    ["serializeImagePulls: false", false, undefined],
    ["maxParallelImagePulls: 1", true, 1],
    ["maxParallelImagePulls: 5", false, 5],
  ] as const) {
    const { serializeImagePulls, maxParallelImagePulls } = read(body).configuration;
    assert.deepEqual([serializeImagePulls, maxParallelImagePulls], [serialize, most], body);
  }
});

test("readKubeletConfiguration lets relative paths begin at the file", () => {
  const { configuration } = read("staticPodPath: manifests\nresolvConf: /run/resolv.conf");
  assert.equal(configuration.staticPodPath, "/etc/kybern/manifests");
  assert.equal(configuration.resolvConf, "/run/resolv.conf");
});

test("readKubeletConfiguration tells which fields have no effect, among them what kubeadm writes", () => {
  const { withoutEffect } = read(`
authentication: {anonymous: {enabled: false}, webhook: {cacheTTL: 0s, enabled: true}}
authorization: {mode: Webhook}
cgroupDriver: systemd
logging: {flushFrequency: 0, options: {json: {infoBufferSize: "0"}}, verbosity: 0}
memorySwap: {}
rotateCertificates: true
shutdownGracePeriod: 0s
syncFrequency: 0s
staticPodPath: /etc/kubernetes/manifests
`);
  assert.deepEqual(withoutEffect.toSorted(), [
    "authentication.anonymous.enabled",
    "authentication.webhook.cacheTTL",
    "authentication.webhook.enabled",
    "authorization.mode",
    "cgroupDriver",
    "logging.flushFrequency",
    "logging.options",
    "logging.verbosity",
    "rotateCertificates",
    "syncFrequency",
  ]);
});

const unsupported = (what: string, why: string): string =>
  `invalid configuration: ${what} is not supported: ${why}`;

for (const [body, message] of [
  ["maxPodz: 1", 'strict decoding error: unknown field "maxPodz"'],
  [
    "evictionHart: {}\nauthentication: {webhook: {cache: 1}}",
    'strict decoding error: unknown field "evictionHart", unknown field "authentication.webhook.cache"',
  ],
  ["maxPods: 1\nmaxPods: 2", /^strict decoding error: yaml: .*key "maxPods" already set in map$/s],
  [
    "maxPods: many",
    /json: cannot unmarshal string into Go struct field KubeletConfiguration\.maxPods of type int32$/,
  ],
  ["imageMinimumGCAge: soon", /time: invalid duration "soon"$/],
  ["maxPods: -1", "invalid configuration: maxPods (--max-pods) -1 must not be a negative number"],
  [
    "imageGCHighThresholdPercent: 101",
    "invalid configuration: imageGCHighThresholdPercent (--image-gc-high-threshold) 101 must be between 0 and 100, inclusive",
  ],
  [
    "maxPods: -1\npodsPerCore: -2",
    "[invalid configuration: maxPods (--max-pods) -1 must not be a negative number, invalid configuration: podsPerCore (--pods-per-core) -2 must not be a negative number]",
  ],
  [
    "imageGCLowThresholdPercent: 85",
    "invalid configuration: imageGCLowThresholdPercent (--image-gc-low-threshold) 85 must be less than imageGCHighThresholdPercent (--image-gc-high-threshold) 85",
  ],
  [
    "imageMaximumGCAge: 1m",
    "invalid configuration: imageMaximumGCAge 1m0s must be greater than imageMinimumGCAge 2m0s",
  ],
  [
    "serializeImagePulls: true\nmaxParallelImagePulls: 2",
    "invalid configuration: maxParallelImagePulls cannot be larger than 1 unless SerializeImagePulls (--serialize-image-pulls) is set to false",
  ],
  ["maxParallelImagePulls: 0", "invalid configuration: maxParallelImagePulls 0 must be a positive number"],
  ["containerLogMaxFiles: 1", "invalid configuration: containerLogMaxFiles must be greater than 1"],
  ["kubeReserved: {gpu: '1'}", 'cannot reserve "gpu" resource'],
  ["systemReserved: {memory: -1Gi}", 'resource quantity for "memory" cannot be negative: -1Gi'],
  ["evictionHard: {disk: 1Gi}", "unsupported eviction signal disk"],
  [
    "evictionSoft: {memory.available: 1Gi}",
    "grace period must be specified for the soft eviction threshold memory.available",
  ],
  [
    "allowedUnsafeSysctls: [vm.overcommit_memory]",
    'the sysctls "vm.overcommit_memory" are not known to be namespaced',
  ],
  ["clusterDNS: [dns.example.org]", 'invalid clusterDNS ip "dns.example.org"'],
  ["registerWithTaints: [{key: a, effect: Never}]", "invalid taint: {a  Never <nil>}"],
  ["nodeLeaseDurationSeconds: -1", "invalid configuration: nodeLeaseDurationSeconds must be greater than 0"],
  [
    "enforceNodeAllocatable: [pods, kube-reserved]",
    unsupported(
      'enforceNodeAllocatable (--enforce-node-allocatable) "kube-reserved"',
      "only pods are held to what is theirs",
    ),
  ],
  [
    "enforceNodeAllocatable: [none, pods]",
    'invalid configuration: enforceNodeAllocatable (--enforce-node-allocatable) may not contain additional enforcements when "none" is specified',
  ],
  [
    "shutdownGracePeriod: 500ms",
    "invalid configuration: shutdownGracePeriod 500ms must be either zero or otherwise >= 1 sec",
  ],
  [
    "shutdownGracePeriod: 5s\nshutdownGracePeriodCriticalPods: 10s",
    "invalid configuration: shutdownGracePeriodCriticalPods 10s must be <= shutdownGracePeriod 5s",
  ],
  [
    "shutdownGracePeriod: 5s\nshutdownGracePeriodByPodPriority: [{priority: 1, shutdownGracePeriodSeconds: 2}]",
    "invalid configuration: Cannot specify both shutdownGracePeriodByPodPriority and shutdownGracePeriod at the same time",
  ],
  [
    "shutdownGracePeriodByPodPriority: [{priorty: 1}]",
    'strict decoding error: unknown field "shutdownGracePeriodByPodPriority[0].priorty"',
  ],
  [
    "readOnlyPort: 10255",
    unsupported("readOnlyPort 10255", "nothing is told to those who do not say who they are"),
  ],
  [
    "authentication: {anonymous: {enabled: true}}",
    unsupported("authentication.anonymous.enabled true", "nobody is let in unknown"),
  ],
  [
    "cpuManagerPolicy: static",
    unsupported('cpuManagerPolicy "static"', "containers share all CPUs and all memory of the machine"),
  ],
] as const) {
  test(`readKubeletConfiguration refuses ${body.replaceAll("\n", ", ")}`, () => {
    assert.throws(() => read(body), { name: "ConfigurationError", message });
  });
}

test("readKubeletConfiguration wants its own kind", () => {
  const pod = new TextEncoder().encode("apiVersion: v1\nkind: Pod\n");
  assert.throws(() => readKubeletConfiguration(pod, "/"), /no kind "Pod" is registered for version "v1"/);
  assert.throws(() => readKubeletConfiguration(new Uint8Array(), "/"), ConfigurationError);
});

test("readKubeletConfiguration keeps names that JavaScript's objects have", () => {
  const reserved = { name: "ConfigurationError", message: 'cannot reserve "__proto__" resource' };
  assert.throws(() => read("kubeReserved: {__proto__: '1'}"), reserved);
  assert.throws(() => read("__proto__: {maxPods: 1}"), /unknown field "__proto__"/);
});
