/** What the program does for itself when `kybern up` runs it: keeps its log small, and follows the machine's address. */
import { fstatSync, statSync } from "node:fs";
import type { Clock } from "../base/clock.ts";
import type { Layout } from "../cluster/layout.ts";
import { nodeAddresses } from "../host/machine/addresses.ts";
import { keepLogSmall } from "../host/supervisor/keep-log-small.ts";
import { SUPERVISED } from "../host/supervisor/supervisor.ts";
import { followAddress } from "./follow-address.ts";
import { logLine } from "./log.ts";

/** With which it ends to be started anew. */
export const AGAIN = 75;

/**
 * `again` resolves where the program must be started anew, which its supervisor does: certificates, tunnels and rules are
 * made for the address that the machine had. Containers go on running.
 */
export function asBackgroundProgram(
  layout: Layout,
  address: string | undefined,
  clock: Clock,
): { again: Promise<void>; close(): void } {
  const rotation = writesTo(layout.log) ? keepLogSmall(layout.log) : () => {};
  const isSupervised = process.env[SUPERVISED] !== undefined;
  const read = (): string | undefined => (address === undefined ? nodeAddresses()[0] : undefined);
  const watch = followAddress(read, clock);
  const again = watch.changed.then((now) => {
    if (isSupervised) {
      logLine("warn", "the machine has another address; starting anew for it", { address: now });
      process.exitCode = AGAIN;
      return;
    }
    logLine("warn", "the machine has another address; start this program anew for it", { address: now });
    return new Promise<void>(() => {});
  });
  return {
    again,
    close() {
      rotation();
      watch.close();
    },
  };
}

function writesTo(path: string): boolean {
  try {
    const [own, file] = [fstatSync(2), statSync(path)];
    return own.ino === file.ino && own.dev === file.dev;
  } catch {
    return false;
  }
}
