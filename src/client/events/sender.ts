/**
 * Sends what is recorded in the background, so that events never crowd out other work: those of one key in the order they
 * came, others several at a time.
 */
import { inBackground } from "../background.ts";

/** Waiting events beyond this many are dropped: whoever records faster than the server takes does not run out of memory. */
const MOST = 5000;

export class Sender {
  private readonly last = new Map<string, Promise<void>>();
  private waiting = 0;

  /** A promise that rejects loses its event: an event is no promise. */
  add(key: string, send: () => Promise<unknown>): void {
    if (this.waiting >= MOST) return;
    this.waiting++;
    const before = this.last.get(key);
    const sent: Promise<void> = (before ? before.then(() => inBackground(send)) : inBackground(send)).then(
      () => this.ended(key, sent),
      () => this.ended(key, sent),
    );
    this.last.set(key, sent);
  }

  private ended(key: string, sent: Promise<void>): void {
    this.waiting--;
    if (this.last.get(key) === sent) this.last.delete(key);
  }
}
