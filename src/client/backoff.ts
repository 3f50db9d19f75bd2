import type { Random } from "../base/random.ts";

export type { Random };

/** How long to wait before the next attempt: grows by `factor` to `longest`, and is spread so that many do not meet. */
export interface BackoffOptions {
  /** Milliseconds. */
  first: number;
  longest: number;
  factor?: number;
  /** 0.5: up to half as long again. */
  jitter?: number;
}

export class Backoff {
  private readonly options: Required<BackoffOptions>;
  private readonly random: Random;
  private step: number;

  constructor(options: BackoffOptions, random: Random) {
    this.options = { factor: 2, jitter: 0, ...options };
    this.random = random;
    this.step = options.first;
  }

  next(): number {
    const { longest, factor, jitter } = this.options;
    const step = this.step;
    this.step = Math.min(step * factor, longest);
    return step * (1 + jitter * this.random());
  }

  reset(): void {
    this.step = this.options.first;
  }
}
