/**
 * The fields of upstream's KubeletConfiguration that decide nothing here. A value that says what happens anyway, or
 * upstream's default, is taken, and told of as one without effect; any other is refused, so that nobody counts on it.
 */
import type { FieldType } from "../../machinery/schema/schema.ts";

export interface OtherField {
  /** Its path: `authentication.anonymous.enabled`. */
  path: string;
  type: FieldType;
  /** Beside those that say nothing: `0`, an empty text or list. Absent: any, as upstream itself ignores the field. */
  accepts?: readonly unknown[];
  /** Why another is refused, as the end of a sentence. */
  why: string;
}

const STRINGS: FieldType = { list: "string" };
const STRING_MAP: FieldType = { map: "string" };

const DEPRECATED = "upstream has no use for it any more";
const BY_FLAG = (flag: string): string => `it is given by ${flag}`;
const NO_MANAGERS = "containers share all CPUs and all memory of the machine";
const NO_GROUPS = "the groups of pods are where the data directory says";
const NO_POLLING = "nothing is looked at in such a period";
const OWN_CERTIFICATE = "the cluster issues the kubelet's certificates";
const NO_LIMITS = "requests to the API server are not limited";
const NO_PROFILES = "the kubelet has no such pages";
const NO_URL = "static pods are read from a folder alone";

function field(
  path: string,
  type: FieldType,
  accepts: readonly unknown[] | undefined,
  why: string,
): OtherField {
  return { path, type, ...(accepts ? { accepts } : {}), why };
}

export const OTHER_FIELDS: readonly OtherField[] = [
  field("enableServer", "boolean", [true], "the API server needs the kubelet's API"),
  field("address", "string", ["0.0.0.0"], "the kubelet listens at every address"),
  field("port", "int32", [10250], BY_FLAG("--kubelet-port")),
  field("readOnlyPort", "int32", [], "nothing is told to those who do not say who they are"),
  field("tlsCertFile", "string", [], OWN_CERTIFICATE),
  field("tlsPrivateKeyFile", "string", [], OWN_CERTIFICATE),
  field("tlsCipherSuites", STRINGS, [], "the cipher suites are those of Node.js"),
  field("tlsCurvePreferences", { list: "int32" }, [], "the curves are those of Node.js"),
  field("tlsMinVersion", "string", ["VersionTLS12"], "TLS begins with version 1.2"),
  field("rotateCertificates", "boolean", [true, false], OWN_CERTIFICATE),
  field("serverTLSBootstrap", "boolean", [true, false], OWN_CERTIFICATE),
  field(
    "authentication.x509.clientCAFile",
    "string",
    [],
    "certificates of the cluster's authority are known",
  ),
  field("authentication.webhook.enabled", "boolean", [true], "tokens are asked about"),
  field("authentication.webhook.cacheTTL", "Duration", ["2m0s"], "answers are kept for two minutes"),
  field("authentication.anonymous.enabled", "boolean", [false], "nobody is let in unknown"),
  field("authorization.mode", "string", ["Webhook"], "the API server is asked what users may do"),
  field(
    "authorization.webhook.cacheAuthorizedTTL",
    "Duration",
    ["5m0s"],
    "answers are kept as upstream does",
  ),
  field(
    "authorization.webhook.cacheUnauthorizedTTL",
    "Duration",
    ["30s"],
    "answers are kept as upstream does",
  ),
  field("enableDebuggingHandlers", "boolean", [true], "logs and exec are always there"),
  field("enableContentionProfiling", "boolean", [false], NO_PROFILES),
  field("enableProfilingHandler", "boolean", [true, false], NO_PROFILES),
  field("enableDebugFlagsHandler", "boolean", [true, false], NO_PROFILES),
  field("enableSystemLogQuery", "boolean", [false], NO_PROFILES),
  field("healthzPort", "int32", [10248], "health is told at the port of the kubelet's API alone"),
  field(
    "healthzBindAddress",
    "string",
    ["127.0.0.1"],
    "health is told at the port of the kubelet's API alone",
  ),
  field("showHiddenMetricsForVersion", "string", [], "there are no hidden metrics"),
  field("podLogsDir", "string", ["/var/log/pods", "/var/log/pods/"], BY_FLAG("--data-dir")),
  field("staticPodURL", "string", [], NO_URL),
  field("staticPodURLHeader", { map: STRINGS }, [], NO_URL),
  field("syncFrequency", "Duration", ["1m0s"], NO_POLLING),
  field("fileCheckFrequency", "Duration", ["20s"], NO_POLLING),
  field("httpCheckFrequency", "Duration", ["20s"], NO_POLLING),
  field("volumeStatsAggPeriod", "Duration", ["1m0s"], NO_POLLING),
  field("kernelMemcgNotification", "boolean", [false], "memory is looked at every ten seconds"),
  field("configMapAndSecretChangeDetectionStrategy", "string", ["Watch"], "they are watched"),
  field("streamingConnectionIdleTimeout", "Duration", undefined, DEPRECATED),
  field("registerNode", "boolean", [true], "a node registers itself"),
  field("enableControllerAttachDetach", "boolean", [true], "the control plane attaches volumes"),
  field(
    "volumePluginDir",
    "string",
    ["/usr/libexec/kubernetes/kubelet-plugins/volume/exec/"],
    "there is no FlexVolume",
  ),
  field("localStorageCapacityIsolation", "boolean", [true], "limits of local storage hold"),
  field("podCIDR", "string", [], "the control plane gives each node its part"),
  field(
    "hairpinMode",
    "string",
    ["promiscuous-bridge", "hairpin-veth"],
    "pods reach themselves through Services",
  ),
  field("makeIPTablesUtilChains", "boolean", undefined, DEPRECATED),
  field("iptablesMasqueradeBit", "int32", undefined, DEPRECATED),
  field("iptablesDropBit", "int32", undefined, DEPRECATED),
  field(
    "containerRuntimeEndpoint",
    "string",
    ["unix:///run/containerd/containerd.sock"],
    BY_FLAG("--container-runtime-endpoint"),
  ),
  field("imageServiceEndpoint", "string", [], BY_FLAG("--container-runtime-endpoint")),
  field("containerLogMaxWorkers", "int32", [1], "logs are rotated one after the other"),
  field("cgroupRoot", "string", ["/"], NO_GROUPS),
  field("cgroupsPerQOS", "boolean", [true], "every class of pods has its group"),
  field("cgroupDriver", "string", ["cgroupfs", "systemd"], "the container runtime says which one"),
  field("kubeletCgroups", "string", [], NO_GROUPS),
  field("systemCgroups", "string", [], NO_GROUPS),
  field("systemReservedCgroup", "string", [], "only pods are held to what is theirs"),
  field("kubeReservedCgroup", "string", [], "only pods are held to what is theirs"),
  field("failCgroupV1", "boolean", [true, false], "control groups of both versions are taken"),
  field("singleProcessOOMKill", "boolean", [false], "a container that is out of memory ends as a whole"),
  field("cpuCFSQuotaPeriod", "Duration", ["100ms"], "it requires feature gate CustomCPUCFSQuotaPeriod"),
  field("cpuManagerPolicy", "string", ["none"], NO_MANAGERS),
  field("cpuManagerPolicyOptions", STRING_MAP, [], NO_MANAGERS),
  field("cpuManagerReconcilePeriod", "Duration", ["10s"], NO_MANAGERS),
  field("draManagerReconcilePeriod", "Duration", ["1m0s"], "devices are not claimed on nodes"),
  field("memoryManagerPolicy", "string", ["None", "none"], NO_MANAGERS),
  field("topologyManagerPolicy", "string", ["none"], NO_MANAGERS),
  field("topologyManagerScope", "string", ["container"], NO_MANAGERS),
  field("topologyManagerPolicyOptions", STRING_MAP, [], NO_MANAGERS),
  field("reservedSystemCPUs", "string", [], NO_MANAGERS),
  field("reservedMemory", "any", [], NO_MANAGERS),
  field("qosReserved", STRING_MAP, [], "it requires feature gate QOSReserved"),
  field("memoryThrottlingFactor", "float64", [0.9], "it requires feature gate MemoryQoS"),
  field("memoryReservationPolicy", "string", ["None"], "it requires feature gate MemoryQoS"),
  field("memorySwap.swapBehavior", "string", ["NoSwap"], "containers get no swap"),
  field("failSwapOn", "boolean", [true, false], "machines may have swap, of which containers get none"),
  field("userNamespaces.idsPerPod", "int64", [65536], "pods have 65536 users"),
  field(
    "crashLoopBackOff.maxContainerRestartPeriod",
    "Duration",
    ["5m0s"],
    "containers wait up to five minutes",
  ),
  field("protectKernelDefaults", "boolean", [false], "the kernel's settings are as the machine has them"),
  field("oomScoreAdj", "int32", [-999], "the program's score is that of its own start"),
  field("maxOpenFiles", "int64", [1_000_000], "the program's limits are those of its own start"),
  field("runOnce", "boolean", [false], "Runonce mode has been deprecated and should not be set"),
  field("eventRecordQPS", "int32", [50], NO_LIMITS),
  field("eventBurst", "int32", [100], NO_LIMITS),
  field("kubeAPIQPS", "int32", [50], NO_LIMITS),
  field("kubeAPIBurst", "int32", [100], NO_LIMITS),
  field(
    "contentType",
    "string",
    ["application/vnd.kubernetes.protobuf"],
    "requests to the API server are JSON",
  ),
  field("featureGates", { map: "boolean" }, [], "features are on and off as upstream has them by default"),
  field("logging.format", "string", ["text"], "logs are lines of text"),
  field("logging.verbosity", "int64", [], "there is one level of logs"),
  field("logging.vmodule", "any", [], "there is one level of logs"),
  field("logging.flushFrequency", "any", undefined, "lines are written at once"),
  field("logging.options", "any", undefined, "lines are written at once"),
  field("tracing", "any", [], "there are no traces"),
];
