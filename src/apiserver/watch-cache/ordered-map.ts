/**
 * A sorted map that never changes: `set` and `delete` return a new map that shares all but one path with the old one.
 * Taking a snapshot is therefore keeping a reference, which is what lets a paged list stay at one revision.
 *
 * It is a B+ tree; each node knows how many entries lie below it, so counting a range costs O(log n).
 */

const MAX = 32;
const MIN = MAX >> 2;

interface Leaf<V> {
  readonly size: number;
  readonly keys: readonly string[];
  readonly values: readonly V[];
  readonly children?: undefined;
}

interface Branch<V> {
  readonly size: number;
  /** The first key below each child. */
  readonly keys: readonly string[];
  readonly children: readonly Node<V>[];
}

type Node<V> = Leaf<V> | Branch<V>;

function leaf<V>(keys: readonly string[], values: readonly V[]): Leaf<V> {
  return { size: keys.length, keys, values };
}

function branch<V>(children: readonly Node<V>[]): Branch<V> {
  let size = 0;
  const keys: string[] = [];
  for (const child of children) {
    size += child.size;
    keys.push(child.keys[0]!);
  }
  return { size, keys, children };
}

/** The number of keys that are smaller than `key`. */
function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keys[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The child in which `key` lies or would lie. */
function childAt(keys: readonly string[], key: string): number {
  const at = lowerBound(keys, key);
  return at < keys.length && keys[at] === key ? at : Math.max(0, at - 1);
}

function insert<V>(node: Node<V>, key: string, value: V): Node<V>[] {
  if (node.children) {
    const at = childAt(node.keys, key);
    const old = node.children[at]!;
    const replaced = insert(old, key, value);
    if (replaced.length === 1) {
      const [only] = replaced as [Node<V>];
      const children = node.children.with(at, only);
      const keys = only.keys[0] === node.keys[at] ? node.keys : node.keys.with(at, only.keys[0]!);
      return [{ size: node.size + only.size - old.size, keys, children }];
    }
    return split(branch(node.children.toSpliced(at, 1, ...replaced)));
  }
  const { keys, values } = node;
  const at = lowerBound(keys, key);
  if (keys[at] === key) return [{ size: keys.length, keys, values: values.with(at, value) }];
  // Copies of just the size: history keeps thousands of them.
  return split(leaf(keys.toSpliced(at, 0, key), values.toSpliced(at, 0, value)));
}

function split<V>(node: Node<V>): Node<V>[] {
  if (node.keys.length <= MAX) return [node];
  const half = node.keys.length >> 1;
  if (node.children) return [branch(node.children.slice(0, half)), branch(node.children.slice(half))];
  return [
    leaf(node.keys.slice(0, half), node.values.slice(0, half)),
    leaf(node.keys.slice(half), node.values.slice(half)),
  ];
}

/** Undefined where nothing is left. */
function remove<V>(node: Node<V>, key: string): Node<V> | undefined {
  if (!node.children) {
    const at = lowerBound(node.keys, key);
    if (node.keys[at] !== key) return node;
    if (node.size === 1) return undefined;
    return leaf(node.keys.toSpliced(at, 1), node.values.toSpliced(at, 1));
  }
  const at = childAt(node.keys, key);
  const child = node.children[at]!;
  const left = remove(child, key);
  if (left === child) return node;
  if (!left) return node.children.length === 1 ? undefined : branch(node.children.toSpliced(at, 1));
  const children = node.children.slice();
  children[at] = left;
  return left.keys.length < MIN && children.length > 1 ? mergeAt(children, at) : branch(children);
}

function mergeAt<V>(children: Node<V>[], at: number): Node<V> {
  const first = at > 0 ? at - 1 : at;
  const a = children[first]!;
  const b = children[first + 1]!;
  const joined: Node<V> =
    a.children && b.children
      ? branch([...a.children, ...b.children])
      : leaf([...a.keys, ...b.keys], [...(a as Leaf<V>).values, ...(b as Leaf<V>).values]);
  children.splice(first, 2, ...split(joined));
  return branch(children);
}

/** How many keys below `node` are smaller than `key`. */
function rank<V>(node: Node<V>, key: string): number {
  let below = 0;
  let at: Node<V> = node;
  while (at.children) {
    const child = childAt(at.keys, key);
    for (let i = 0; i < child; i++) below += at.children[i]!.size;
    at = at.children[child]!;
  }
  return below + lowerBound(at.keys, key);
}

/** Calls `visit` from `from` on until it returns false; tells whether it ran to the end. */
function walk<V>(
  node: Node<V>,
  from: string,
  to: string,
  visit: (value: V, key: string) => boolean,
): boolean {
  const { keys, size } = node;
  if (node.children) {
    const { children } = node;
    const first = from === "" ? 0 : childAt(keys, from);
    for (let i = first; i < children.length; i++) {
      if (to !== "" && keys[i]! >= to) return true;
      // Only the first child can hold keys before `from`.
      if (!walk(children[i]!, i === first ? from : "", to, visit)) return false;
    }
    return true;
  }
  const { values } = node;
  // One comparison tells of most leaves that they lie inside whole.
  const bounded = to !== "" && keys[size - 1]! >= to;
  for (let i = from === "" ? 0 : lowerBound(keys, from); i < size; i++) {
    if (bounded && keys[i]! >= to) return true;
    if (!visit(values[i]!, keys[i]!)) return false;
  }
  return true;
}

export class OrderedMap<V> {
  private readonly root: Node<V> | undefined;

  constructor(root?: Node<V>) {
    this.root = root;
  }

  get size(): number {
    return this.root?.size ?? 0;
  }

  get(key: string): V | undefined {
    let node = this.root;
    if (!node) return undefined;
    while (node.children) node = node.children[childAt(node.keys, key)]!;
    const at = lowerBound(node.keys, key);
    return node.keys[at] === key ? node.values[at] : undefined;
  }

  set(key: string, value: V): OrderedMap<V> {
    if (!this.root) return new OrderedMap(leaf([key], [value]));
    const nodes = insert(this.root, key, value);
    return new OrderedMap(nodes.length === 1 ? nodes[0]! : branch(nodes));
  }

  delete(key: string): OrderedMap<V> {
    if (!this.root) return this;
    let root = remove(this.root, key);
    if (root === this.root) return this;
    while (root?.children && root.children.length === 1) root = root.children[0];
    return new OrderedMap(root);
  }

  /** Visits the entries with `from <= key < to` in order ("" means unbounded) until `visit` returns false. */
  visit(from: string, to: string, visit: (value: V, key: string) => boolean): void {
    if (this.root) walk(this.root, from, to, visit);
  }

  /** How many keys lie in `from <= key < to`. */
  count(from: string, to: string): number {
    if (!this.root) return 0;
    const below = from === "" ? 0 : rank(this.root, from);
    return (to === "" ? this.root.size : rank(this.root, to)) - below;
  }

  /** Builds a map of entries that are sorted by key already. */
  static fromSorted<V>(entries: readonly (readonly [string, V])[]): OrderedMap<V> {
    if (entries.length === 0) return new OrderedMap();
    let nodes: Node<V>[] = [];
    for (let i = 0; i < entries.length; i += MAX) {
      const part = entries.slice(i, i + MAX);
      nodes.push(
        leaf(
          part.map(([key]) => key),
          part.map(([, value]) => value),
        ),
      );
    }
    while (nodes.length > 1) {
      const above: Node<V>[] = [];
      for (let i = 0; i < nodes.length; i += MAX) above.push(branch(nodes.slice(i, i + MAX)));
      nodes = above;
    }
    return new OrderedMap(nodes[0]!);
  }
}
