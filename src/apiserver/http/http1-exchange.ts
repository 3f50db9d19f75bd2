/** An Exchange over HTTP/1.1: curl, old clients, and what is upgraded to a stream. */
import { type IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import type { TLSSocket } from "node:tls";
import type { PeerCertificate } from "../../auth/authentication/method.ts";
import { BodyReader } from "./body-reader.ts";
import type { Exchange, ResponseHeaders, ResponseStream, TakenConnection } from "./exchange.ts";
import { drainedOf, hasImpersonation, tlsFacts } from "./http2-exchange.ts";

export class Http1Exchange implements Exchange {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  private readonly request: IncomingMessage;
  private readonly response: ServerResponse;
  private facts: ReturnType<typeof tlsFacts> | undefined;
  private readonly tunnel: TakenConnection | undefined;
  private taken = false;

  constructor(request: IncomingMessage, response: ServerResponse, tunnel?: TakenConnection) {
    this.request = request;
    this.response = response;
    this.tunnel = tunnel;
    this.method = request.method ?? "GET";
    const url = request.url ?? "/";
    const mark = url.indexOf("?");
    this.path = mark < 0 ? url : url.slice(0, mark);
    this.query = mark < 0 ? "" : url.slice(mark + 1);
  }

  /** Of a client that asks to change the protocol; where nobody takes the connection, it is answered and closed. */
  static upgrading(request: IncomingMessage, tunnel: TakenConnection): Http1Exchange {
    const response = new ServerResponse(request);
    const { socket } = tunnel;
    response.shouldKeepAlive = false;
    response.assignSocket(socket as Socket);
    response.once("finish", () => socket.end());
    socket.on("error", () => socket.destroy());
    return new Http1Exchange(request, response, tunnel);
  }

  header(name: string): string | undefined {
    const value = this.request.headers[name];
    return Array.isArray(value) ? value.join(", ") : value;
  }

  get mayImpersonate(): boolean {
    return hasImpersonation(this.request.headers);
  }

  headers(): Readonly<Record<string, readonly string[] | undefined>> {
    return this.request.headersDistinct;
  }

  get certificate(): PeerCertificate | undefined {
    return this.session().certificate;
  }

  get remoteAddress(): string {
    return this.session().remoteAddress;
  }

  get answered(): boolean {
    return this.taken || this.response.headersSent || this.response.destroyed;
  }

  get upgrade(): string | undefined {
    return this.tunnel && this.request.headers.upgrade;
  }

  take(): TakenConnection {
    if (!this.tunnel || this.answered) throw new Error("the connection cannot be taken");
    this.taken = true;
    this.response.detachSocket(this.tunnel.socket as Socket);
    return this.tunnel;
  }

  source(): Readable {
    return this.request;
  }

  rawHeaders(): readonly string[] {
    return this.request.rawHeaders;
  }

  body(limit: number): Promise<Uint8Array> {
    return new BodyReader(this.request, limit, this.header("content-length")).read();
  }

  respond(status: number, headers: ResponseHeaders, body?: Uint8Array | string): void {
    const { response, request } = this;
    if (this.answered) return;
    const length = body === undefined ? 0 : typeof body === "string" ? Buffer.byteLength(body) : body.length;
    headers["content-length"] = length;
    // A body that nobody will read must not be taken for the next request.
    if (!request.complete) headers.connection = "close";
    response.writeHead(status, headers);
    response.end(this.method === "HEAD" ? undefined : body);
  }

  open(status: number, headers: ResponseHeaders): ResponseStream {
    if (!this.answered) this.response.writeHead(status, headers);
    this.response.flushHeaders();
    return new Http1ResponseStream(this.response);
  }

  onClose(closed: () => void): void {
    const lasts = this.tunnel?.socket ?? this.response;
    if (lasts.destroyed) closed();
    else lasts.once("close", closed);
  }

  private session(): ReturnType<typeof tlsFacts> {
    this.facts ??= tlsFacts(this.request.socket as TLSSocket);
    return this.facts;
  }
}

class Http1ResponseStream implements ResponseStream {
  private readonly response: ServerResponse;

  constructor(response: ServerResponse) {
    this.response = response;
  }

  write(chunk: Uint8Array): boolean {
    return this.response.destroyed || this.response.write(chunk);
  }

  get pending(): number {
    return this.response.writableLength;
  }

  get closed(): boolean {
    return this.response.destroyed;
  }

  drained(): Promise<void> {
    return drainedOf(this.response);
  }

  end(): void {
    if (!this.response.destroyed) this.response.end();
  }

  destroy(): void {
    this.response.destroy();
  }
}
