/** Two connections made one: what comes in on one goes out on the other, byte for byte, no faster than it is taken. */
import type { Duplex } from "node:stream";

/** Milliseconds that one direction may be silent after the other has ended. */
const HALF_OPEN = 30_000;

/** Something with a socket's own ways, where it is one. */
type MaybeSocket = Duplex & { destroySoon?(): void; setTimeout?(ms: number, then: () => void): void };

/** Ends both when either ends. `closed` is called once, when nothing goes on any more. */
export function splice(a: MaybeSocket, b: MaybeSocket, closed?: () => void): void {
  let open = 2;
  const gone = (of: MaybeSocket, other: MaybeSocket) => (): void => {
    // What is on its way out still goes.
    if (other.destroySoon) other.destroySoon();
    else other.end();
    other.unpipe(of);
    other.resume();
    if (--open === 0) closed?.();
  };
  const ended = (): void => {
    for (const side of [a, b]) side.setTimeout?.(HALF_OPEN, () => side.destroy());
  };
  for (const [side, other] of [
    [a, b],
    [b, a],
  ] as const) {
    side.on("error", () => side.destroy());
    side.once("end", ended);
    side.once("close", gone(side, other));
  }
  if (a.destroyed || b.destroyed) {
    a.destroy();
    b.destroy();
    return;
  }
  a.pipe(b);
  b.pipe(a);
}
