/** One request to the kubelet, and the ways to answer it. */
import { type IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

/** An answer that is no success, as plain text: what the API server passes on to its client. */
export class KubeletError extends Error {
  readonly status: number;
  constructor(status: number, message: string) {
    super(message);
    this.name = "KubeletError";
    this.status = status;
  }
}

export class KubeletRequest {
  readonly incoming: IncomingMessage;
  readonly response: ServerResponse;
  readonly path: string;
  readonly query: URLSearchParams;
  private readonly tunnel: { socket: Duplex; head: Buffer } | undefined;

  constructor(incoming: IncomingMessage, response: ServerResponse) {
    this.incoming = incoming;
    this.response = response;
    const { url = "/" } = incoming;
    const mark = url.indexOf("?");
    this.path = mark < 0 ? url : url.slice(0, mark);
    this.query = new URLSearchParams(mark < 0 ? "" : url.slice(mark + 1));
    this.tunnel = upgrades.get(incoming);
  }

  /** One whose client asks to change the protocol of its connection. */
  static upgrading(incoming: IncomingMessage, socket: Duplex, head: Buffer): KubeletRequest {
    upgrades.set(incoming, { socket, head });
    const response = new ServerResponse(incoming);
    response.shouldKeepAlive = false;
    response.assignSocket(socket as Parameters<ServerResponse["assignSocket"]>[0]);
    response.once("finish", () => socket.end());
    socket.on("error", () => socket.destroy());
    return new KubeletRequest(incoming, response);
  }

  get method(): string {
    return this.incoming.method ?? "GET";
  }

  /** The parts of the path, decoded; undefined where one is no text. */
  segments(): string[] | undefined {
    try {
      return this.path.split("/").slice(1).map(decodeURIComponent);
    } catch {
      return undefined;
    }
  }

  /** Whether the connection can be taken. */
  get upgrades(): boolean {
    return this.tunnel !== undefined;
  }

  /** The connection itself, with what came on it already; HTTP has no part in it any more. */
  take(): { socket: Duplex; head: Buffer } {
    const { tunnel, response } = this;
    if (!tunnel) throw new KubeletError(400, "Upgrade request required");
    response.detachSocket(tunnel.socket as Parameters<ServerResponse["detachSocket"]>[0]);
    return tunnel;
  }

  send(status: number, contentType: string, body: string | Uint8Array): void {
    const { response } = this;
    if (response.headersSent || response.destroyed) return;
    response.writeHead(status, { "content-type": contentType, "content-length": Buffer.byteLength(body) });
    response.end(this.method === "HEAD" ? undefined : body);
  }

  json(value: object): void {
    this.send(200, "application/json", JSON.stringify(value));
  }

  text(body: string, status = 200): void {
    this.send(status, "text/plain; charset=utf-8", body);
  }
}

const upgrades = new WeakMap<IncomingMessage, { socket: Duplex; head: Buffer }>();
