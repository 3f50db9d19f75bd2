/**
 * What a table of nftables should hold, as claims of many owners, and what the kernel is known to hold of it.
 *
 *   claim(owner, parts) ──▶ what differs is remembered ──▶ takeBatch() ──▶ nft ──▶ committed() or failed()
 *
 * A batch names what differs and nothing else; nothing is ever read back. Where two owners want different things of one
 * name, the owner that sorts first has it, so that the table does not depend on the order of events.
 */

/** A chain: of a hook where it has a `hook`, as nft writes it: `type nat hook prerouting priority -100;`. */
export interface ChainParts {
  hook?: string;
  rules: readonly string[];
}

/** Elements by the set or map they are in: what one owner claims. */
export interface TableParts {
  chains?: ReadonlyMap<string, ChainParts>;
  /** The definitions of sets and maps, as nft writes them: `map` or `set`, and what is between the braces. */
  sets?: ReadonlyMap<string, SetParts>;
  /** Of a set or map: the keys, and their data where it is a map (else ""). */
  elements?: ReadonlyMap<string, ReadonlyMap<string, string>>;
}

export interface SetParts {
  kind: "set" | "map";
  definition: string;
}

/** One transaction. Exactly one of `committed` and `failed` is called before the next is taken. */
export interface TableBatch {
  text: string;
  /** Whether it makes the table anew. */
  whole: boolean;
  committed(): void;
  /** The kernel may hold anything now: the next batch makes the table anew. */
  failed(): void;
}

interface Claim<V> {
  owner: string;
  value: V;
  /** Those that have the name too, and would take it over. Thousands of services share a chain. */
  others?: Map<string, V>;
}

/** Things of one sort: wanted by owners, held by the kernel. Values are compared as texts. */
class Claims<V> {
  readonly wanted = new Map<string, Claim<V>>();
  readonly held = new Map<string, V>();
  dirty = new Set<string>();

  add(name: string, owner: string, value: V): void {
    const claim = this.wanted.get(name);
    if (!claim) {
      this.wanted.set(name, { owner, value });
      this.dirty.add(name);
      return;
    }
    claim.others ??= new Map();
    if (claim.owner < owner) {
      claim.others.set(owner, value);
      return;
    }
    claim.others.set(claim.owner, claim.value);
    this.take(name, claim, owner, value);
  }

  remove(name: string, owner: string): void {
    const claim = this.wanted.get(name);
    if (!claim) return;
    if (claim.owner !== owner) {
      claim.others?.delete(owner);
      return;
    }
    let next: string | undefined;
    for (const other of claim.others?.keys() ?? []) if (next === undefined || other < next) next = other;
    if (next === undefined) {
      this.wanted.delete(name);
      this.dirty.add(name);
      return;
    }
    const value = claim.others!.get(next)!;
    claim.others!.delete(next);
    this.take(name, claim, next, value);
  }

  now(name: string): V | undefined {
    return this.wanted.get(name)?.value;
  }

  private take(name: string, claim: Claim<V>, owner: string, value: V): void {
    claim.owner = owner;
    claim.value = value;
    this.dirty.add(name);
  }
}

const chainText = ({ hook = "", rules }: ChainParts): string => [hook, ...rules].join("\n");

export class TableState {
  private readonly table: string;
  private readonly owners = new Map<string, TableParts>();
  private readonly chains = new Claims<ChainParts>();
  private readonly sets = new Claims<SetParts>();
  private readonly elements = new Map<string, Claims<string>>();
  private whole = true;

  /** `table` is the family and the name: `inet kybern-proxy`. */
  constructor(table: string) {
    this.table = table;
  }

  /** Replaces what the owner claimed before; nothing where `parts` is undefined. */
  claim(owner: string, parts: TableParts | undefined): void {
    const was = this.owners.get(owner);
    if (was) this.withdraw(owner, was);
    if (!parts) {
      this.owners.delete(owner);
      return;
    }
    this.owners.set(owner, parts);
    for (const [name, chain] of parts.chains ?? []) this.chains.add(name, owner, chain);
    for (const [name, set] of parts.sets ?? []) this.sets.add(name, owner, set);
    for (const [set, elements] of parts.elements ?? []) {
      const claims = this.claimsOf(set);
      for (const [key, value] of elements) claims.add(key, owner, value);
    }
  }

  /** The next batch makes the table anew. */
  distrust(): void {
    this.whole = true;
  }

  /** Undefined where nothing differs. */
  takeBatch(): TableBatch | undefined {
    return this.whole ? this.wholeBatch() : this.difference();
  }

  private withdraw(owner: string, { chains, sets, elements }: TableParts): void {
    for (const name of chains?.keys() ?? []) this.chains.remove(name, owner);
    for (const name of sets?.keys() ?? []) this.sets.remove(name, owner);
    for (const [set, claimed] of elements ?? []) {
      const claims = this.claimsOf(set);
      for (const key of claimed.keys()) claims.remove(key, owner);
    }
  }

  private claimsOf(set: string): Claims<string> {
    let claims = this.elements.get(set);
    if (!claims) {
      claims = new Claims();
      this.elements.set(set, claims);
    }
    return claims;
  }

  private wholeBatch(): TableBatch {
    const { table } = this;
    // A table must be there to be deleted.
    const lines = [`add table ${table}`, `delete table ${table}`, `add table ${table}`];
    const writer = new BatchWriter(table, lines);
    for (const name of this.sets.wanted.keys()) writer.set(name, this.sets.now(name)!);
    for (const name of this.chains.wanted.keys()) writer.chain(name, this.chains.now(name)!);
    for (const [set, claims] of this.elements) {
      writer.elements(
        "add",
        set,
        [...claims.wanted.keys()].map((key) => [key, claims.now(key)!]),
      );
    }
    for (const name of this.chains.wanted.keys()) writer.rules(name, this.chains.now(name)!);
    const all = <V>(claims: Claims<V>): Map<string, V | undefined> => {
      const values = new Map<string, V | undefined>();
      for (const name of claims.held.keys()) values.set(name, undefined);
      for (const name of claims.wanted.keys()) values.set(name, claims.now(name));
      return values;
    };
    const elements = new Map([...this.elements].map(([set, claims]) => [set, all(claims)]));
    return this.batch(lines, true, all(this.chains), all(this.sets), elements);
  }

  private difference(): TableBatch | undefined {
    const sets = differing(this.sets, (a, b) => a.definition === b.definition);
    const chains = differing(this.chains, (a, b) => chainText(a) === chainText(b));
    const elements = new Map<string, Map<string, string | undefined>>();
    for (const [set, claims] of this.elements) {
      if (claims.dirty.size === 0) continue;
      const changed = differing(claims, (a, b) => a === b);
      if (changed.size > 0) elements.set(set, changed);
    }
    this.seen();
    if (sets.size === 0 && chains.size === 0 && elements.size === 0) return undefined;
    const lines: string[] = [];
    const writer = new BatchWriter(this.table, lines);
    // What is referred to comes before what refers to it, and goes after it.
    for (const [name, set] of sets) if (set) writer.set(name, set);
    for (const [name, chain] of chains) if (chain && !this.chains.held.has(name)) writer.chain(name, chain);
    for (const [set, changed] of elements) {
      // The elements of a set that goes away go with it.
      if (sets.has(set) && !sets.get(set)) continue;
      const held = this.claimsOf(set).held;
      const gone = [...changed.keys()].filter((key) => held.has(key));
      writer.elements(
        "delete",
        set,
        gone.map((key) => [key, held.get(key)!]),
      );
    }
    for (const name of chains.keys()) if (this.chains.held.has(name)) writer.flush(name);
    for (const [set, changed] of elements) {
      const added = [...changed].filter((entry): entry is [string, string] => entry[1] !== undefined);
      writer.elements("add", set, added);
    }
    for (const [name, chain] of chains) if (chain) writer.rules(name, chain);
    for (const [name, chain] of chains) if (!chain) lines.push(`delete chain ${this.table} ${name}`);
    for (const [name, set] of sets)
      if (!set) lines.push(`delete ${this.sets.held.get(name)!.kind} ${this.table} ${name}`);
    return this.batch(lines, false, chains, sets, elements);
  }

  /** Claims that come while the batch is on its way are of the next one. */
  private seen(): void {
    for (const claims of [this.chains, this.sets, ...this.elements.values()]) {
      if (claims.dirty.size > 0) claims.dirty = new Set();
    }
  }

  private batch(
    lines: readonly string[],
    whole: boolean,
    chains: ReadonlyMap<string, ChainParts | undefined>,
    sets: ReadonlyMap<string, SetParts | undefined>,
    elements: ReadonlyMap<string, ReadonlyMap<string, string | undefined>>,
  ): TableBatch {
    this.whole = false;
    this.seen();
    return {
      text: `${lines.join("\n")}\n`,
      whole,
      committed: () => {
        hold(this.chains, chains);
        hold(this.sets, sets);
        for (const [set, values] of elements) hold(this.claimsOf(set), values);
        for (const [set, claims] of this.elements) {
          if (claims.held.size === 0 && claims.wanted.size === 0) this.elements.delete(set);
        }
      },
      failed: () => this.distrust(),
    };
  }
}

function differing<V>(claims: Claims<V>, same: (a: V, b: V) => boolean): Map<string, V | undefined> {
  const changed = new Map<string, V | undefined>();
  for (const name of claims.dirty) {
    const now = claims.now(name);
    const held = claims.held.get(name);
    if (now === undefined ? held !== undefined : held === undefined || !same(now, held))
      changed.set(name, now);
  }
  return changed;
}

function hold<V>(claims: Claims<V>, values: ReadonlyMap<string, V | undefined>): void {
  for (const [name, value] of values) {
    if (value === undefined) claims.held.delete(name);
    else claims.held.set(name, value);
  }
}

/** Elements in one command: nft reads a line into one message of netlink after the other, and a line may be long. */
const ELEMENTS_PER_LINE = 500;

class BatchWriter {
  private readonly table: string;
  private readonly lines: string[];

  constructor(table: string, lines: string[]) {
    this.table = table;
    this.lines = lines;
  }

  set(name: string, { kind, definition }: SetParts): void {
    this.lines.push(`add ${kind} ${this.table} ${name} { ${definition} }`);
  }

  chain(name: string, { hook }: ChainParts): void {
    this.lines.push(`add chain ${this.table} ${name}${hook ? ` { ${hook} }` : ""}`);
  }

  flush(name: string): void {
    this.lines.push(`flush chain ${this.table} ${name}`);
  }

  rules(name: string, { rules }: ChainParts): void {
    for (const rule of rules) this.lines.push(`add rule ${this.table} ${name} ${rule}`);
  }

  elements(verb: "add" | "delete", set: string, elements: readonly (readonly [string, string])[]): void {
    for (let from = 0; from < elements.length; from += ELEMENTS_PER_LINE) {
      const some = elements.slice(from, from + ELEMENTS_PER_LINE);
      const texts = some.map(([key, value]) => (value === "" ? key : `${key} : ${value}`));
      this.lines.push(`${verb} element ${this.table} ${set} { ${texts.join(", ")} }`);
    }
  }
}
