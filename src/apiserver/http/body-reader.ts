/** Reads a request's body whole, within a bound of bytes. */
import type { Readable } from "node:stream";
import { badRequest, StatusError, tooLarge } from "../../machinery/status/status-error.ts";

const EMPTY = new Uint8Array(0);

/** As upstream's limit for a whole request. */
const PATIENCE = 60_000;

function timedOut(): Error {
  return new StatusError("Timeout", "Timeout: request did not complete within the allotted timeout");
}

export class BodyReader {
  private readonly source: Readable;
  private readonly limit: number;
  private readonly announced: number;
  private readonly chunks: Uint8Array[] = [];
  private size = 0;

  constructor(source: Readable, limit: number, contentLength: string | undefined) {
    this.source = source;
    this.limit = limit;
    this.announced = contentLength === undefined ? -1 : Number(contentLength);
  }

  /** `patience`: milliseconds until a body that does not end is given up. */
  read(patience = PATIENCE): Promise<Uint8Array> {
    const { source } = this;
    if (this.announced > this.limit) return Promise.reject(this.refusal());
    if (source.readableEnded) return Promise.resolve(EMPTY);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => finish(() => reject(timedOut())), patience);
      const finish = (settle: () => void): void => {
        clearTimeout(timer);
        source.removeListener("data", data);
        source.removeListener("end", end);
        source.removeListener("close", close);
        source.removeListener("error", close);
        settle();
      };
      const data = (chunk: Uint8Array): void => {
        this.size += chunk.length;
        this.chunks.push(chunk);
        if (this.size > this.limit) finish(() => reject(this.refusal()));
      };
      const end = (): void => finish(() => resolve(this.whole()));
      const close = (): void =>
        finish(() => reject(badRequest("unable to read the request body: unexpected EOF")));
      source.on("data", data);
      source.once("end", end);
      source.once("close", close);
      source.once("error", close);
    });
  }

  private whole(): Uint8Array {
    if (this.chunks.length === 1) return this.chunks[0]!;
    return this.chunks.length === 0 ? EMPTY : Buffer.concat(this.chunks, this.size);
  }

  private refusal(): Error {
    return tooLarge(`Request entity too large: limit is ${this.limit}`);
  }
}
