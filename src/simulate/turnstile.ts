/** Lets so many through at a time; the others wait in line. */
export class Turnstile {
  private free: number;
  private readonly line: (() => void)[] = [];
  private at = 0;

  constructor(places: number) {
    this.free = places;
  }

  async pass<T>(work: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free--;
    else await new Promise<void>((resolve) => this.line.push(resolve));
    try {
      return await work();
    } finally {
      this.leave();
    }
  }

  private leave(): void {
    const next = this.line[this.at];
    if (!next) {
      this.free++;
      return;
    }
    this.at++;
    if (this.at === this.line.length) {
      this.line.length = 0;
      this.at = 0;
    }
    next();
  }
}
