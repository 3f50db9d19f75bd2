import type { ChainParts, SetParts, TableParts } from "./table-state.ts";

/** Gathers what one owner claims of a table. */
export class PartsBuilder implements TableParts {
  readonly chains = new Map<string, ChainParts>();
  readonly sets = new Map<string, SetParts>();
  readonly elements = new Map<string, Map<string, string>>();

  chain(name: string, rules: readonly string[], hook?: string): void {
    this.chains.set(name, hook === undefined ? { rules } : { hook, rules });
  }

  set(name: string, definition: string): void {
    this.sets.set(name, { kind: "set", definition });
  }

  map(name: string, definition: string): void {
    this.sets.set(name, { kind: "map", definition });
  }

  element(set: string, key: string, value = ""): void {
    const elements = this.elements.get(set);
    if (elements) elements.set(key, value);
    else this.elements.set(set, new Map([[key, value]]));
  }
}
