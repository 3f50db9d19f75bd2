/**
 * The socket: TLS, HTTP/2 and HTTP/1.1 on one port. Bounds what a client may make the process hold; everything that it
 * asks goes to the handler.
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import {
  createSecureServer,
  type Http2SecureServer,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import type { Duplex } from "node:stream";
import type { TLSSocket } from "node:tls";
import { listenHost } from "../../host/sockets/addresses.ts";
import type { Handler } from "../handler.ts";
import { Http1Exchange } from "./http1-exchange.ts";
import { Http2Exchange } from "./http2-exchange.ts";

export interface ServingCertificates {
  cert: string;
  key: string;
  /** CAs whose client certificates are looked at: the cluster's and the front proxy's. */
  clientCA: readonly string[];
}

export interface ServerOptions {
  /** Either unspecified address: every address of the machine, in both families. */
  host: string;
  /** 0 takes any free port. */
  port: number;
  certificates: ServingCertificates;
  handler: Handler;
}

export interface RunningServer {
  readonly port: number;
  /** Serves new connections with other certificates from now on. */
  renew(certificates: ServingCertificates): void;
  /** Takes no more connections, ends watches, waits for requests for at most `grace` milliseconds. */
  close(grace: number): Promise<void>;
}

/** As upstream's default for HTTP/2: enough for a client that watches everything over one connection. */
const STREAMS_PER_CONNECTION = 1000;
/** MiB; the default of 10 refuses new streams once a few watches are slow. Watches are bounded by themselves. */
const SESSION_MEMORY = 512;
const HEADERS_LIMIT = 1024 * 1024;

export async function serve({ host, port, certificates, handler }: ServerOptions): Promise<RunningServer> {
  const server = createSecureServer({
    ...tlsOptions(certificates),
    allowHTTP1: true,
    maxSessionMemory: SESSION_MEMORY,
    maxHeaderListPairs: 2000,
    streamResetBurst: 1000,
    streamResetRate: 33,
    unknownProtocolTimeout: 10_000,
    settings: {
      maxConcurrentStreams: STREAMS_PER_CONNECTION,
      initialWindowSize: 1024 * 1024,
      maxHeaderListSize: HEADERS_LIMIT,
    },
  } as Parameters<typeof createSecureServer>[0]);
  const sockets = new Set<Socket>();
  const sessions = new Set<ServerHttp2Session>();
  /** Connections of HTTP/1.1 with the answer to the last request that came on each. */
  const busy = new Map<Socket, object>();
  const state = { closing: false };
  server.on("secureConnection", (socket: Socket) => {
    socket.setNoDelay(true);
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
    session.on("error", () => {});
    session.on("frameError", () => {});
  });
  server.on("sessionError", () => {});
  server.on("tlsClientError", (_error, socket) => socket.destroy());
  server.on("clientError", (_error: Error, socket: Socket) => {
    if (socket.writable) socket.end("HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n");
    else socket.destroy();
  });
  server.on("request", (request, response) => {
    const socket = request.socket as unknown as Socket;
    // Between two requests the connection may be closed. An answer may be known to be sent after the next request came.
    busy.set(socket, response);
    response.once("close", () => {
      if (busy.get(socket) !== response) return;
      busy.delete(socket);
      if (state.closing) socket.end();
    });
    handler(new Http1Exchange(request as unknown as IncomingMessage, response as unknown as ServerResponse));
  });
  server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    handler(Http1Exchange.upgrading(request, { socket, head }));
  });
  // A listener for HTTP/1.1 requests makes Node build its compatible objects for every HTTP/2 stream too: not wanted.
  server.removeAllListeners("stream");
  server.on("stream", (stream, headers, _flags, raw: readonly string[]) => {
    stream.on("error", ignore);
    handler(new Http2Exchange(stream as ServerHttp2Stream, headers, raw));
  });
  await listen(server, host, port);
  return {
    port: (server.address() as AddressInfo).port,
    renew: (fresh) => server.setSecureContext(tlsOptions(fresh)),
    close(grace) {
      state.closing = true;
      for (const socket of sockets) {
        if ((socket as TLSSocket).alpnProtocol !== "h2" && !busy.has(socket)) socket.destroy();
      }
      return close(server, sessions, sockets, grace);
    },
  };
}

/** A stream's error is the client's leaving: its close is what the others listen to. */
function ignore(): void {}

function tlsOptions({ cert, key, clientCA }: ServingCertificates) {
  return {
    cert,
    key,
    ca: [...clientCA],
    requestCert: true,
    // Who has no certificate may have a token: authentication decides, not the handshake.
    rejectUnauthorized: false,
    minVersion: "TLSv1.2" as const,
  };
}

function listen(server: Http2SecureServer, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: listenHost(host), port, backlog: 1024 }, () => {
      server.removeListener("error", reject);
      resolve();
    });
  });
}

async function close(
  server: Http2SecureServer,
  sessions: ReadonlySet<ServerHttp2Session>,
  sockets: ReadonlySet<Socket>,
  grace: number,
): Promise<void> {
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  for (const session of sessions) session.close();
  const timer = setTimeout(() => {
    for (const session of sessions) session.destroy();
    for (const socket of sockets) socket.destroy();
  }, grace);
  await closed;
  clearTimeout(timer);
}
