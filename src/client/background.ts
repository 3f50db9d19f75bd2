/**
 * Work that nobody waits for, such as events: it goes where nothing else wants the event loop, many at a time so that
 * they share what a write costs, and slowly while requests come from outside the process.
 *
 *   add ──▶ line ──▶ look ── others wait for turns ──▶ look at the next turn (so often at the most)
 *                     │ ──── requests from outside ──▶ some go, a few if they are many; look again a moment later
 *                     └───── calm ──▶ many go; look at the next turn
 */
import { waitingForTurn } from "./turn.ts";

/** Under way at the same time. */
const AT_ONCE = 32;
/** Begun between two moments while requests come from outside. */
const FEW = 16;
const MOMENT = 50;
/** Requests from outside within a moment that make it a busy one. */
const BUSY = 8;
/** Turns that others may take before some of it goes all the same. */
const PATIENCE = 20;

let outside = 0;
let outsideSeen = 0;
let underWay = 0;
let looking = false;
let passedOver = 0;
const line: (() => void)[] = [];
/** Where the line begins: to cut it each time would cost as much as it holds. */
let first = 0;

/** A request came over a socket: whoever sent it waits. */
export function requestFromOutside(): void {
  outside++;
}

/** Runs `work` when its time comes; in the order of calls, but several at the same time. */
export function inBackground<T>(work: () => Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    line.push(() => {
      underWay++;
      work().then(resolve, reject).finally(ended);
    });
    look();
  });
}

/** How much has not begun yet. */
export function waitingInBackground(): number {
  return line.length - first;
}

function ended(): void {
  underWay--;
  if (waitingInBackground() > 0) look();
}

function look(): void {
  if (looking || underWay >= AT_ONCE) return;
  looking = true;
  setImmediate(begin);
}

function lookLater(): void {
  looking = true;
  setTimeout(begin, MOMENT);
}

function begin(): void {
  looking = false;
  const passedBy = waitingForTurn() > 0;
  if (passedBy && passedOver++ < PATIENCE) {
    look();
    return;
  }
  passedOver = 0;
  const requests = outside - outsideSeen;
  outsideSeen = outside;
  go(Math.min(requests >= BUSY || passedBy ? FEW : AT_ONCE, AT_ONCE - underWay));
  if (waitingInBackground() === 0) return;
  // How many come within a moment only a moment tells.
  if (requests > 0) lookLater();
  else look();
}

function go(most: number): void {
  for (let i = 0; i < most && first < line.length; i++) line[first++]!();
  if (first < line.length && first < 1000) return;
  line.splice(0, first);
  first = 0;
}
