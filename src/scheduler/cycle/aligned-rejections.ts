import type { NodeInfo } from "../framework/node-info.ts";
import type { Rejection, SearchRejections } from "../framework/rejection.ts";

/** Two lists instead of a map: thousands of nodes that reject a pod cost next to nothing. */
export class AlignedRejections implements SearchRejections {
  readonly size: number;
  readonly counts: ReadonlyMap<Rejection, number>;
  private readonly nodes: readonly NodeInfo[];
  private readonly rejections: readonly (Rejection | undefined)[];

  /** `rejections[i]` is that of `nodes[i]`; undefined: the node would do. Neither may change afterwards. */
  constructor(nodes: readonly NodeInfo[], rejections: readonly (Rejection | undefined)[]) {
    this.nodes = nodes;
    this.rejections = rejections;
    const counts = new Map<Rejection, number>();
    let size = 0;
    let last: Rejection | undefined;
    let run = 0;
    // Most often the same one comes many times in a row.
    for (let i = 0; i <= nodes.length; i++) {
      const rejection = i < nodes.length ? rejections[i] : undefined;
      if (rejection !== last) {
        if (last) counts.set(last, (counts.get(last) ?? 0) + run);
        last = rejection;
        run = 0;
      }
      if (!rejection) continue;
      run++;
      size++;
    }
    if (last) counts.set(last, (counts.get(last) ?? 0) + run);
    this.size = size;
    this.counts = counts;
  }

  withCode(code: Rejection["code"]): readonly NodeInfo[] {
    let others = this.nodes.length - this.size;
    for (const [rejection, count] of this.counts) if (rejection.code !== code) others += count;
    if (others === 0) return this.nodes;
    return this.nodes.filter((_, i) => this.rejections[i]?.code === code);
  }

  get(node: NodeInfo): Rejection | undefined {
    return this.rejections[this.nodes.indexOf(node)];
  }

  forEach(each: (rejection: Rejection, node: NodeInfo) => void): void {
    const { nodes, rejections } = this;
    for (let i = 0; i < nodes.length; i++) {
      const rejection = rejections[i];
      if (rejection) each(rejection, nodes[i]!);
    }
  }
}
