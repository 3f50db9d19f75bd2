import type { Entry, Outcome, Revision, Write } from "../store.ts";
import type { History } from "./history.ts";
import type { LogRecord } from "./journal.ts";
import type { Version } from "./key-index.ts";

/** A write and who waits for its outcome. */
export interface Waiting {
  write: Write;
  resolve(outcome: Outcome): void;
  reject(error: Error): void;
}

/** A write that won, numbered; `version` is what the index gets once it is durable. */
export interface StagedStep extends LogRecord {
  version: Version;
}

export interface Staged {
  steps: StagedStep[];
  /** In the order the writes came. `answer` is to be called once the steps are durable. */
  answers: { waiting: Waiting; answer(): Outcome }[];
}

/**
 * Decides a batch of writes in order, each against what stands after the ones before it, without touching the index:
 * a batch that cannot be made durable leaves no trace.
 */
export function stage(
  batch: readonly Waiting[],
  history: History,
  now: number,
  entryOf: (key: string, version: Version) => Entry,
): Staged {
  const steps: StagedStep[] = [];
  const answers: Staged["answers"] = [];
  const ahead = new Map<string, Version>();
  let at: Revision = history.revision;
  for (const waiting of batch) {
    const { key, value, expect, ttl } = waiting.write;
    const last = ahead.get(key) ?? history.index.get(key)?.versions.at(-1);
    const standing = last && !last.deleted ? last : undefined;
    if ((standing?.modified ?? 0) !== expect) {
      answers.push({
        waiting,
        answer: () => ({ won: false, now: standing && entryOf(key, standing) }),
      });
      continue;
    }
    if (!value && !standing) {
      // Nothing to delete, as expected: no history is made of it.
      const seen = at;
      answers.push({ waiting, answer: () => ({ won: true, at: seen }) });
      continue;
    }
    at++;
    const version: Version = {
      modified: at,
      created: value ? (standing?.created ?? at) : 0,
      deleted: !value,
      expires: value && ttl ? now + ttl * 1000 : 0,
      value,
    };
    ahead.set(key, version);
    steps.push({
      at,
      key,
      created: version.created,
      deleted: version.deleted,
      expires: version.expires,
      value: version.value,
      version,
    });
    const won = at;
    answers.push({ waiting, answer: () => ({ won: true, at: won }) });
  }
  return { steps, answers };
}
