import type { Pod } from "../api/schema/core.v1.generated.ts";
import type { Clock } from "../base/clock.ts";
import type { Client } from "../client/client.ts";
import type { EventRecorder } from "../client/events/event-recorder.ts";
import type { Informers } from "../client/informer/informers.ts";
import type { PodObjects } from "./objects/pod-objects.ts";
import type { ImageManager, KubeletPaths, PodCgroups, RunningPods, VolumeManager } from "./ports.ts";
import type { ContainerResourceSettings } from "./resources/container-resources.ts";
import type { ContainerRuntime } from "./runtime/container-runtime.ts";

/** What `startKubelet` of kubelet.ts takes. Its collaborators are started before it and closed after it. */
export interface KubeletOptions {
  nodeName: string;
  /** Acts as the user system:node:NAME of the group system:nodes. */
  client: Client;
  /** Of the same user. The kubelet starts those that it asks for; whoever made it stops it. */
  informers: Informers;
  runtime: ContainerRuntime;
  /** The runtime's socket: containerd tells there what becomes of containers. */
  runtimeSocket: string;
  /** The ConfigMaps and Secrets of pods: the one that volumes and images were given. */
  objects: PodObjects;
  volumes: VolumeManager;
  images: ImageManager;
  cgroups: PodCgroups;
  paths: KubeletPaths;
  /** Why the pod is not taken in now, the node being short of something: it fails, as Evicted. */
  refuses?: (pod: Pod) => string | undefined;
  /** Why no pods at all are taken in now; undefined where they are. */
  closed?: () => { reason: string; message: string } | undefined;
  /** Told of a new pod's addresses before its containers start: they start when it resolves. */
  networked?: (pod: Pod, podIPs: readonly string[]) => Promise<void>;
  /** The node's internal addresses, the one of the cluster's first family first. */
  hostIPs: () => readonly string[];
  settings?: Partial<KubeletSettings>;
  /** As the component `kubelet` of the host NAME. */
  events: EventRecorder;
  clock: Clock;
  random: () => number;
  log?: (level: "info" | "warn" | "error", text: string, facts?: Record<string, unknown>) => void;
}

export interface KubeletSettings {
  /** Name servers of pods whose dnsPolicy is ClusterFirst. */
  clusterDNS: readonly string[];
  clusterDomain: string;
  /** What pods of dnsPolicy Default, and names outside the cluster, are resolved by. */
  resolvConf: string;
  maxPods: number;
  /** What of the machine containers may be given. */
  resources: ContainerResourceSettings;
  /** Containers without a seccomp profile get that of the runtime. */
  seccompDefault: boolean;
  /** Where seccomp profiles of type Localhost are. */
  seccompProfiles: string;
  /** Sysctls beyond the safe ones that pods may set; a name may end with `*`. */
  allowedUnsafeSysctls: readonly string[];
}

export interface Kubelet {
  readonly pods: RunningPods;
  /** Why no pods can run now, as far as it knows, for the node's condition: `PLEG is not healthy: …`. */
  problems(): string[];
  /** For /metrics/probes, in Prometheus' format. */
  probeMetrics(): string;
  /** Resolves when the container, by the runtime's id, does not run any more; rejects when `signal` aborts. */
  containerEnded(containerID: string, signal: AbortSignal): Promise<void>;
  /** Resolves when the first picture of the node's pods has come and what runs was adopted. */
  readonly ready: Promise<void>;
  /** Ceases to manage pods. What runs goes on, and is adopted by the next kubelet. */
  stop(): Promise<void>;
}
