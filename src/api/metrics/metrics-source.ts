/** What is known of the usage of nodes and pods: whoever collects it gives it to the kinds that tell it. */

/** CPU in nanoseconds of a core in each second, memory in bytes. */
export interface Usage {
  cpu: number;
  memory: number;
}

/** What was measured at `at` (milliseconds since 1970), over the milliseconds of `window` before it. */
export interface Measured {
  at: number;
  window: number;
}

export interface MeasuredNode extends Measured, Usage {
  name: string;
}

export interface MeasuredPod extends Measured {
  namespace: string;
  name: string;
  containers: readonly (Usage & { name: string })[];
}

export interface MetricsSource {
  node(name: string): MeasuredNode | undefined;
  nodes(): Iterable<MeasuredNode>;
  pod(namespace: string, name: string): MeasuredPod | undefined;
  /** Of all namespaces where it is "". */
  pods(namespace: string): Iterable<MeasuredPod>;
}
