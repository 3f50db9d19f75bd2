/** What the kubelet's API (port 10250) is made of. */
import type { Clock } from "../../base/clock.ts";
import type { Client } from "../../client/client.ts";
import type { KubeletPaths, RunningPods } from "../ports.ts";
import type { ContainerRuntime } from "../runtime/container-runtime.ts";

/** PEM texts of the certificate (chain) that is shown, and its key. */
export interface ServingPair {
  cert: string;
  key: string;
}

export interface KubeletServerOptions {
  nodeName: string;
  /** "0.0.0.0" or "::": every address of the node, in both families. */
  address: string;
  /** 10250; 0 takes any free port. */
  port: number;
  certificate: ServingPair;
  /** PEM bundle of the authorities whose client certificates are known: the cluster's CA. */
  clientCA: string;
  /** Asks for TokenReviews and SubjectAccessReviews: the node's own client. */
  client: Client;
  clock: Clock;
  pods: RunningPods;
  runtime: ContainerRuntime;
  paths: Pick<KubeletPaths, "podLogs"> & {
    /** The folder that /logs/ shows; undefined: it shows nothing. */
    systemLogs: string | undefined;
  };
  documents: KubeletDocuments;
  /**
   * Resolves when the container does not run any more, at once where it does not now; rejects when `signal` aborts.
   * Ends `logs --follow`.
   */
  containerEnded: (containerID: string, signal: AbortSignal) => Promise<void>;
  log: (level: "info" | "warn" | "error", text: string, facts?: Record<string, unknown>) => void;
}

/** What others of the kubelet know, asked for at each request. Texts are in Prometheus' format. */
export interface KubeletDocuments {
  /** /stats/summary (stats/v1alpha1 Summary). */
  summary(onlyCPUAndMemory: boolean): object | Promise<object>;
  /** /metrics */
  metrics(): string | Promise<string>;
  /** /metrics/cadvisor */
  cadvisorMetrics(): string | Promise<string>;
  /** /metrics/resource */
  resourceMetrics(): string | Promise<string>;
  /** /metrics/probes */
  probeMetrics(): string | Promise<string>;
  /** The KubeletConfiguration that is in force, for /configz. */
  configuration(): object;
  /** Why the kubelet's loop is stuck, for /healthz/syncloop; undefined while it is well. */
  stuck?(): string | undefined;
}

export interface KubeletServer {
  readonly port: number;
  /** Shows another certificate to new connections from now on. */
  renew(certificate: ServingPair): void;
  /** Knows the client certificates of another bundle of authorities from now on. */
  trust(clientCA: string): void;
  /** Takes no more connections, and ends those there are, streams too. */
  close(): Promise<void>;
}

/** Implemented by startKubeletServer in kubelet-server.ts; rejects where the address cannot be listened at. */
export type StartKubeletServer = (options: KubeletServerOptions) => Promise<KubeletServer>;
