/**
 * Requests over one HTTP/2 connection, opened at the first of them and again after it was lost. Nothing is sent twice:
 * a request whose connection breaks fails, and its caller knows whether it may be repeated.
 */
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import { isIP } from "node:net";
import type { ConnectionOptions } from "node:tls";
import type { Clock } from "../../base/clock.ts";
import { concatenated } from "../bytes.ts";
import {
  type Transport,
  TransportError,
  type TransportRequest,
  type TransportResponse,
  type TransportStream,
} from "../transport.ts";

export interface HTTPSOptions {
  /** `https://host:port`, with a path where the API is not at the root. */
  server: string;
  /** PEM; the system's authorities where it is absent. */
  ca?: string;
  cert?: string;
  key?: string;
  token?: string;
  /** The name that the server's certificate must have, where it is not that of `server`. */
  serverName?: string;
  /** Takes any certificate. */
  insecureSkipVerify?: boolean;
  clock: Clock;
}

/**
 * As client-go: a connection that is silent this long is asked for a sign, and given up without one. A new one has as
 * long: the system would try for minutes, by the address that the machine had when it began.
 */
const SILENCE = 30_000;
const SIGN_WITHIN = 15_000;
const WINDOW = 4 * 1024 * 1024;
/** MiB that the connection may hold: watches that are read slowly must not refuse new requests. */
const SESSION_MEMORY = 512;

export class HTTPSTransport implements Transport {
  private readonly options: HTTPSOptions;
  private readonly origin: string;
  private readonly basePath: string;
  private session: ClientHttp2Session | undefined;
  private open = 0;
  private closed = false;

  constructor(options: HTTPSOptions) {
    const url = new URL(options.server);
    if (url.protocol !== "https:") throw new TypeError(`${options.server} is not an https address`);
    this.options = options;
    this.origin = url.origin;
    this.basePath = url.pathname === "/" ? "" : url.pathname.replace(/\/$/, "");
  }

  async request(request: TransportRequest): Promise<TransportResponse> {
    const { status, headers, body } = await this.stream(request);
    const parts: Uint8Array[] = [];
    for await (const chunk of body) parts.push(chunk);
    return { status, headers, body: concatenated(parts) };
  }

  stream(request: TransportRequest): Promise<TransportStream<Uint8Array>> {
    const { signal } = request;
    return new Promise((resolve, reject) => {
      if (this.closed) return reject(new TransportError("the client was closed"));
      if (signal?.aborted) return reject(signal.reason);
      let stream: ClientHttp2Stream;
      try {
        stream = this.connected().request(this.headersOf(request), { endStream: request.body === undefined });
      } catch (error) {
        return reject(failure(error));
      }
      this.begun();
      let lost: Error | undefined;
      const close = (): void => stream.close(constants.NGHTTP2_CANCEL);
      const aborted = (): void => {
        reject(signal?.reason);
        close();
      };
      signal?.addEventListener("abort", aborted, { once: true });
      stream.once("response", ({ ":status": status = 0, ...headers }) =>
        resolve({
          status,
          headers: headers as unknown as Record<string, string>,
          body: chunksOf(stream, () => (this.closed ? undefined : (lost ?? cutOf(stream)))),
          close,
        }),
      );
      stream.on("error", (error) => {
        lost = error;
      });
      stream.once("close", () => {
        signal?.removeEventListener("abort", aborted);
        this.ended();
        reject(failure(lost ?? new Error("the connection was closed before an answer")));
      });
      if (request.body !== undefined) stream.end(request.body);
    });
  }

  async close(): Promise<void> {
    this.closed = true;
    const { session } = this;
    this.session = undefined;
    if (!session || session.destroyed) return;
    const gone = new Promise<void>((resolve) => session.once("close", resolve));
    session.destroy();
    await gone;
  }

  private headersOf({ method, path, query, headers }: TransportRequest) {
    const { token } = this.options;
    return {
      ":method": method,
      ":path": `${this.basePath}${path}${query ? `?${query}` : ""}`,
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...headers,
    };
  }

  private connected(): ClientHttp2Session {
    const { session } = this;
    if (session && !session.closed && !session.destroyed) return session;
    const fresh = connect(this.origin, {
      ...this.tls(),
      maxSessionMemory: SESSION_MEMORY,
      settings: { enablePush: false, initialWindowSize: WINDOW },
    });
    const stopGuard = this.guard(fresh);
    const drop = (): void => {
      stopGuard();
      if (this.session === fresh) this.session = undefined;
    };
    fresh.once("connect", () => fresh.setLocalWindowSize(4 * WINDOW));
    // Each stream of the session tells its own caller what became of it.
    fresh.on("error", drop);
    fresh.once("goaway", drop);
    fresh.once("close", drop);
    this.session = fresh;
    return fresh;
  }

  private tls(): ConnectionOptions {
    const { ca, cert, key, serverName, insecureSkipVerify } = this.options;
    const host = new URL(this.origin).hostname.replace(/^\[|\]$/g, "");
    return {
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(serverName ? { servername: serverName } : isIP(host) ? {} : { servername: host }),
      rejectUnauthorized: !insecureSkipVerify,
      ALPNProtocols: ["h2"],
      minVersion: "TLSv1.2",
    };
  }

  /** Gives up a connection that does not come about, or whose other end is gone without a word while somebody waits. */
  private guard(session: ClientHttp2Session): () => void {
    const { clock } = this.options;
    let cancel = clock.setTimer(SIGN_WITHIN, () => session.destroy(new Error("the server is silent")));
    const look = (): void => {
      cancel = clock.setTimer(SILENCE, () => {
        if (this.open === 0) return look();
        cancel = clock.setTimer(SIGN_WITHIN, () => session.destroy(new Error("the server went silent")));
        session.ping((error) => {
          cancel();
          if (!error) look();
        });
      });
    };
    session.once("connect", () => {
      cancel();
      look();
    });
    return () => cancel();
  }

  /** An idle connection does not keep the process. */
  private begun(): void {
    if (this.open++ === 0) this.session?.ref();
  }

  private ended(): void {
    if (--this.open === 0) this.session?.unref();
  }
}

/** `lost` tells, at the end, what kept the answer from being whole. */
async function* chunksOf(
  stream: ClientHttp2Stream,
  lost: () => Error | undefined,
): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of stream) yield chunk as Uint8Array;
  } catch (error) {
    if (lost()) throw failure(error);
    return;
  } finally {
    if (!stream.closed) stream.close(constants.NGHTTP2_CANCEL);
  }
  const error = lost();
  if (error) throw failure(error);
}

/** What is not an error to Node: a stream that the server reset, or that ended with its connection. */
function cutOf(stream: ClientHttp2Stream): Error | undefined {
  const { rstCode = constants.NGHTTP2_NO_ERROR } = stream;
  if (rstCode === constants.NGHTTP2_NO_ERROR || rstCode === constants.NGHTTP2_CANCEL) return undefined;
  return new Error("the answer was cut");
}

function failure(error: unknown): TransportError {
  const { message = String(error) } = error as Error;
  return new TransportError(`no answer from the server: ${message}`, error);
}
