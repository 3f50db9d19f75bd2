/**
 * An Exchange without a socket: what the in-process client and tests use. Every filter still runs; only the bytes do
 * not leave the process.
 */

import { Readable } from "node:stream";
import type { KubeObject } from "../../api/object.ts";
import type { PeerCertificate } from "../../auth/authentication/method.ts";
import { tooLarge } from "../../machinery/status/status-error.ts";
import type { Exchange, ResponseHeaders, ResponseStream, TakenConnection } from "./exchange.ts";
import { hasImpersonation } from "./http2-exchange.ts";

export interface InProcessRequest {
  method: string;
  /** Path and query. */
  url: string;
  headers?: Readonly<Record<string, string>>;
  body?: Uint8Array | string;
  certificate?: PeerCertificate;
  /** Its client will not look at the body of an answer that tells of success. */
  unread?: boolean;
}

/** Where the answer goes. `data` may return false to say that it has enough until `resume`. */
export interface InProcessAnswer {
  headers(status: number, headers: ResponseHeaders): void;
  data(chunk: Uint8Array): void;
  /** Events of a watch without the way through bytes; absent where the client wants objects of its own. */
  event?(type: string, object: KubeObject): void;
  end(): void;
}

export class InProcessExchange implements Exchange {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly certificate: PeerCertificate | undefined;
  readonly unread: boolean;
  readonly remoteAddress = "";
  answered = false;
  private readonly request: InProcessRequest;
  private readonly answer: InProcessAnswer;
  private closers: (() => void)[] = [];
  private over = false;

  constructor(request: InProcessRequest, answer: InProcessAnswer) {
    this.request = request;
    this.answer = answer;
    this.method = request.method;
    this.certificate = request.certificate;
    this.unread = request.unread === true;
    const mark = request.url.indexOf("?");
    this.path = mark < 0 ? request.url : request.url.slice(0, mark);
    this.query = mark < 0 ? "" : request.url.slice(mark + 1);
  }

  header(name: string): string | undefined {
    return this.request.headers?.[name];
  }

  get mayImpersonate(): boolean {
    return hasImpersonation(this.request.headers ?? {});
  }

  headers(): Readonly<Record<string, readonly string[] | undefined>> {
    return Object.fromEntries(
      Object.entries(this.request.headers ?? {}).map(([name, value]) => [name, [value]]),
    );
  }

  /** There is no connection. */
  get upgrade(): undefined {
    return undefined;
  }

  take(): TakenConnection {
    throw new Error("the connection cannot be taken");
  }

  source(): Readable {
    const { body = "" } = this.request;
    return Readable.from(body.length === 0 ? [] : [Buffer.from(body)]);
  }

  rawHeaders(): readonly string[] {
    return Object.entries(this.request.headers ?? {}).flat();
  }

  async body(limit: number): Promise<Uint8Array> {
    const { body = "" } = this.request;
    const bytes = typeof body === "string" ? Buffer.from(body) : body;
    if (bytes.length > limit) throw tooLarge(`Request entity too large: limit is ${limit}`);
    return bytes;
  }

  respond(status: number, headers: ResponseHeaders, body?: Uint8Array | string): void {
    if (this.answered || this.over) return;
    this.answered = true;
    this.answer.headers(status, headers);
    if (body !== undefined && body.length > 0)
      this.answer.data(typeof body === "string" ? Buffer.from(body) : body);
    this.finish();
  }

  open(status: number, headers: ResponseHeaders): ResponseStream {
    if (!this.answered && !this.over) {
      this.answered = true;
      this.answer.headers(status, headers);
    }
    const exchange = this;
    const { answer } = this;
    return {
      event: answer.event
        ? (type, object) => {
            if (!exchange.over) answer.event!(type, object);
          }
        : undefined,
      write(chunk) {
        if (!exchange.over) exchange.answer.data(chunk);
        return true;
      },
      pending: 0,
      drained: () => Promise.resolve(),
      end: () => exchange.finish(),
      destroy: () => exchange.finish(),
      get closed() {
        return exchange.over;
      },
    };
  }

  onClose(closed: () => void): void {
    if (this.over) closed();
    else this.closers.push(closed);
  }

  /** The client stops listening. */
  abort(): void {
    if (this.over) return;
    this.over = true;
    this.close();
  }

  private finish(): void {
    if (this.over) return;
    this.over = true;
    this.answer.end();
    this.close();
  }

  private close(): void {
    const { closers } = this;
    this.closers = [];
    for (const closed of closers) closed();
  }
}
