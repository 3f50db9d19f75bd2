/**
 * One request and its answer, whatever carries it: HTTP/2, HTTP/1.1, or a call in the same process. Everything behind
 * it (filters, endpoints) is the same for all three.
 */
import type { Duplex, Readable } from "node:stream";
import type { KubeObject } from "../../api/object.ts";
import type { PeerCertificate } from "../../auth/authentication/method.ts";

export type ResponseHeaders = Record<string, string | number>;

export interface Exchange {
  readonly method: string;
  /** The path as it was sent, without the query. */
  readonly path: string;
  /** What follows `?`, as it was sent. */
  readonly query: string;
  /** By lower-case name; several values are joined as HTTP says. */
  header(name: string): string | undefined;
  /** Every header by lower-case name, repeated ones one by one, for impersonation and the front proxy. */
  headers(): Readonly<Record<string, readonly string[] | undefined>>;
  /** False where no header starts with `impersonate-`, told without copying the headers. */
  readonly mayImpersonate: boolean;
  /** The client's certificate, not yet verified; the same object for every request of a connection. */
  readonly certificate: PeerCertificate | undefined;
  readonly remoteAddress: string;
  /** The client will not look at the body of an answer that tells of success. */
  readonly unread?: boolean;
  /** Whole body; RequestEntityTooLarge beyond `limit` bytes, BadRequest where the client stopped half way. */
  body(limit: number): Promise<Uint8Array>;
  /** The body as it comes, for whoever passes it on. */
  source(): Readable;
  /** Every header as it was sent, names and values by turns. */
  rawHeaders(): readonly string[];
  /** The protocol that the client asks to change to, where its connection can be taken. */
  readonly upgrade: string | undefined;
  /** The connection itself, which HTTP has no part in any more. Only where `upgrade` says so, and nothing was answered. */
  take(): TakenConnection;
  /** Answers with a whole body. */
  respond(status: number, headers: ResponseHeaders, body?: Uint8Array | string): void;
  /** Answers with a body that comes in pieces. */
  open(status: number, headers: ResponseHeaders): ResponseStream;
  /** Whether an answer has been begun. */
  readonly answered: boolean;
  /** Calls `closed` once the answer is complete or the client is gone. */
  onClose(closed: () => void): void;
}

export interface TakenConnection {
  socket: Duplex;
  /** What the client has sent behind its request. */
  head: Buffer;
}

export interface ResponseStream {
  /** False: wait for `drained` before writing more, where that can wait. */
  write(chunk: Uint8Array): boolean;
  /**
   * Takes an event of a watch as its frozen object instead of bytes, where the client shares this process and said that
   * it will not change what it is given. Absent: it wants bytes.
   */
  event?(type: string, object: KubeObject): void;
  /** Bytes that the client has not taken yet. */
  readonly pending: number;
  /** Resolves when there is room again; rejects when the client is gone. */
  drained(): Promise<void>;
  end(): void;
  /** Cuts the stream without a proper end, so that the client sees that something is missing. */
  destroy(): void;
  readonly closed: boolean;
}

/** Why a stream's `drained` rejects. */
export class ClientGone extends Error {
  constructor() {
    super("the client is gone");
    this.name = "ClientGone";
  }
}
