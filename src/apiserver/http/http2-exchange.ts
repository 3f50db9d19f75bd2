/** An Exchange over an HTTP/2 stream: the hot path, so the raw stream interface is used, not the compatible one. */

import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from "node:http2";
import { constants } from "node:http2";
import type { Readable } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { PeerCertificate } from "../../auth/authentication/method.ts";
import { peerAddress } from "../../host/sockets/addresses.ts";
import { BodyReader } from "./body-reader.ts";
import {
  ClientGone,
  type Exchange,
  type ResponseHeaders,
  type ResponseStream,
  type TakenConnection,
} from "./exchange.ts";

interface SessionFacts {
  certificate: PeerCertificate | undefined;
  remoteAddress: string;
}

const connections = new WeakMap<TLSSocket, SessionFacts>();

/** What is the same for every request of a connection is asked once. */
export function tlsFacts(socket: TLSSocket): SessionFacts {
  let facts = connections.get(socket);
  if (!facts) {
    const certificate = socket.getPeerX509Certificate?.();
    facts = { certificate, remoteAddress: peerAddress(socket) };
    connections.set(socket, facts);
  }
  return facts;
}

const sessions = new WeakMap<ServerHttp2Session, SessionFacts>();

/** A session's `socket` is a proxy that is made anew at each access: kept here by the session instead. */
function factsOf(session: ServerHttp2Session): SessionFacts {
  let facts = sessions.get(session);
  if (!facts) {
    const socket = session.socket as TLSSocket;
    const certificate = socket.getPeerX509Certificate?.();
    facts = { certificate, remoteAddress: peerAddress(socket) };
    sessions.set(session, facts);
  }
  return facts;
}

export class Http2Exchange implements Exchange {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  private readonly stream: ServerHttp2Stream;
  private readonly received: IncomingHttpHeaders;
  private readonly raw: readonly string[];
  private facts: SessionFacts | undefined;

  /** `raw` has names and values by turns, as they were sent. */
  constructor(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, raw: readonly string[]) {
    this.stream = stream;
    this.received = headers;
    this.raw = raw;
    this.method = (headers[":method"] as unknown as string) ?? "GET";
    const url = (headers[":path"] as unknown as string) ?? "/";
    const mark = url.indexOf("?");
    this.path = mark < 0 ? url : url.slice(0, mark);
    this.query = mark < 0 ? "" : url.slice(mark + 1);
  }

  header(name: string): string | undefined {
    const value = this.received[name];
    return Array.isArray(value) ? value.join(", ") : value;
  }

  get mayImpersonate(): boolean {
    return hasImpersonation(this.received);
  }

  headers(): Readonly<Record<string, readonly string[] | undefined>> {
    return distinct(this.raw);
  }

  get certificate(): PeerCertificate | undefined {
    return this.session()?.certificate;
  }

  get remoteAddress(): string {
    return this.session()?.remoteAddress ?? "";
  }

  get answered(): boolean {
    return this.stream.headersSent || this.stream.destroyed;
  }

  /** A stream of many on one connection: it is no connection that could be taken. */
  get upgrade(): undefined {
    return undefined;
  }

  take(): TakenConnection {
    throw new Error("the connection cannot be taken");
  }

  source(): Readable {
    return this.stream;
  }

  rawHeaders(): readonly string[] {
    const { raw } = this;
    const plain: string[] = [];
    for (let at = 0; at + 1 < raw.length; at += 2) {
      if (raw[at]![0] !== ":") plain.push(raw[at]!, raw[at + 1]!);
      else if (raw[at] === ":authority") plain.push("host", raw[at + 1]!);
    }
    return plain;
  }

  body(limit: number): Promise<Uint8Array> {
    return new BodyReader(this.stream, limit, this.header("content-length")).read();
  }

  respond(status: number, headers: ResponseHeaders, body?: Uint8Array | string): void {
    const { stream } = this;
    if (stream.destroyed || stream.headersSent) return;
    headers[":status"] = status;
    if (this.method === "HEAD" || body === undefined || body.length === 0) {
      stream.respond(headers, { endStream: true });
      return;
    }
    headers["content-length"] = typeof body === "string" ? Buffer.byteLength(body) : body.length;
    stream.respond(headers);
    stream.end(body);
    if (!stream.readableEnded && this.method !== "GET") leaveBody(stream);
    // As upstream: who is not known does not keep a connection to try more on; requests that run on it end well.
    if (status === 401) stream.session?.close();
  }

  open(status: number, headers: ResponseHeaders): ResponseStream {
    headers[":status"] = status;
    if (!this.answered) this.stream.respond(headers);
    return new Http2ResponseStream(this.stream);
  }

  onClose(closed: () => void): void {
    if (this.stream.destroyed) closed();
    else this.stream.once("close", closed);
  }

  private session(): SessionFacts | undefined {
    if (!this.facts && this.stream.session) this.facts = factsOf(this.stream.session as ServerHttp2Session);
    return this.facts;
  }
}

/** Node joins repeated headers with ", ", which a value may hold itself: one group must not become two, nor two one. */
function distinct(raw: readonly string[]): Record<string, readonly string[]> {
  const found: Record<string, string[]> = Object.create(null);
  for (let at = 0; at + 1 < raw.length; at += 2) {
    const name = raw[at]!.toLowerCase();
    const values = found[name];
    if (values) values.push(raw[at + 1]!);
    else found[name] = [raw[at + 1]!];
  }
  return found;
}

export function hasImpersonation(headers: Readonly<Record<string, unknown>>): boolean {
  for (const name in headers) if (name.startsWith("impersonate-")) return true;
  return false;
}

/** Bytes of an unwanted body that are taken and dropped, and milliseconds that they are waited for. */
const LEFT_BYTES = 8 * 1024 * 1024;
const LEFT_TIME = 10_000;

/**
 * The rest of a body that nobody reads would hold its stream open, and its client sending. What is on its way is let
 * in: frames for streams that are closed count against the connection, on which others' requests may run.
 */
function leaveBody(stream: ServerHttp2Stream): void {
  let left = LEFT_BYTES;
  const stop = (): void => stream.close(constants.NGHTTP2_NO_ERROR);
  stream.on("data", (chunk: Uint8Array) => {
    left -= chunk.length;
    if (left < 0) stop();
  });
  stream.setTimeout(LEFT_TIME, stop);
}

class Http2ResponseStream implements ResponseStream {
  private readonly stream: ServerHttp2Stream;

  constructor(stream: ServerHttp2Stream) {
    this.stream = stream;
  }

  write(chunk: Uint8Array): boolean {
    return this.stream.destroyed || this.stream.write(chunk);
  }

  get pending(): number {
    return this.stream.writableLength;
  }

  get closed(): boolean {
    return this.stream.destroyed;
  }

  drained(): Promise<void> {
    return drainedOf(this.stream);
  }

  end(): void {
    if (!this.stream.destroyed) this.stream.end();
  }

  destroy(): void {
    this.stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  }
}

/** Resolves at the next drain; rejects when the stream closes before. */
export function drainedOf(stream: NodeJS.WritableStream & { destroyed?: boolean }): Promise<void> {
  return new Promise((resolve, reject) => {
    if (stream.destroyed) {
      reject(new ClientGone());
      return;
    }
    const drain = (): void => {
      stream.removeListener("close", close);
      resolve();
    };
    const close = (): void => {
      stream.removeListener("drain", drain);
      reject(new ClientGone());
    };
    stream.once("drain", drain);
    stream.once("close", close);
  });
}
