import { type Revision, StoreDamaged } from "../store.ts";
import type { Journaled, LogRecord } from "./journal.ts";
import { KeyIndex, type Slot, type Version } from "./key-index.ts";
import type { StagedStep } from "./stage.ts";

/** All keys and versions since the compacted revision, found by key and by revision. */
export class History {
  readonly index = new KeyIndex();
  revision: Revision = 0;
  compacted: Revision = 0;
  /** Whose key changed at each revision from `base + 1` on. */
  #steps: Slot[] = [];
  /** Up to here everything needless was pruned. */
  base: Revision = 0;
  readonly #leftovers: Revision[] = [];

  static load(state: Journaled): History {
    const history = new History();
    history.compacted = state.compacted;
    history.base = state.compacted;
    for (const record of state.records) history.#restore(record);
    history.revision = state.revision;
    const seen = history.base + history.#steps.length;
    if (seen !== state.revision) throw missing(seen + 1);
    history.#cleanUp();
    return history;
  }

  #restore(record: LogRecord): void {
    const slot = this.index.ensure(record.key);
    if (record.at > this.base) {
      if (record.at !== this.base + this.#steps.length + 1) throw missing(this.base + this.#steps.length + 1);
      this.#steps.push(slot);
    } else {
      // A compaction that was cut short may have left more than the newest.
      for (const old of slot.versions) this.#leftovers.push(old.modified);
      slot.versions.length = 0;
    }
    slot.versions.push(versionOf(record));
  }

  /** Deletes that were compacted but not yet taken away. */
  #cleanUp(): void {
    const gone: Slot[] = [];
    for (const slot of this.#slots()) {
      const first = slot.versions[0]!;
      if (!first.deleted || first.modified > this.base) continue;
      this.#leftovers.push(first.modified);
      slot.versions.shift();
      if (slot.versions.length === 0) gone.push(slot);
    }
    for (const slot of gone) this.index.remove(slot);
  }

  /** Revisions whose records are in the journal without need. */
  leftovers(): Revision[] {
    return [...this.#leftovers];
  }

  *expiring(): Iterable<[string, Version]> {
    for (const slot of this.#slots()) {
      const newest = slot.versions.at(-1)!;
      if (newest.expires > 0) yield [slot.key, newest];
    }
  }

  /** Adds the next revision; returns what stood before. */
  add(step: StagedStep): { slot: Slot; was: Version | undefined } {
    const slot = this.index.ensure(step.key);
    const was = slot.versions.at(-1);
    slot.versions.push(step.version);
    this.#steps.push(slot);
    this.revision = step.at;
    return { slot, was };
  }

  /** The step of one revision above the compacted one. */
  at(revision: Revision): { slot: Slot; version: Version; was: Version | undefined } {
    const slot = this.#steps[revision - this.base - 1]!;
    let place = slot.versions.length - 1;
    while (slot.versions[place]!.modified !== revision) place--;
    return { slot, version: slot.versions[place]!, was: slot.versions[place - 1] };
  }

  /**
   * Takes out of the index what a compaction up to `upTo` makes needless among the keys that changed after `from` and
   * up to `until`; returns the revisions taken out.
   */
  prune(from: Revision, until: Revision, upTo: Revision): Revision[] {
    const gone: Revision[] = [];
    for (let at = from + 1; at <= until; at++) {
      const slot = this.#steps[at - this.base - 1]!;
      const { versions } = slot;
      let newest = versions.length - 1;
      while (newest >= 0 && versions[newest]!.modified > upTo) newest--;
      const drop = newest >= 0 && versions[newest]!.deleted ? newest + 1 : newest;
      if (drop <= 0) continue;
      for (const version of versions.splice(0, drop)) gone.push(version.modified);
      if (versions.length === 0) this.index.remove(slot);
    }
    return gone;
  }

  /** Forgets the order of the steps up to a revision, after all of them were pruned. */
  dropBefore(upTo: Revision): void {
    this.#steps = this.#steps.slice(upTo - this.base);
    this.base = upTo;
  }

  /** Everything there is, in the order of revisions, with the values that are in memory. */
  *records(): Iterable<LogRecord> {
    const all: { key: string; version: Version }[] = [];
    for (const slot of this.#slots())
      for (const version of slot.versions) all.push({ key: slot.key, version });
    all.sort((a, b) => a.version.modified - b.version.modified);
    for (const { key, version } of all) {
      const { modified, created, deleted, expires, value } = version;
      yield { at: modified, key, created, deleted, expires, value };
    }
  }

  #slots(): Slot[] {
    return this.index.all();
  }
}

function versionOf({ at, created, deleted, expires, value }: LogRecord): Version {
  return { modified: at, created, deleted, expires, value };
}

function missing(at: Revision): StoreDamaged {
  return new StoreDamaged(`revision ${at} is missing from the store's history: put a copy of the store back`);
}
