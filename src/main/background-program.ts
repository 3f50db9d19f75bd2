/** What the program does for itself when `kybern up` runs it: keeps its log small, and follows the machine's address. */
import { fstatSync, statSync } from "node:fs";
import type { Clock } from "../base/clock.ts";
import type { Layout } from "../cluster/layout.ts";
import { nodeAddresses } from "../host/machine/addresses.ts";
import { keepLogSmall } from "../host/supervisor/keep-log-small.ts";
import { SUPERVISED } from "../host/supervisor/supervisor.ts";
import { followAddress } from "./follow-address.ts";
import { logLine } from "./log.ts";
import { superviseAnew } from "./up/background.ts";

/** With which it ends to be started anew. */
export const AGAIN = 75;

/** Milliseconds between two looks at who started this process: nobody is told of the end of a parent. */
const PERIOD = 10_000;

/**
 * `again` resolves where the program must be started anew: by its supervisor where the machine has another address, as
 * certificates, tunnels and rules are made for the one that it had; or by a new supervisor where the old one was killed.
 * Containers go on running. `end` is called last of all.
 */
export function asBackgroundProgram(
  layout: Layout,
  address: string | undefined,
  clock: Clock,
): { again: Promise<void>; close(): void; end(): Promise<void> } {
  const rotation = writesTo(layout.log) ? keepLogSmall(layout.log) : () => {};
  const isSupervised = process.env[SUPERVISED] !== undefined;
  const read = (): string | undefined => (address === undefined ? nodeAddresses()[0] : undefined);
  const watch = followAddress(read, clock);
  const supervisor = isSupervised ? followParent(() => process.ppid, clock) : undefined;
  let isAlone = false;
  const lost = supervisor?.gone.then(() => {
    logLine("warn", "the supervisor of this program was killed; starting anew with another");
    isAlone = true;
  });
  const moved = watch.changed.then((now) => {
    if (isSupervised) {
      logLine("warn", "the machine has another address; starting anew for it", { address: now });
      process.exitCode = AGAIN;
      return;
    }
    logLine("warn", "the machine has another address; start this program anew for it", { address: now });
    return new Promise<void>(() => {});
  });
  return {
    again: lost ? Promise.race([moved, lost]) : moved,
    close() {
      rotation();
      watch.close();
      supervisor?.close();
    },
    async end() {
      if (isAlone) await superviseAnew(layout);
    },
  };
}

/** Tells when the process that started this one is no more: another takes its children. */
export function followParent(read: () => number, clock: Clock): { gone: Promise<void>; close(): void } {
  const { promise, resolve } = Promise.withResolvers<void>();
  const first = read();
  let cancel = (): void => {};
  const arm = (): void => {
    cancel = clock.setTimer(PERIOD, () => (read() === first ? arm() : resolve()));
  };
  arm();
  return { gone: promise, close: () => cancel() };
}

function writesTo(path: string): boolean {
  try {
    const [own, file] = [fstatSync(2), statSync(path)];
    return own.ino === file.ino && own.dev === file.dev;
  } catch {
    return false;
  }
}
