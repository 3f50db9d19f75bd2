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

/** Puts lines together from chunks. What follows the last line feed is half a line of a stream that was cut. */
export class LineReader {
  private readonly decoder = new TextDecoder();
  private kept: Uint8Array[] = [];

  /** The lines that end in this chunk, without their line feed; empty ones are left out. */
  *read(chunk: Uint8Array): Generator<string> {
    let from = 0;
    for (let end = chunk.indexOf(LINE_FEED); end >= 0; end = chunk.indexOf(LINE_FEED, from)) {
      const tail = chunk.subarray(from, end);
      const line = this.decoder.decode(this.kept.length > 0 ? concatenated([...this.kept, tail]) : tail);
      this.kept = [];
      from = end + 1;
      if (line !== "") yield line;
    }
    if (from < chunk.length) this.kept.push(from === 0 ? chunk : chunk.subarray(from));
  }
}

/** Throws the StatusError of an ERROR event. */
export function parseEvent<T extends KubeObject>(line: string): WatchEvent<T> {
  const event = JSON.parse(line) as { type: string; object: unknown };
  if (event.type === "ERROR") throw errorFromStatus(event.object as Status);
  return event as WatchEvent<T>;
}
