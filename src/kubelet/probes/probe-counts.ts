/** How often probes were answered how, for /metrics/probes. */
import type { Pod } from "../../api/schema/core.v1.generated.ts";

export type ProbeOutcome = "successful" | "failed" | "unknown";

interface Count {
  probeType: string;
  result: ProbeOutcome;
  container: string;
  pod: string;
  namespace: string;
  podUID: string;
  total: number;
}

export class ProbeCounts {
  readonly #counts = new Map<string, Count>();

  add({ metadata }: Pod, container: string, type: string, result: ProbeOutcome): void {
    const { name: pod = "", namespace = "", uid: podUID = "" } = metadata;
    const key = `${podUID}/${container}/${type}/${result}`;
    const known = this.#counts.get(key);
    if (known) known.total++;
    else {
      const probeType = `${type[0]?.toUpperCase()}${type.slice(1)}`;
      this.#counts.set(key, { probeType, result, container, pod, namespace, podUID, total: 1 });
    }
  }

  forget(podUID: string): void {
    for (const [key, count] of this.#counts) if (count.podUID === podUID) this.#counts.delete(key);
  }

  /** In Prometheus' format. */
  text(): string {
    let text = `# HELP prober_probe_total [BETA] Cumulative number of a liveness, readiness or startup probe for a container by result.
# TYPE prober_probe_total counter
`;
    for (const { probeType, result, container, pod, namespace, podUID, total } of this.#counts.values()) {
      text += `prober_probe_total{container="${container}",namespace="${namespace}",pod="${pod}",pod_uid="${podUID}",probe_type="${probeType}",result="${result}"} ${total}\n`;
    }
    return text;
  }
}
