/**
 * What carries a client's requests: HTTPS, or a call in the same process. Neither knows of kinds; an answer of any status
 * is an answer, and only a request that got none is an error (TransportError).
 */
import type { KubeObject } from "../api/object.ts";

export interface TransportRequest {
  method: string;
  /** Escaped, without the query. */
  path: string;
  /** Without `?`. */
  query?: string;
  /** Lower-case names. */
  headers?: Readonly<Record<string, string>>;
  body?: string | Uint8Array;
  /** Gives the request up; its promise rejects with the signal's reason. */
  signal?: AbortSignal;
  /** Of a watch: its reader changes no object, so that a server in the same process may hand its own over. */
  shared?: boolean;
  /** Nobody looks at the answer where the request succeeds: a server in the same process may leave its body out. */
  unread?: boolean;
}

/** An event of a watch as a server in the same process hands it over. The object is frozen. */
export interface SharedEvent {
  type: string;
  object: KubeObject;
}

export interface TransportResponse {
  status: number;
  /** Lower-case names. */
  headers: Readonly<Record<string, string>>;
  body: Uint8Array;
}

/** An answer whose body comes in pieces, as they are sent. */
export interface TransportStream<Chunk = Uint8Array | SharedEvent> {
  status: number;
  headers: Readonly<Record<string, string>>;
  /**
   * Read once. Ends with the answer or the transport; throws TransportError where it was cut. SharedEvents come only where
   * the request asked for them.
   */
  body: AsyncIterable<Chunk>;
  /** Stops listening; any number of times. `body` then ends. */
  close(): void;
}

export interface Transport {
  /** Nothing sits between that could lose a stream without a word: a watch over it needs no renewal. */
  readonly lasting?: boolean;
  request(request: TransportRequest): Promise<TransportResponse>;
  /** Resolves when the answer's headers are there. */
  stream(request: TransportRequest): Promise<TransportStream>;
  /** Requests under way fail; bodies that are being read end, since whoever closes wants no more of them. */
  close(): Promise<void>;
}

/** No answer, or half of one: the server may or may not have done what was asked. */
export class TransportError extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "TransportError";
  }
}
