/**
 * Asks an HTTP server to change the protocol of a connection, and says what it answered. Only after its 101 does the
 * connection carry anything else than that request: what a client sends behind a refused upgrade must not reach the
 * server (CVE-2018-1002105).
 */
import { type IncomingMessage, request as plainRequest } from "node:http";
import { request as secureRequest } from "node:https";
import type { Duplex } from "node:stream";
import type { ConnectionOptions } from "node:tls";

export interface UpgradeRequest {
  secure: boolean;
  /** The address that is connected to; no name is resolved where it is a number. */
  address: string;
  port: number;
  method: string;
  /** With the query. */
  path: string;
  /** Names and values by turns, Host and the upgrade's own among them. */
  headers: readonly string[];
  tls?: ConnectionOptions;
  /** Milliseconds until the server must have answered. */
  timeoutMs: number;
  signal?: AbortSignal;
}

export type UpgradeAnswer =
  | { upgraded: true; response: IncomingMessage; socket: Duplex; head: Buffer }
  | { upgraded: false; response: IncomingMessage };

/** Milliseconds for a connection to come about. */
const CONNECT_WITHIN = 10_000;

/** Rejects where the server was not reached, or did not answer. */
export function askUpgrade(asked: UpgradeRequest): Promise<UpgradeAnswer> {
  const { secure, address, port, method, path, headers, tls, timeoutMs, signal } = asked;
  return new Promise((resolve, reject) => {
    const send = secure ? secureRequest : plainRequest;
    const request = send({
      ...tls,
      host: address,
      port,
      method,
      path,
      headers: method === "GET" || hasLength(headers) ? headers : [...headers, "Content-Length", "0"],
      agent: false,
      signal,
    });
    const timer = setTimeout(() => request.destroy(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs);
    const connecting = setTimeout(() => request.destroy(new Error("i/o timeout")), CONNECT_WITHIN);
    request.once("socket", (socket) => {
      socket.once(secure ? "secureConnect" : "connect", () => clearTimeout(connecting));
    });
    request.on("error", reject);
    request.once("close", () => {
      clearTimeout(timer);
      clearTimeout(connecting);
    });
    request.once("upgrade", (response, socket, head) => {
      clearTimeout(timer);
      resolve({ upgraded: true, response, socket, head });
    });
    request.once("response", (response) => {
      clearTimeout(timer);
      resolve({ upgraded: false, response });
    });
    request.end();
  });
}

/** Without a length Node would send a body of chunks: an empty one too has an end, which is none of the new protocol's. */
function hasLength(headers: readonly string[]): boolean {
  return headers.some((name, i) => i % 2 === 0 && name.toLowerCase() === "content-length");
}

/** The head of an answer as it came, status line and headers, for whoever asked for the upgrade. */
export function answerHead({ statusCode = 101, statusMessage = "", rawHeaders }: IncomingMessage): string {
  let text = `HTTP/1.1 ${statusCode} ${statusMessage}\r\n`;
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) text += `${rawHeaders[i]}: ${rawHeaders[i + 1]}\r\n`;
  return `${text}\r\n`;
}
