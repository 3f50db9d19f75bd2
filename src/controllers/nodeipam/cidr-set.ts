/** A network cut into blocks of one size, of which each is given out once. */
import { bitsOf, formatIP, parseCIDR } from "../../machinery/names/ip-address.ts";

/** Upstream's limit: more blocks than 2^16 are not kept count of. */
const MOST_BITS = 16;

export class CIDRSet {
  readonly family: 4 | 6;
  private readonly base: bigint;
  private readonly length: number;
  private readonly hostBits: bigint;
  /** How many hold each block: users may give nodes blocks that overlap. */
  private readonly holders: Uint16Array;
  private next = 0;

  /** `length` is the prefix of a block. */
  constructor(cluster: string, length: number) {
    const parsed = parseCIDR(cluster);
    if (!parsed) throw new Error(`the cluster CIDR ${cluster} is not a CIDR`);
    const more = length - parsed.length;
    if (more < 0) throw new Error(`the cluster CIDR ${cluster} is smaller than the /${length} of a node`);
    if (more > MOST_BITS) {
      throw new Error(`the cluster CIDR ${cluster} is too large for the /${length} of a node`);
    }
    this.family = parsed.address.family;
    this.length = length;
    this.hostBits = BigInt(bitsOf(this.family) - length);
    this.base = (parsed.address.value >> (this.hostBits + BigInt(more))) << BigInt(more);
    this.holders = new Uint16Array(2 ** more);
  }

  /** A free block, or undefined where none is left. */
  allocate(): string | undefined {
    for (let tried = 0; tried < this.holders.length; tried++) {
      const index = (this.next + tried) % this.holders.length;
      if (this.holders[index] !== 0) continue;
      this.holders[index] = 1;
      this.next = (index + 1) % this.holders.length;
      const value = (this.base + BigInt(index)) << this.hostBits;
      return `${formatIP({ family: this.family, value })}/${this.length}`;
    }
    return undefined;
  }

  /** Keeps all blocks that `cidr` touches from being given out. */
  occupy(cidr: string): void {
    for (const index of this.touchedBy(cidr)) this.holders[index]!++;
  }

  /** The opposite of `occupy`, and of `allocate`. */
  release(cidr: string): void {
    for (const index of this.touchedBy(cidr)) if (this.holders[index]! > 0) this.holders[index]!--;
  }

  private *touchedBy(cidr: string): Generator<number> {
    const parsed = parseCIDR(cidr);
    if (parsed?.address.family !== this.family) return;
    const { address, length } = parsed;
    const wider = BigInt(Math.max(0, this.length - length));
    const first = ((address.value >> this.hostBits) >> wider) << wider;
    const from = first - this.base;
    const to = from + (1n << wider);
    const size = BigInt(this.holders.length);
    for (let i = from < 0n ? 0n : from; i < to && i < size; i++) yield Number(i);
  }
}
