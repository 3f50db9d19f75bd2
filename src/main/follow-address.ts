/** Notices that the machine has another address than the one that the program began with, or its first. */
import type { Clock } from "../base/clock.ts";

/** Milliseconds between two looks: nothing tells of it without a program of its own. */
const PERIOD = 10_000;

export interface AddressWatch {
  /** Resolves with the new one, once it was seen twice: an address is away for a moment when a link comes up anew. */
  changed: Promise<string>;
  close(): void;
}

/** None, which `read` may tell for a while, is no change. */
export function followAddress(read: () => string | undefined, clock: Clock): AddressWatch {
  const { promise, resolve } = Promise.withResolvers<string>();
  const first = read();
  let last = first;
  let cancel = (): void => {};
  const arm = (): void => {
    cancel = clock.setTimer(PERIOD, () => {
      const now = read();
      if (now !== undefined && now !== first && now === last) return resolve(now);
      last = now;
      arm();
    });
  };
  arm();
  return { changed: promise, close: () => cancel() };
}
