/** Looks at something whenever it is woken: one look at a time, and another one where it was woken meanwhile. */
export interface LooksOptions {
  look(): Promise<void>;
  failed(error: unknown): void;
  /** All looks that it was woken for are done. */
  settled(): void;
}

export class Looks {
  readonly #options: LooksOptions;
  #looking: Promise<void> | undefined;
  #again = false;
  #over = false;

  constructor(options: LooksOptions) {
    this.#options = options;
  }

  get isLooking(): boolean {
    return this.#looking !== undefined;
  }

  wake(): void {
    if (this.#over) return;
    if (this.#looking) {
      this.#again = true;
      return;
    }
    this.#looking = this.#run().finally(() => {
      this.#looking = undefined;
      // It may have been woken at the very end.
      if (this.#again) this.wake();
    });
  }

  /** Nothing wakes it any more. Resolves when the look that is under way is done. */
  async end(): Promise<void> {
    this.#over = true;
    await this.#looking;
  }

  async #run(): Promise<void> {
    do {
      this.#again = false;
      try {
        await this.#options.look();
      } catch (error) {
        this.#options.failed(error);
      }
    } while (this.#again && !this.#over);
    if (!this.#over) this.#options.settled();
  }
}
