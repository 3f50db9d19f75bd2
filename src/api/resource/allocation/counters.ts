/** What devices of one pool take from the counters that they share: parts of a device exclude each other by them. */
import { Quantity } from "../../../machinery/quantity/quantity.ts";
import type { Pool, PoolDevice } from "./pools.ts";

const NONE = Quantity.ofValue(0);

export class Counters {
  /** By pool: what is left, by `set/counter`. */
  private readonly left = new Map<Pool, Map<string, Quantity>>();
  private readonly allocated: ReadonlySet<string>;

  constructor(allocated: ReadonlySet<string>) {
    this.allocated = allocated;
  }

  /** Takes what the device needs, where it is there. */
  take(entry: PoolDevice): boolean {
    if (!entry.device.consumesCounters) return true;
    const left = this.of(entry.pool);
    const needs = needsOf(entry);
    if (needs.some(([key, amount]) => (left.get(key) ?? NONE).compare(amount) < 0)) return false;
    for (const [key, amount] of needs) left.set(key, left.get(key)!.sub(amount));
    return true;
  }

  giveBack(entry: PoolDevice): void {
    if (!entry.device.consumesCounters) return;
    const left = this.of(entry.pool);
    for (const [key, amount] of needsOf(entry)) left.set(key, (left.get(key) ?? NONE).add(amount));
  }

  private of(pool: Pool): Map<string, Quantity> {
    const known = this.left.get(pool);
    if (known) return known;
    const left = new Map<string, Quantity>();
    for (const { name, counters } of pool.counterSets) {
      for (const [counter, { value }] of Object.entries(counters)) {
        left.set(`${name}/${counter}`, Quantity.parse(value));
      }
    }
    for (const entry of pool.devices) {
      if (!this.allocated.has(entry.id)) continue;
      for (const [key, amount] of needsOf(entry)) left.set(key, (left.get(key) ?? NONE).sub(amount));
    }
    this.left.set(pool, left);
    return left;
  }
}

function needsOf({ device }: PoolDevice): [string, Quantity][] {
  return (device.consumesCounters ?? []).flatMap(({ counterSet, counters }) =>
    Object.entries(counters).map(([name, { value }]): [string, Quantity] => [
      `${counterSet}/${name}`,
      Quantity.parse(value),
    ]),
  );
}
