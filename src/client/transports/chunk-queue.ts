import { TransportError } from "../transport.ts";

/** Chunks, or events, handed over by whoever makes them to one reader, who may be slower. */
export class ChunkQueue<T = Uint8Array> implements AsyncIterableIterator<T> {
  private chunks: T[] = [];
  private at = 0;
  private over = false;
  private error: Error | undefined;
  private waiting: { resolve(result: IteratorResult<T>): void; reject(error: Error): void } | undefined;
  private readonly left: () => void;

  /** `left` is called when the reader stops before the end. */
  constructor(left: () => void) {
    this.left = left;
  }

  push(chunk: T): void {
    if (this.over) return;
    const { waiting } = this;
    if (waiting) {
      this.waiting = undefined;
      waiting.resolve({ done: false, value: chunk });
    } else this.chunks.push(chunk);
  }

  end(error?: Error): void {
    if (this.over) return;
    this.over = true;
    this.error = error;
    const { waiting } = this;
    this.waiting = undefined;
    if (!waiting) return;
    if (error) waiting.reject(error);
    else waiting.resolve({ done: true, value: undefined });
  }

  next(): Promise<IteratorResult<T>> {
    const chunk = this.chunks[this.at];
    if (chunk) {
      if (++this.at === this.chunks.length) {
        this.chunks = [];
        this.at = 0;
      }
      return Promise.resolve({ done: false, value: chunk });
    }
    if (this.error) return Promise.reject(this.error);
    if (this.over) return Promise.resolve({ done: true, value: undefined });
    if (this.waiting) return Promise.reject(new TransportError("a stream has one reader"));
    return new Promise((resolve, reject) => {
      this.waiting = { resolve, reject };
    });
  }

  return(): Promise<IteratorResult<T>> {
    const unread = !this.over;
    this.chunks = [];
    this.at = 0;
    this.end();
    if (unread) this.left();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
