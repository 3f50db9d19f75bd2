/** Requests that skip the socket and nothing else: whoever wires the process gives the way into the server's handler. */
import type { KubeObject } from "../../api/object.ts";
import { concatenated } from "../bytes.ts";
import {
  type SharedEvent,
  type Transport,
  TransportError,
  type TransportRequest,
  type TransportResponse,
  type TransportStream,
} from "../transport.ts";
import { takeTurn } from "../turn.ts";
import { ChunkQueue } from "./chunk-queue.ts";

export interface DispatchRequest {
  method: string;
  /** Path and query. */
  url: string;
  headers: Readonly<Record<string, string>>;
  body: string | Uint8Array | undefined;
  /** A body of the answer would not be looked at. */
  unread?: boolean;
}

/** Called in this order: headers once, data any number of times, end once. */
export interface DispatchAnswer {
  headers(status: number, headers: Readonly<Record<string, string | number>>): void;
  data(chunk: Uint8Array): void;
  /** There where the request's reader takes the server's own objects, frozen, instead of their bytes. */
  event?(type: string, object: KubeObject): void;
  end(): void;
}

/** Hands a request to a server with the credentials of one user; the returned function stops listening. */
export type Dispatch = (request: DispatchRequest, answer: DispatchAnswer) => () => void;

const NO_HEADERS = Object.freeze({});

export class InProcessTransport implements Transport {
  readonly lasting = true;
  private readonly dispatch: Dispatch;
  private readonly open = new Set<(error: TransportError) => void>();
  private closed = false;

  constructor(dispatch: Dispatch) {
    this.dispatch = dispatch;
  }

  request(request: TransportRequest): Promise<TransportResponse> {
    const wait = takeTurn(1);
    return wait ? wait.then(() => this.send(request)) : this.send(request);
  }

  private send(request: TransportRequest): Promise<TransportResponse> {
    return new Promise((resolve, reject) => {
      const { signal } = request;
      let status = 0;
      let headers: Readonly<Record<string, string>> = NO_HEADERS;
      let abort: (() => void) | undefined;
      const parts: Uint8Array[] = [];
      const cut = (error: unknown): void => {
        settle();
        reject(error);
        abort?.();
      };
      const aborted = (): void => cut(signal?.reason);
      const settle = (): void => {
        this.open.delete(cut);
        signal?.removeEventListener("abort", aborted);
      };
      if (!this.admit(signal, reject)) return;
      this.open.add(cut);
      signal?.addEventListener("abort", aborted, { once: true });
      abort = this.dispatch(toDispatch(request), {
        headers(code, given) {
          status = code;
          headers = texts(given);
        },
        data: (chunk) => void parts.push(chunk),
        end() {
          settle();
          if (status === 0) reject(new TransportError("the server ended the request without an answer"));
          else resolve({ status, headers, body: concatenated(parts) });
        },
      });
    });
  }

  stream(request: TransportRequest): Promise<TransportStream> {
    return new Promise((resolve, reject) => {
      const { signal } = request;
      if (!this.admit(signal, reject)) return;
      let abort: (() => void) | undefined;
      let begun = false;
      const settle = (): void => {
        this.open.delete(cut);
        signal?.removeEventListener("abort", aborted);
      };
      const leave = (): void => {
        settle();
        abort?.();
      };
      const queue = new ChunkQueue<Uint8Array | SharedEvent>(leave);
      const cut = (error: TransportError): void => {
        queue.end();
        leave();
        if (!begun) reject(error);
      };
      const aborted = (): void => {
        queue.end();
        leave();
        if (!begun) reject(signal?.reason);
      };
      this.open.add(cut);
      signal?.addEventListener("abort", aborted, { once: true });
      abort = this.dispatch(toDispatch(request), {
        headers(status, given) {
          begun = true;
          const close = (): void => void queue.return();
          resolve({ status, headers: texts(given), body: queue, close });
        },
        data: (chunk) => queue.push(chunk),
        event: request.shared ? (type, object) => queue.push({ type, object }) : undefined,
        end() {
          settle();
          queue.end();
          if (!begun) reject(new TransportError("the server ended the request without an answer"));
        },
      });
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const cut of [...this.open]) cut(new TransportError("the client was closed"));
  }

  private admit(signal: AbortSignal | undefined, reject: (error: unknown) => void): boolean {
    if (this.closed) reject(new TransportError("the client was closed"));
    else if (signal?.aborted) reject(signal.reason);
    else return true;
    return false;
  }
}

function toDispatch({ method, path, query, headers, body, unread }: TransportRequest): DispatchRequest {
  return { method, url: query ? `${path}?${query}` : path, headers: headers ?? NO_HEADERS, body, unread };
}

function texts(given: Readonly<Record<string, string | number>>): Readonly<Record<string, string>> {
  for (const name in given) {
    if (typeof given[name] === "number") {
      return Object.fromEntries(Object.entries(given).map(([key, value]) => [key, String(value)]));
    }
  }
  return given as Readonly<Record<string, string>>;
}
