/** Sends what is recorded one after the other, so that events never crowd out other work, and in the order they came. */

/** Waiting events beyond this many are dropped: whoever records faster than the server takes does not run out of memory. */
const MOST = 5000;

export class Sender {
  private readonly waiting: (() => Promise<unknown>)[] = [];
  private sending = false;

  add(send: () => Promise<unknown>): void {
    if (this.waiting.length >= MOST) return;
    this.waiting.push(send);
    if (!this.sending) void this.run();
  }

  private async run(): Promise<void> {
    this.sending = true;
    // Whoever records goes on first.
    await undefined;
    for (let next = this.waiting.shift(); next; next = this.waiting.shift()) {
      try {
        await next();
      } catch {
        // An event is no promise: what the server does not take is gone.
      }
    }
    this.sending = false;
  }
}
