/**
 * Which services select a pod, without asking each service: a service is found by one pair of its selector, the one that
 * the fewest others are found by.
 */
type Labels = Readonly<Record<string, string>>;

interface Entry {
  pair: string;
  selector: Labels;
}

export class Selectors {
  private readonly entries = new Map<string, Entry>();
  private readonly byPair = new Map<string, Set<string>>();

  /** An empty selector selects nothing. Returns whether what is selected may have changed. */
  set(key: string, namespace: string, selector: Labels | undefined): boolean {
    const known = this.entries.get(key);
    const pairs = Object.entries(selector ?? {});
    if (known && sameLabels(known.selector, selector ?? {})) return false;
    if (known) this.delete(key);
    if (!selector || pairs.length === 0) return known !== undefined;
    let best = "";
    let fewest = Number.POSITIVE_INFINITY;
    for (const [name, value] of pairs) {
      const pair = pairOf(namespace, name, value);
      const others = this.byPair.get(pair)?.size ?? 0;
      if (others >= fewest) continue;
      fewest = others;
      best = pair;
    }
    this.entries.set(key, { pair: best, selector });
    const bucket = this.byPair.get(best);
    if (bucket) bucket.add(key);
    else this.byPair.set(best, new Set([key]));
    return true;
  }

  delete(key: string): void {
    const known = this.entries.get(key);
    if (!known) return;
    this.entries.delete(key);
    const bucket = this.byPair.get(known.pair);
    bucket?.delete(key);
    if (bucket?.size === 0) this.byPair.delete(known.pair);
  }

  has(key: string): boolean {
    return this.entries.has(key);
  }

  matches(key: string, labels: Labels | undefined): boolean {
    const known = this.entries.get(key);
    return known !== undefined && selects(known.selector, labels);
  }

  /** Keys of the services that select a pod with these labels. */
  matching(namespace: string, labels: Labels | undefined): string[] {
    const found: string[] = [];
    if (!labels || this.entries.size === 0) return found;
    for (const name of Object.keys(labels)) {
      const bucket = this.byPair.get(pairOf(namespace, name, labels[name]!));
      if (!bucket) continue;
      for (const key of bucket) if (this.matches(key, labels)) found.push(key);
    }
    return found;
  }
}

function pairOf(namespace: string, name: string, value: string): string {
  return `${namespace}\n${name}=${value}`;
}

function selects(selector: Labels, labels: Labels | undefined): boolean {
  if (!labels) return false;
  for (const name of Object.keys(selector)) {
    if (!Object.hasOwn(labels, name) || labels[name] !== selector[name]) return false;
  }
  return true;
}

export function sameLabels(a: Labels = {}, b: Labels = {}): boolean {
  return (
    Object.keys(a).length === Object.keys(b).length &&
    (a === b || Object.keys(a).every((name) => Object.hasOwn(b, name) && a[name] === b[name]))
  );
}
