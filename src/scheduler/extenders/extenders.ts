/** All extenders of a scheduler, asked one after the other, each about what the one before has left. */
import type { Pod } from "../../api/core/pods.ts";
import type { SchedulerConfiguration } from "../configuration/configuration.ts";
import type { NodeInfo } from "../framework/node-info.ts";
import type { Nodes, NodeVictims, PreemptionExtenders } from "../framework/plugin.ts";
import type { Rejection } from "../framework/rejection.ts";
import { Extender, type Filtered } from "./extender.ts";
import { postJSON } from "./post-json.ts";

export class Extenders implements PreemptionExtenders {
  private readonly all: readonly Extender[];
  /** Told of what an extender did not do, where that does not fail the pod. */
  private readonly skipped: (extender: string, error: unknown) => void;
  private readonly ends: readonly (() => void)[];

  constructor(
    all: readonly Extender[],
    skipped: (extender: string, error: unknown) => void,
    ends: readonly (() => void)[] = [],
  ) {
    this.all = all;
    this.skipped = skipped;
    this.ends = ends;
  }

  get names(): string[] {
    return this.all.map(({ name }) => name);
  }

  /** Whether any has a say about where the pod may go. */
  judge(pod: Pod): boolean {
    return this.all.some((extender) => (extender.filters || extender.prioritizes) && extender.concerns(pod));
  }

  havePreemptionSay(pod: Pod): boolean {
    return this.all.some((extender) => extender.preempts && extender.concerns(pod));
  }

  async chooseVictims(
    pod: Pod,
    candidates: ReadonlyMap<string, NodeVictims>,
    nodes: Pick<Nodes, "get">,
  ): Promise<ReadonlyMap<string, NodeVictims>> {
    let left = candidates;
    for (const extender of this.all) {
      if (left.size === 0) break;
      if (!extender.preempts || !extender.concerns(pod)) continue;
      try {
        const chosen = await extender.preempt(pod, left, nodes);
        for (const [name, { pods }] of chosen) {
          if (pods.length > 0) continue;
          if (!extender.ignorable) {
            throw new Error(`expected at least one victim pod on node ${JSON.stringify(name)}`);
          }
          chosen.delete(name);
        }
        left = chosen;
      } catch (error) {
        if (!extender.ignorable) throw error;
        this.skipped(extender.name, error);
      }
    }
    return left;
  }

  /** Throws where one that may not be ignored fails. */
  async filter(pod: Pod, nodes: readonly NodeInfo[]): Promise<Filtered> {
    let fitting = [...nodes];
    const rejected = new Map<NodeInfo, Rejection>();
    for (const extender of this.all) {
      if (fitting.length === 0) break;
      if (!extender.filters || !extender.concerns(pod)) continue;
      try {
        const filtered = await extender.filter(pod, fitting);
        fitting = filtered.fitting;
        for (const [node, rejection] of filtered.rejected) rejected.set(node, rejection);
      } catch (error) {
        if (!extender.ignorable) throw error;
        this.skipped(extender.name, error);
      }
    }
    return { fitting, rejected };
  }

  /** One that fails has no say: the others decide. */
  async scores(pod: Pod, nodes: readonly NodeInfo[]): Promise<Float64Array> {
    const scores = new Float64Array(nodes.length);
    const asked = this.all.filter((extender) => extender.prioritizes && extender.concerns(pod));
    await Promise.all(
      asked.map((extender) =>
        extender.prioritize(pod, nodes, scores).catch((error) => this.skipped(extender.name, error)),
      ),
    );
    return scores;
  }

  /** False where none binds the pod. */
  async bind(pod: Pod, node: NodeInfo): Promise<boolean> {
    const binder = this.all.find((extender) => extender.binds && extender.concerns(pod));
    if (!binder) return false;
    await binder.bind(pod, node);
    return true;
  }

  close(): void {
    for (const end of this.ends) end();
  }
}

export function openExtenders(
  { extenders }: Pick<SchedulerConfiguration, "extenders">,
  skipped: (extender: string, error: unknown) => void,
): Extenders | undefined {
  if (extenders.length === 0) return undefined;
  const ends: (() => void)[] = [];
  const all = extenders.map((configuration) => {
    const { post, close } = postJSON(configuration);
    ends.push(close);
    return new Extender(configuration, post);
  });
  return new Extenders(all, skipped, ends);
}
