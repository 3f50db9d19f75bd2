/** A list as plain JSON: a concatenation of bytes that exist already, sent piece by piece with back-pressure. */
import { createGzip } from "node:zlib";
import { ClientGone, type ResponseStream } from "../http/exchange.ts";
import type { Listed } from "../registry/list.ts";
import type { Served } from "../registry/registry.ts";
import type { ApiRequest } from "./api-request.ts";
import { qualifiedListKind } from "./list-kind.ts";

/** Bytes a piece has at the least; copying one takes well under a millisecond. */
const PIECE = 64 * 1024;
/** From this size on a list is compressed for clients that take it, as upstream does. */
const COMPRESS = 128 * 1024;

const OPEN = Buffer.from("{");
const NEXT = Buffer.from(",{");
const END = Buffer.from("]}\n");

export function listHead(served: Served, { revision, continue: token, remaining }: Listed): Buffer {
  const metadata: Record<string, unknown> = { resourceVersion: String(revision) };
  if (token !== "") metadata.continue = token;
  if (remaining !== undefined) metadata.remainingItemCount = remaining;
  const { kind, apiVersion } = qualifiedListKind(served);
  return Buffer.from(
    `{"kind":${JSON.stringify(kind)},"apiVersion":${JSON.stringify(apiVersion)},"metadata":${JSON.stringify(metadata)},"items":[`,
  );
}

export async function sendList(request: ApiRequest, served: Served, listed: Listed): Promise<void> {
  const { items } = listed;
  const head = listHead(served, listed);
  let size = head.length + END.length;
  for (const item of items) size += item.json.length;
  if (size < PIECE) {
    const parts: Uint8Array[] = [head];
    for (let i = 0; i < items.length; i++) parts.push(i === 0 ? OPEN : NEXT, items[i]!.itemTail);
    parts.push(END);
    const body = Buffer.concat(parts);
    if (body.length < COMPRESS || !takesGzip(request)) {
      request.send(200, "application/json", body);
      return;
    }
  }
  const headers = request.headers("application/json");
  const gzip = takesGzip(request);
  if (gzip) {
    headers["content-encoding"] = "gzip";
    headers.vary = "Accept-Encoding";
  }
  request.size = size;
  const opened = request.open(200, headers);
  const stream = gzip ? compressed(opened) : opened;
  await sendPieces(stream, head, listed);
}

async function sendPieces(stream: ResponseStream, head: Buffer, { items }: Listed): Promise<void> {
  let parts: Uint8Array[] = [head];
  let size = head.length;
  for (let i = 0; i < items.length; i++) {
    const tail = items[i]!.itemTail;
    parts.push(i === 0 ? OPEN : NEXT, tail);
    size += tail.length + 2;
    if (size < PIECE) continue;
    if (!stream.write(Buffer.concat(parts))) await stream.drained();
    parts = [];
    size = 0;
  }
  parts.push(END);
  stream.write(Buffer.concat(parts));
  stream.end();
}

function takesGzip(request: ApiRequest): boolean {
  return request.exchange.header("accept-encoding")?.includes("gzip") ?? false;
}

/** The same stream with gzip before it; the fastest level, since the client is mostly near. */
function compressed(inner: ResponseStream): ResponseStream {
  const gzip = createGzip({ level: 1, chunkSize: 64 * 1024 });
  gzip.on("data", (chunk: Uint8Array) => {
    if (inner.closed) gzip.destroy();
    else if (!inner.write(chunk)) {
      gzip.pause();
      inner.drained().then(
        () => gzip.resume(),
        () => gzip.destroy(),
      );
    }
  });
  gzip.on("end", () => inner.end());
  gzip.on("error", () => inner.destroy());
  return {
    write: (chunk) => gzip.write(chunk),
    get pending() {
      return gzip.writableLength + inner.pending;
    },
    drained: () =>
      new Promise((resolve, reject) => {
        gzip.once("drain", resolve);
        gzip.once("close", () => reject(new ClientGone()));
      }),
    end: () => gzip.end(),
    destroy: () => {
      gzip.destroy();
      inner.destroy();
    },
    get closed() {
      return inner.closed;
    },
  };
}
