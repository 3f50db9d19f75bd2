/**
 * Gives each node its part of the cluster's pod networks, one of each family (upstream: pkg/controller/nodeipam, the
 * RangeAllocator). What is taken is known from the nodes themselves and from what was just given: a block that a node
 * was given stays its own until the node is seen to be gone, whatever becomes of the write.
 */
import { Node } from "../../api/core/node.ts";
import { isReason } from "../../client/status.ts";
import type { WorkResult } from "../../client/work-queue/work-queue.ts";
import { parseCIDR } from "../../machinery/names/ip-address.ts";
import { recordNodeStatusChange } from "../nodes/node-events.ts";
import {
  type ControllerContext,
  type ControllerSettings,
  defineController,
  input,
} from "../runtime/controller.ts";
import { CIDRSet } from "./cidr-set.ts";

/** Prefixes of a node's parts: upstream's --node-cidr-mask-size-ipv4 and -ipv6. */
const NODE_PREFIX = { 4: 24, 6: 64 } as const;

export const nodeIPAMController = defineController<{ nodes: Node }>({
  name: "node-ipam-controller",
  account: "node-controller",
  eventSource: "cidrAllocator",
  queue: "cidrallocator_node",
  workers: 30,
  inputs: {
    nodes: input(Node, ({ key, now }) => (now && !hasCIDRs(now) ? [key] : [])),
  },
  start(context, { nodes }) {
    const allocator = new RangeAllocator(context);
    return async (name) => {
      const node = nodes.get("", name);
      return node && !hasCIDRs(node) && node.metadata.deletionTimestamp === undefined
        ? allocator.give(node)
        : undefined;
    };
  },
});

function hasCIDRs({ spec }: Node): boolean {
  return (spec?.podCIDRs?.length ?? 0) > 0;
}

class RangeAllocator {
  private readonly context: ControllerContext;
  private readonly sets: readonly CIDRSet[];
  /** What each node holds, written or about to be. */
  private readonly held = new Map<string, readonly string[]>();
  /** Nodes for which nothing was left. */
  private readonly waiting = new Set<string>();

  constructor(context: ControllerContext) {
    this.context = context;
    this.sets = openSets(context.settings);
    context.informers.of(Node).subscribe(({ key, now }) => {
      if (!now) this.release(key);
      else if (hasCIDRs(now)) this.hold(key, now.spec!.podCIDRs!);
    });
  }

  async give(node: Node): Promise<WorkResult> {
    const { name = "", uid } = node.metadata;
    if (this.sets.length === 0) return undefined;
    const podCIDRs = this.held.get(name) ?? this.allocate(node);
    if (!podCIDRs) return undefined;
    const patch = { metadata: { uid }, spec: { podCIDR: podCIDRs[0], podCIDRs } };
    try {
      await this.context.client.resource(Node).patch(name, patch, { type: "strategic" });
    } catch (error) {
      // Gone meanwhile: its blocks come back when that is seen.
      if (!isReason(error, "NotFound")) throw error;
    }
    return undefined;
  }

  private allocate(node: Node): readonly string[] | undefined {
    const { name = "", uid } = node.metadata;
    const blocks: string[] = [];
    for (const set of this.sets) {
      const block = set.allocate();
      if (block !== undefined) {
        blocks.push(block);
        continue;
      }
      for (const [i, given] of blocks.entries()) this.sets[i]!.release(given);
      this.waiting.add(name);
      recordNodeStatusChange(this.context.events, { name, uid }, "CIDRNotAvailable");
      return undefined;
    }
    this.waiting.delete(name);
    this.held.set(name, blocks);
    return blocks;
  }

  private hold(name: string, cidrs: readonly string[]): void {
    const held = this.held.get(name);
    if (held && held.length === cidrs.length && held.every((cidr, i) => cidr === cidrs[i])) return;
    for (const set of this.sets) for (const cidr of cidrs) set.occupy(cidr);
    if (held) this.release(name);
    this.held.set(name, cidrs);
  }

  private release(name: string): void {
    this.waiting.delete(name);
    const held = this.held.get(name);
    if (!held) return;
    this.held.delete(name);
    for (const set of this.sets) for (const cidr of held) set.release(cidr);
    for (const waiting of this.waiting) this.context.again(waiting);
  }
}

/** One set a network. Where the networks of pods and services overlap, services keep what is theirs. */
function openSets({ clusterCIDRs, serviceCIDRs }: ControllerSettings): CIDRSet[] {
  return clusterCIDRs.map((cidr) => {
    const set = new CIDRSet(cidr, NODE_PREFIX[parseCIDR(cidr)?.address.family ?? 4]);
    for (const services of serviceCIDRs) set.occupy(services);
    return set;
  });
}
