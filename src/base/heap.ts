/** A binary heap whose items know their place, so that any of them can be taken out or moved in logarithmic time. */

export interface HeapItem {
  /** Its place; -1 in no heap. Only the heap changes it: an item is in one heap at a time. */
  place: number;
}

export class Heap<T extends HeapItem> {
  private readonly items: T[] = [];
  private readonly before: (a: T, b: T) => boolean;

  /** `before(a, b)`: whether a comes out first. */
  constructor(before: (a: T, b: T) => boolean) {
    this.before = before;
  }

  get size(): number {
    return this.items.length;
  }

  peek(): T | undefined {
    return this.items[0];
  }

  push(item: T): void {
    item.place = this.items.length;
    this.items.push(item);
    this.up(item);
  }

  pop(): T | undefined {
    const first = this.items[0];
    if (first) this.remove(first);
    return first;
  }

  /** `item` is in this heap. */
  remove(item: T): void {
    const last = this.items.pop() as T;
    const { place } = item;
    item.place = -1;
    if (last === item) return;
    this.items[place] = last;
    last.place = place;
    this.moved(last);
  }

  /** What `item` is compared by has changed. */
  moved(item: T): void {
    this.up(item);
    this.down(item);
  }

  /** In no order. */
  values(): readonly T[] {
    return this.items;
  }

  private up(item: T): void {
    const { items } = this;
    let { place } = item;
    while (place > 0) {
      const above = (place - 1) >> 1;
      const parent = items[above]!;
      if (!this.before(item, parent)) break;
      items[place] = parent;
      parent.place = place;
      place = above;
    }
    items[place] = item;
    item.place = place;
  }

  private down(item: T): void {
    const { items } = this;
    let { place } = item;
    for (;;) {
      let below = 2 * place + 1;
      if (below >= items.length) break;
      if (below + 1 < items.length && this.before(items[below + 1]!, items[below]!)) below++;
      const child = items[below]!;
      if (!this.before(child, item)) break;
      items[place] = child;
      child.place = place;
      place = below;
    }
    items[place] = item;
    item.place = place;
  }
}
