/**
 * Gives the memory of a burst back once it is over. V8 leaves pages half empty, and never gives a lower rate of work as a
 * reason to compact them. A compaction holds the process for up to some tenths of a second, so it happens only
 * when no request came from outside for a while, where enough is to be won, and not of a heap that would take longer.
 *
 *   request ──▶ look from time to time ── requests came ──▶ look on
 *                      └── none came for so many looks ──▶ compact where it pays; nothing more until the next request
 */
import { getHeapStatistics, setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { Clock } from "../base/clock.ts";

export interface MemorySize {
  /** Bytes of the process in memory, and those that objects fill (garbage included). */
  resident: number;
  objects: number;
}

export interface IdleMemoryOptions {
  clock: Clock;
  size: () => MemorySize;
  compact: () => void;
}

/** Milliseconds between two looks, and how many of them must find no new request. */
const LOOK = 1000;
const QUIET = 3;
const MB = 1024 * 1024;
/** By so much the process must have grown since it was compacted last. */
const WORTH = 24 * MB;
const LARGEST = 192 * MB;

export class IdleMemory {
  private readonly options: IdleMemoryOptions;
  private armed = false;
  private requests = 0;
  private left: number;

  constructor(options: IdleMemoryOptions) {
    this.options = options;
    this.left = options.size().resident;
  }

  /** A request came from outside. */
  requested(): void {
    this.requests++;
    if (this.armed) return;
    this.armed = true;
    this.look(0);
  }

  private look(quiet: number): void {
    const { requests } = this;
    this.options.clock.setTimer(LOOK, () => {
      if (this.requests !== requests) this.look(0);
      else if (quiet + 1 < QUIET) this.look(quiet + 1);
      else this.rest();
    });
  }

  private rest(): void {
    this.armed = false;
    const { size, compact } = this.options;
    const { resident, objects } = size();
    if (resident < this.left + WORTH || objects > LARGEST) return;
    compact();
    this.left = size().resident;
  }
}

export function memorySize(): MemorySize {
  return { resident: process.memoryUsage.rss(), objects: getHeapStatistics().used_heap_size };
}

let collect: ((options: object) => void) | undefined;

/** V8's collection of last resort is the one that compacts every page. */
export function compactHeap(): void {
  if (!collect) {
    setFlagsFromString("--expose-gc");
    collect = runInNewContext("gc") as (options: object) => void;
    setFlagsFromString("--no-expose-gc");
  }
  collect({ type: "major", flavor: "last-resort", execution: "sync" });
}
