/** Tells each step when it is done, once, with how long it took since the last one. */
export class Progress {
  private readonly say: (line: string) => void;
  private readonly began = performance.now();
  private readonly told = new Set<string>();

  constructor(say: (line: string) => void) {
    this.say = say;
  }

  step(text: string): void {
    if (this.told.has(text)) return;
    this.told.add(text);
    this.say(`${((performance.now() - this.began) / 1000).toFixed(1).padStart(5)} s  ${text}`);
  }
}
