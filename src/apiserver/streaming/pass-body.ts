/** The body of an answer on its way to the client, no faster than the client takes it. */
import type { Readable } from "node:stream";
import type { Exchange, ResponseStream } from "../http/exchange.ts";

/** Resolves when everything is sent, or the client is gone; where the source breaks off, so does the answer. */
export async function passBody(source: Readable, to: ResponseStream, exchange: Exchange): Promise<void> {
  exchange.onClose(() => source.destroy());
  try {
    for await (const chunk of source as AsyncIterable<Buffer>) {
      if (!to.write(chunk)) await to.drained();
    }
    to.end();
  } catch {
    source.destroy();
    to.destroy();
  }
}
