/**
 * Shares out the turns of the event loop. What components of one process do for each other is all promises, which would
 * keep the loop from sockets and timers as long as there is work. So each turn takes so much, and the rest waits in line.
 * Counted, not timed: what runs on a virtual clock must come in the same order every time.
 */

/** What one turn takes; about 5 to 10 milliseconds of requests. */
const BUDGET = 40;

let left = BUDGET;
let armed = false;
const line: { cost: number; go: () => void }[] = [];

/** Undefined where there is room in this turn; else resolves when it is the caller's turn. */
export function takeTurn(cost: number): Promise<void> | undefined {
  if (!armed) arm();
  if (left > 0 && line.length === 0) {
    left -= cost;
    return undefined;
  }
  return new Promise((go) => line.push({ cost, go }));
}

/** How many wait for their turn. */
export function waitingForTurn(): number {
  return line.length;
}

function arm(): void {
  armed = true;
  setImmediate(begin);
}

function begin(): void {
  armed = false;
  left = BUDGET;
  let taken = 0;
  while (left > 0 && taken < line.length) {
    const { cost, go } = line[taken++]!;
    left -= cost;
    go();
  }
  if (taken === 0) return;
  line.splice(0, taken);
  arm();
}
