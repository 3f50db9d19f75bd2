/**
 * What carries a client's requests: HTTPS, or a call in the same process. Neither knows of kinds; an answer of any status
 * is an answer, and only a request that got none is an error (TransportError).
 */

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
}

export interface TransportResponse {
  status: number;
  /** Lower-case names. */
  headers: Readonly<Record<string, string>>;
  body: Uint8Array;
}

/** An answer whose body comes in pieces, as they are sent. */
export interface TransportStream {
  status: number;
  headers: Readonly<Record<string, string>>;
  /** Read once. Ends with the answer or the transport; throws TransportError where it was cut. */
  body: AsyncIterable<Uint8Array>;
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
