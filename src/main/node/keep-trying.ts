/** Begins what can fail for reasons that pass: a full disk, a port that is taken, a program that is being replaced. */
import type { Clock } from "../../base/clock.ts";
import { wait } from "../../client/wait.ts";

export interface Trying<T> {
  /** Undefined until it began. */
  readonly current: T | undefined;
  stop(): Promise<void>;
}

/** Milliseconds before the second try, twice as many before each later one, and no more than that. */
const BACKOFF = { first: 1000, most: 30_000 };

export function keepTrying<T extends { stop(): Promise<void> }>(
  begin: () => Promise<T>,
  clock: Clock,
  failed: (error: Error) => void,
): Trying<T> {
  const stopping = new AbortController();
  let current: T | undefined;
  const tries = async (): Promise<void> => {
    for (
      let backoff = BACKOFF.first;
      !stopping.signal.aborted;
      backoff = Math.min(backoff * 2, BACKOFF.most)
    ) {
      try {
        current = await begin();
        return;
      } catch (error) {
        failed(error instanceof Error ? error : new Error(String(error)));
      }
      await wait(clock, backoff, stopping.signal);
    }
  };
  const done = tries();
  return {
    get current() {
      return current;
    },
    async stop() {
      stopping.abort();
      await done;
      await current?.stop();
    },
  };
}
