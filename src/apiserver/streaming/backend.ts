/** Requests to what is behind the API server: kubelets, pods, services. Redirects are never followed. */
import { type IncomingMessage, request as plainRequest } from "node:http";
import { request as secureRequest } from "node:https";
import type { Readable } from "node:stream";
import type { ConnectionOptions } from "node:tls";

export interface BackendRequest {
  secure: boolean;
  /** A number, so that no name is looked up again. */
  address: string;
  port: number;
  method: string;
  path: string;
  /** Names and values by turns, Host among them. */
  headers: readonly string[];
  tls?: ConnectionOptions;
  /** What is sent; absent: nothing. */
  body?: Readable;
  signal: AbortSignal;
}

/** Milliseconds for a connection to come about; answers may take as long as they like. */
const CONNECT_WITHIN = 10_000;

/** Resolves with the head of the answer. Rejects in the words in which upstream tells of connections. */
export function sendRequest(asked: BackendRequest): Promise<IncomingMessage> {
  const { secure, address, port, method, path, headers, tls, body, signal } = asked;
  return new Promise((resolve, reject) => {
    const send = secure ? secureRequest : plainRequest;
    const request = send({ ...tls, host: address, port, method, path, headers, agent: false, signal });
    const timer = setTimeout(() => request.destroy(new Error("i/o timeout")), CONNECT_WITHIN);
    request.once("socket", (socket) => {
      socket.once(secure ? "secureConnect" : "connect", () => clearTimeout(timer));
    });
    request.once("close", () => clearTimeout(timer));
    request.on("error", (error) => reject(dialError(error, address, port)));
    request.once("response", resolve);
    if (!body) request.end();
    else {
      body.once("error", () => request.destroy());
      body.pipe(request);
    }
  });
}

const TEXTS: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connect: connection refused",
  EHOSTUNREACH: "connect: no route to host",
  ENETUNREACH: "connect: network is unreachable",
  ETIMEDOUT: "i/o timeout",
};

/** Go's words for a connection that did not come about. */
export function dialError(error: Error, address: string, port: number): Error {
  const { code = "" } = error as NodeJS.ErrnoException;
  const text = TEXTS[code] ?? (error.message === "i/o timeout" ? error.message : undefined);
  if (text === undefined) return code === "ECONNRESET" ? new Error("EOF", { cause: error }) : error;
  const host = address.includes(":") ? `[${address}]` : address;
  return new Error(`dial tcp ${host}:${port}: ${text}`, { cause: error });
}

/** Bytes of a refusal that are passed on. */
const LONGEST_REFUSAL = 64 * 1024;

export async function bodyText(response: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  try {
    for await (const part of response as AsyncIterable<Buffer>) {
      parts.push(part);
      size += part.length;
      if (size >= LONGEST_REFUSAL) break;
    }
  } catch {
    // What came of it is all that there is to tell.
  }
  return Buffer.concat(parts).subarray(0, LONGEST_REFUSAL).toString().trim();
}
