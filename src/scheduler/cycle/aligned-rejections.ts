import type { NodeInfo } from "../framework/node-info.ts";
import type { NodeRejections, Rejection } from "../framework/rejection.ts";

/** Two lists instead of a map: thousands of nodes that reject a pod cost next to nothing. */
export class AlignedRejections implements NodeRejections {
  readonly size: number;
  private readonly nodes: readonly NodeInfo[];
  private readonly rejections: readonly (Rejection | undefined)[];

  /** `rejections[i]` is that of `nodes[i]`; undefined: the node would do. Neither may change afterwards. */
  constructor(nodes: readonly NodeInfo[], rejections: readonly (Rejection | undefined)[]) {
    this.nodes = nodes;
    this.rejections = rejections;
    let size = 0;
    for (let i = 0; i < nodes.length; i++) if (rejections[i]) size++;
    this.size = size;
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
