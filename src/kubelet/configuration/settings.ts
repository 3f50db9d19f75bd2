/**
 * The fields of a KubeletConfiguration (kubelet.config.k8s.io/v1beta1) that decide something here. Values are kept as
 * the file has them, texts in upstream's normal form: so they are what /configz shows.
 */
import type { Taint } from "../../api/core/node.ts";
import { DEFAULT_HARD } from "../eviction/thresholds.ts";
import {
  amountFault,
  forbiddenSysctlFault,
  graceFault,
  nameServerFault,
  periodsFault,
  reservationFault,
  type ShutdownPriority,
  taintFault,
} from "./faults.ts";
import {
  duration,
  int32,
  int64,
  listOf,
  notNegative,
  percentage,
  type Setting,
  text,
  textMap,
  texts,
  truth,
  type WithFallback,
} from "./setting.ts";

export const SHUTDOWN_PRIORITY_ID = "kubelet.v1beta1.ShutdownGracePeriodByPodPriority";

export const SETTINGS = {
  maxPods: int32({
    fallback: 110,
    check: notNegative("maxPods", "max-pods"),
    decides: "pods that the node takes",
  }),
  podsPerCore: int32({
    fallback: 0,
    check: notNegative("podsPerCore", "pods-per-core"),
    decides: "pods that the node takes for each of its cores, at most `maxPods`; 0: no limit",
  }),
  podPidsLimit: int64({
    fallback: -1,
    pointer: true,
    decides: "processes in one pod; negative: no limit",
  }),
  kubeReserved: textMap({
    fallback: {},
    check: reservationFault,
    decides: "what of the machine is not for pods: `cpu`, `memory`, `ephemeral-storage`, `pid`",
  }),
  systemReserved: textMap({
    fallback: {},
    check: reservationFault,
    decides: "more that is not for pods; both are taken off",
  }),
  enforceNodeAllocatable: texts({
    fallback: ["pods"],
    pointer: true,
    decides: "`pods`: all pods together are held to what is not reserved; `none`: they are not",
  }),
  evictionHard: textMap({
    fallback: DEFAULT_HARD,
    pointer: true,
    decides: "what must be left of the machine; below it pods are ended at once",
  }),
  evictionSoft: textMap({ fallback: {}, decides: "the same, for longer than `evictionSoftGracePeriod`" }),
  evictionSoftGracePeriod: textMap({ fallback: {}, decides: "how long a soft threshold may be missed" }),
  evictionMinimumReclaim: textMap({
    fallback: {},
    decides: "how much more than a threshold must be left before it is over",
  }),
  mergeDefaultEvictionSettings: truth({
    fallback: false,
    pointer: true,
    decides: "whether signals that `evictionHard` does not name keep their defaults",
  }),
  evictionMaxPodGracePeriod: int32({
    fallback: 0,
    decides: "seconds that a pod gets at most where a soft threshold is missed",
  }),
  evictionPressureTransitionPeriod: duration({
    fallback: "5m0s",
    decides: "how long the node goes on telling of a pressure that is over",
  }),
  imageGCHighThresholdPercent: int32({
    fallback: 85,
    pointer: true,
    check: percentage("imageGCHighThresholdPercent", "image-gc-high-threshold"),
    decides: "how full the disk may be before images that nobody uses are removed",
  }),
  imageGCLowThresholdPercent: int32({
    fallback: 80,
    pointer: true,
    check: percentage("imageGCLowThresholdPercent", "image-gc-low-threshold"),
    decides: "how full it is when no more are removed",
  }),
  imageMinimumGCAge: duration({ fallback: "2m0s", decides: "how long an image is kept in any case" }),
  imageMaximumGCAge: duration({
    fallback: "0s",
    decides: "after how long an image that nobody used is removed; 0: never",
  }),
  nodeStatusMaxImages: int32({
    fallback: 50,
    pointer: true,
    check: (value) =>
      value < -1
        ? `invalid configuration: nodeStatusMaxImages (--node-status-max-images) ${value} must be -1 or greater`
        : undefined,
    decides: "images that the node's status tells of; -1: all",
  }),
  serializeImagePulls: truth({ pointer: true, decides: "whether images are pulled one after the other" }),
  maxParallelImagePulls: int32({
    pointer: true,
    check: (value) =>
      value < 1
        ? `invalid configuration: maxParallelImagePulls ${value} must be a positive number`
        : undefined,
    decides: "images that are pulled at a time",
  }),
  registryPullQPS: int32({
    fallback: 5,
    pointer: true,
    check: notNegative("registryPullQPS", "registry-qps"),
    decides: "pulls in a second; 0: no limit",
  }),
  registryBurst: int32({
    fallback: 10,
    check: notNegative("registryBurst", "registry-burst"),
    decides: "pulls that may come at once after a pause",
  }),
  imagePullCredentialsVerificationPolicy: text({
    fallback: "NeverVerifyPreloadedImages",
    decides: "for which images on the disk a pod must have the credentials that they were pulled with",
  }),
  preloadedImagesVerificationAllowlist: texts({
    fallback: [],
    decides: "images that every pod may use, for `NeverVerifyAllowlistedImages`",
  }),
  containerLogMaxSize: text({
    fallback: "10Mi",
    check: amountFault,
    decides: "how large a container's log gets before another is begun",
  }),
  containerLogMaxFiles: int32({
    fallback: 5,
    pointer: true,
    check: (value) =>
      value <= 1 ? "invalid configuration: containerLogMaxFiles must be greater than 1" : undefined,
    decides: "logs of a container that are kept",
  }),
  containerLogMonitorInterval: duration({
    fallback: "10s",
    pointer: true,
    decides: "how often it is looked how large logs are",
  }),
  enableSystemLogHandler: truth({
    fallback: true,
    pointer: true,
    decides: "whether the kubelet's API shows the files below /var/log",
  }),
  cpuCFSQuota: truth({ fallback: true, pointer: true, decides: "whether CPU limits are enforced" }),
  seccompDefault: truth({
    fallback: false,
    pointer: true,
    decides: "whether containers without a seccomp profile get the runtime's",
  }),
  allowedUnsafeSysctls: texts({
    fallback: [],
    check: forbiddenSysctlFault,
    decides: "sysctls beyond the safe ones that pods may set; a name may end with `*`",
  }),
  clusterDNS: texts({
    check: nameServerFault,
    decides: "name servers of pods",
  }),
  clusterDomain: text({ decides: "the domain in which pods look names up" }),
  resolvConf: text({
    pointer: true,
    decides: "the file that other names are resolved by; empty: by nothing",
  }),
  staticPodPath: text({ decides: "the folder of static pods' manifests" }),
  nodeStatusUpdateFrequency: duration({
    fallback: "10s",
    decides: "how often the node looks for changes that nobody tells it of",
  }),
  nodeStatusReportFrequency: duration({
    decides: "how often an unchanged status is told",
  }),
  nodeLeaseDurationSeconds: int32({
    fallback: 40,
    check: (value) =>
      value <= 0 ? "invalid configuration: nodeLeaseDurationSeconds must be greater than 0" : undefined,
    decides: "how long the node's lease holds; it is renewed four times as often",
  }),
  registerWithTaints: listOf<Taint>("core.v1.Taint")({
    fallback: [],
    check: taintFault,
    decides: "taints of the node when it is registered for the first time",
  }),
  providerID: text({ fallback: "", decides: "the node's `spec.providerID`, when it is registered" }),
  shutdownGracePeriod: duration({
    fallback: "0s",
    check: (value) => graceFault("shutdownGracePeriod", value),
    decides: "how long pods may take to end before the machine is shut down; 0: it is not waited for them",
  }),
  shutdownGracePeriodCriticalPods: duration({
    fallback: "0s",
    check: (value) => graceFault("shutdownGracePeriodCriticalPods", value),
    decides: "the part of it, at its end, that is for critical pods",
  }),
  shutdownGracePeriodByPodPriority: listOf<ShutdownPriority>(SHUTDOWN_PRIORITY_ID)({
    fallback: [],
    check: periodsFault,
    decides: "instead of both, seconds by the pods' priorities",
  }),
  runtimeRequestTimeout: duration({
    fallback: "2m0s",
    decides: "how long the container runtime may take to answer",
  }),
} as const;

type Settings = typeof SETTINGS;

/** What a file says, completed by the defaults. Those without one may be absent: something else says them then. */
export type KubeletConfiguration = {
  readonly [K in keyof Settings as Settings[K] extends WithFallback<unknown> ? K : never]-?: ValueOf<
    Settings[K]
  >;
} & {
  readonly [K in keyof Settings as Settings[K] extends WithFallback<unknown> ? never : K]?: ValueOf<
    Settings[K]
  >;
};

type ValueOf<S> = S extends Setting<infer T> ? T : never;
