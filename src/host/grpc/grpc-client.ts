import * as http2 from "node:http2";
import { connect } from "node:net";
import type { SecureContextOptions } from "node:tls";

export interface GrpcOptions {
  /** What is called, as messages name it: `etcd`. */
  peer: string;
  /**
   * `http://` or `https://` addresses of equal servers, or `unix://` and the path of a socket; the next is tried when one
   * cannot be reached.
   */
  endpoints: readonly string[];
  tls?: Pick<SecureContextOptions, "ca" | "cert" | "key">;
  /** How long a call may take, and how long a connection may be silent, in milliseconds. */
  timeoutMs: number;
  /** Sent with every call. */
  metadata?: Readonly<Record<string, string>>;
}

/** A call that the server answered with a status other than OK, or that never reached one. */
export class GrpcError extends Error {
  readonly code: number;
  /** Whether the server cannot have acted on the call. */
  readonly unsent: boolean;
  constructor(code: number, message: string, options: { unsent?: boolean; cause?: unknown } = {}) {
    super(message, { cause: options.cause });
    this.name = "GrpcError";
    this.code = code;
    this.unsent = options.unsent ?? false;
  }
}

export const UNAVAILABLE = 14;
const DEADLINE_EXCEEDED = 4;
/** No response is larger: etcd answers what was asked in pages. */
const LONGEST_MESSAGE = 512 << 20;

export interface GrpcStream {
  send(message: Buffer): void;
  /** Nothing more is sent. */
  finish(): void;
  close(): void;
}

export interface StreamHandler {
  message(bytes: Buffer): void;
  /** Once: undefined when the server ended the stream in good order. */
  ended(error: GrpcError | undefined): void;
}

/** gRPC over one HTTP/2 connection at a time. */
export class GrpcClient {
  readonly #options: GrpcOptions;
  #session: Promise<http2.ClientHttp2Session> | undefined;
  #next = 0;
  #closed = false;

  constructor(options: GrpcOptions) {
    this.#options = options;
  }

  /** One message there, one back. `timeoutMs` 0: as long as it takes. */
  async call(method: string, request: Buffer, timeoutMs = this.#options.timeoutMs): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      let answer: Buffer | undefined;
      this.#open(
        method,
        {
          message: (bytes) => {
            answer = bytes;
          },
          ended: (error) => {
            if (error) reject(error);
            else if (answer) resolve(answer);
            else reject(new GrpcError(UNAVAILABLE, `${method} had no answer`));
          },
        },
        timeoutMs,
      ).then((stream) => {
        stream.write(frame(request));
        stream.end();
      }, reject);
    });
  }

  /** Any number of messages there and back. */
  async stream(
    method: string,
    handler: StreamHandler,
    metadata: Record<string, string> = {},
  ): Promise<GrpcStream> {
    const stream = await this.#open(method, handler, 0, metadata);
    return {
      send: (message) => {
        if (!stream.destroyed && !stream.closed) stream.write(frame(message));
      },
      finish: () => stream.end(),
      close: () => stream.close(http2.constants.NGHTTP2_CANCEL),
    };
  }

  close(): void {
    this.#closed = true;
    this.#session?.then((session) => session.destroy()).catch(() => {});
  }

  async #open(
    method: string,
    handler: StreamHandler,
    timeoutMs: number,
    metadata: Record<string, string> = {},
  ): Promise<http2.ClientHttp2Stream> {
    const session = await this.#connected();
    let stream: http2.ClientHttp2Stream;
    try {
      stream = session.request({
        ":method": "POST",
        ":path": method,
        "content-type": "application/grpc",
        te: "trailers",
        ...this.#options.metadata,
        ...metadata,
        ...(timeoutMs > 0 ? { "grpc-timeout": `${timeoutMs}m` } : {}),
      });
    } catch (cause) {
      throw new GrpcError(UNAVAILABLE, `the connection to ${this.#options.peer} is closing`, {
        unsent: true,
        cause,
      });
    }
    receive(stream, method, handler, timeoutMs);
    return stream;
  }

  async #connected(): Promise<http2.ClientHttp2Session> {
    if (this.#closed) throw new GrpcError(UNAVAILABLE, "the client is closed", { unsent: true });
    if (!this.#session) {
      const connecting = this.#connect();
      this.#session = connecting;
      connecting.catch(() => {
        if (this.#session === connecting) this.#session = undefined;
      });
    }
    return this.#session;
  }

  async #connect(): Promise<http2.ClientHttp2Session> {
    let last: unknown;
    for (let i = 0; i < this.#options.endpoints.length; i++) {
      const endpoint = this.#options.endpoints[this.#next % this.#options.endpoints.length]!;
      try {
        return await this.#connectTo(endpoint);
      } catch (error) {
        last = error;
        this.#next++;
      }
    }
    const why = last instanceof Error ? last.message : String(last);
    throw new GrpcError(UNAVAILABLE, `${this.#options.peer} cannot be reached (${why})`, {
      unsent: true,
      cause: last,
    });
  }

  #connectTo(endpoint: string): Promise<http2.ClientHttp2Session> {
    const { tls, timeoutMs } = this.#options;
    return new Promise((resolve, reject) => {
      const socketPath = endpoint.startsWith("unix://") ? endpoint.slice("unix://".length) : undefined;
      const session = http2.connect(socketPath === undefined ? endpoint : "http://localhost", {
        ...tls,
        ...(socketPath === undefined ? {} : { createConnection: () => connect(socketPath) }),
        minVersion: "TLSv1.2",
        settings: { initialWindowSize: 4 << 20, enablePush: false },
        // Megabytes: where more is waiting to be sent, the answer's headers would be refused.
        maxSessionMemory: 2 * (LONGEST_MESSAGE >> 20),
      });
      const failed = setTimeout(() => session.destroy(new Error("connecting took too long")), timeoutMs);
      // A dead peer is noticed by pings, as a watch may be silent for long in good health. That of a socket of this
      // machine is noticed without; and Go's servers hang up on who pings them while a long call is under way.
      const ping = setInterval(() => {
        const late = setTimeout(() => session.destroy(new Error("the server does not answer")), timeoutMs);
        late.unref();
        if (!session.destroyed) session.ping(() => clearTimeout(late));
      }, timeoutMs);
      ping.unref();
      if (socketPath !== undefined) clearInterval(ping);
      session.on("error", reject);
      session.on("connect", () => {
        clearTimeout(failed);
        session.setLocalWindowSize(16 << 20);
        resolve(session);
      });
      const over = (): void => {
        clearTimeout(failed);
        clearInterval(ping);
        this.#lost(session);
        reject(new Error("the connection was closed"));
      };
      session.on("goaway", () => this.#lost(session));
      session.on("close", over);
    });
  }

  #lost(session: http2.ClientHttp2Session): void {
    const known = this.#session;
    known?.then(
      (one) => {
        if (one !== session || this.#session !== known) return;
        this.#session = undefined;
        this.#next++;
      },
      () => {},
    );
  }
}

function receive(
  stream: http2.ClientHttp2Stream,
  method: string,
  handler: StreamHandler,
  timeoutMs: number,
): void {
  let status: GrpcError | undefined;
  let statusSeen = false;
  let failure: unknown;
  const readStatus = (headers: http2.IncomingHttpHeaders): void => {
    const code = headers["grpc-status"];
    if (code === undefined) return;
    statusSeen = true;
    const text = decodeURIComponent(String(headers["grpc-message"] ?? ""));
    if (code !== "0") status = new GrpcError(Number(code), text);
  };
  stream.on("response", readStatus);
  stream.on("trailers", readStatus);
  stream.on(
    "data",
    deframe(
      (bytes) => handler.message(bytes),
      (error) => stream.destroy(error),
    ),
  );
  stream.on("error", (error) => {
    failure = error;
  });
  // The server keeps the same deadline; this one is for a server that does not answer at all.
  const late = (): void => {
    status = new GrpcError(DEADLINE_EXCEEDED, "context deadline exceeded");
    statusSeen = true;
    stream.close(http2.constants.NGHTTP2_CANCEL);
  };
  const timer = timeoutMs > 0 ? setTimeout(late, timeoutMs + 500) : undefined;
  stream.on("close", () => {
    clearTimeout(timer);
    if (statusSeen) handler.ended(status);
    else {
      const unsent = stream.rstCode === http2.constants.NGHTTP2_REFUSED_STREAM;
      handler.ended(new GrpcError(UNAVAILABLE, `${method} was cut off`, { unsent, cause: failure }));
    }
  });
}

function frame(message: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(5 + message.length);
  bytes[0] = 0;
  bytes.writeUInt32BE(message.length, 1);
  message.copy(bytes, 5);
  return bytes;
}

/** Cuts what arrives into messages. */
function deframe(message: (bytes: Buffer) => void, fail: (error: Error) => void): (chunk: Buffer) => void {
  let pieces: Buffer[] = [];
  let have = 0;
  let need = 5;
  return (chunk) => {
    pieces.push(chunk);
    have += chunk.length;
    while (have >= need) {
      const all = pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces);
      const length = all.readUInt32BE(1);
      if (all[0] !== 0 || length > LONGEST_MESSAGE) return fail(new Error("what came is not a message"));
      need = 5 + length;
      if (all.length < need) {
        pieces = [all];
        return;
      }
      message(all.subarray(5, need));
      pieces = all.length > need ? [all.subarray(need)] : [];
      have = all.length - need;
      need = 5;
    }
  };
}
