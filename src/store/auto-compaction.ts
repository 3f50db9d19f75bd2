import type { Clock } from "../base/clock.ts";
import type { Revision, Store } from "./store.ts";

export interface AutoCompactionOptions {
  store: Pick<Store, "current" | "compact">;
  clock: Clock;
  /** How much history stays, in milliseconds. Upstream's API server keeps five to ten minutes. */
  keepMs: number;
  /** How many revisions stay at most, whatever their age. */
  keepRevisions?: number;
  /** Told of each failure; the next turn tries again. */
  failed?(error: unknown): void;
}

export interface AutoCompaction {
  /** Forgets all history at once, to make room: what was deleted or replaced takes none afterwards. */
  makeRoom(): void;
  close(): void;
}

/**
 * Compacts what is older than asked: looks at the store's revision a few times in `keepMs` and forgets what was already
 * there a whole `keepMs` ago.
 */
export function startAutoCompaction(options: AutoCompactionOptions): AutoCompaction {
  const { store, clock, keepMs, keepRevisions = Number.POSITIVE_INFINITY } = options;
  const pause = Math.max(1, Math.floor(keepMs / 5));
  const seen: { time: number; revision: Revision }[] = [];
  let done: Revision = 0;
  let closed = false;
  let cancel = (): void => {};

  const turn = async (): Promise<void> => {
    const time = clock.now();
    const revision = await store.current();
    seen.push({ time, revision });
    let upTo = revision - keepRevisions;
    while (seen[0] && seen[0].time <= time - keepMs) upTo = Math.max(upTo, seen.shift()!.revision);
    if (upTo <= done || closed) return;
    await store.compact(upTo);
    done = upTo;
  };
  const arm = (): void => {
    if (closed) return;
    cancel = clock.setTimer(pause, () => {
      turn()
        .catch((error: unknown) => options.failed?.(error))
        .finally(arm);
    });
  };
  let making = false;
  const makeRoom = async (): Promise<void> => {
    const revision = await store.current();
    if (closed || revision <= done) return;
    await store.compact(revision);
    done = revision;
  };
  arm();
  return {
    makeRoom() {
      if (making || closed) return;
      making = true;
      makeRoom()
        .catch((error: unknown) => options.failed?.(error))
        .finally(() => {
          making = false;
        });
    },
    close() {
      closed = true;
      cancel();
    },
  };
}
