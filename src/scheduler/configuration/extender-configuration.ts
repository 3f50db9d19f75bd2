/** A program outside that has a say in where pods go, by HTTP. */
export interface ExtenderConfiguration {
  urlPrefix: string;
  /** Paths below the prefix; "" leaves the step out. */
  filterVerb: string;
  preemptVerb: string;
  prioritizeVerb: string;
  bindVerb: string;
  /** Of its scores. */
  weight: number;
  /** Milliseconds. */
  timeout: number;
  /** It keeps the nodes itself: names are enough. */
  nodeCacheCapable: boolean;
  /** Asked only for pods that use one of these; all pods where there are none. */
  managedResources: readonly { name: string; ignoredByScheduler: boolean }[];
  /** Pods are scheduled without it while it does not answer. */
  ignorable: boolean;
  /** PEM texts. Undefined: plain HTTP, or the system's authorities where the prefix says https. */
  tls:
    | { insecure: boolean; serverName: string | undefined; ca?: string; cert?: string; key?: string }
    | undefined;
}
