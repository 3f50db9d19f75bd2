/**
 * Updates of one object by this server take turns: each then starts from what the one before it has written, instead of
 * losing to it and starting over. Other servers on the same store still race, and are told by compare and swap.
 */
export class Turns {
  private readonly last = new Map<string, Promise<void>>();

  /** Runs `work` after all earlier work on `key` has ended, well or not. */
  run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const before = this.last.get(key);
    const result = before ? before.then(work) : work();
    const ended: Promise<void> = result.then(
      () => this.end(key, ended),
      () => this.end(key, ended),
    );
    this.last.set(key, ended);
    return result;
  }

  private end(key: string, ended: Promise<void>): void {
    if (this.last.get(key) === ended) this.last.delete(key);
  }
}
