/** The lines of a watch: one JSON event each. */
import type { KubeObject } from "../api/object.ts";
import type { Status } from "../machinery/status/status-error.ts";
import { concatenated } from "./bytes.ts";
import { errorFromStatus } from "./status.ts";

export interface WatchEvent<T> {
  type: "ADDED" | "MODIFIED" | "DELETED" | "BOOKMARK";
  /** Of a bookmark only metadata.resourceVersion and annotations are there. */
  object: T;
}

const LINE_FEED = 10;

/** Whole lines, without their end; what follows the last line feed is half a line of a stream that was cut. */
export async function* lines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  let kept: Uint8Array[] = [];
  for await (const chunk of chunks) {
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, from)) {
      const tail = chunk.subarray(from, end);
      const line = decoder.decode(kept.length > 0 ? concatenated([...kept, tail]) : tail);
      kept = [];
      from = end + 1;
      if (line !== "") yield line;
    }
    if (from < chunk.length) kept.push(from === 0 ? chunk : chunk.subarray(from));
  }
}

/** Throws the StatusError of an ERROR event; ends where the stream ends. */
export async function* watchEvents<T extends KubeObject>(
  chunks: AsyncIterable<Uint8Array>,
): AsyncGenerator<WatchEvent<T>> {
  for await (const line of lines(chunks)) {
    const event = JSON.parse(line) as { type: string; object: unknown };
    if (event.type === "ERROR") throw errorFromStatus(event.object as Status);
    yield event as WatchEvent<T>;
  }
}
