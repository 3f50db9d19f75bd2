/** One question to one resolver. */
import { createSocket } from "node:dgram";
import { createConnection, isIPv6 } from "node:net";
import type { Clock } from "../../../base/clock.ts";
import { FLAGS } from "../message/constants.ts";
import type { Query } from "../message/query.ts";
import { answersQuestion, type Response, readResponse, writeForwarded } from "../message/response.ts";

export interface ExchangeOptions {
  server: string;
  port: number;
  query: Query;
  /** 16 bits that cannot be foretold. */
  id: number;
  clock: Clock;
  timeoutMs: number;
  /** Off for resolvers that do not know EDNS. */
  withOptions?: boolean;
}

/**
 * Over UDP, and again over TCP where the answer does not fit. Undefined where none came in time. Each question has a
 * socket of its own, so that an answer that somebody else makes up has to guess the port beside the identifier.
 */
export async function exchange(options: ExchangeOptions): Promise<Response | undefined> {
  const response = await overUDP(options);
  if (!response || (response.flags & FLAGS.TC) === 0) return response;
  return (await overTCP(options)) ?? response;
}

function accepted(message: Uint8Array, { query, id }: ExchangeOptions): Response | undefined {
  const response = readResponse(message);
  return response && response.id === id && answersQuestion(response, query) ? response : undefined;
}

function overUDP(options: ExchangeOptions): Promise<Response | undefined> {
  const { server, port, query, id, clock, timeoutMs } = options;
  return new Promise((resolve) => {
    const socket = createSocket(isIPv6(server) ? "udp6" : "udp4");
    const end = (response?: Response): void => {
      cancel();
      socket.removeAllListeners();
      socket.on("error", () => {});
      try {
        socket.close();
      } catch {
        // It was never opened.
      }
      resolve(response);
    };
    const cancel = clock.setTimer(timeoutMs, () => end());
    socket.once("error", () => end());
    socket.on("message", (message) => {
      // What does not answer our question may be made up: the true answer is waited for.
      const response = accepted(message, options);
      if (response) end(response);
    });
    // Only what comes from the resolver gets through a connected socket.
    socket.connect(port, server, () => socket.send(writeForwarded(query, id, options.withOptions)));
  });
}

function overTCP(options: ExchangeOptions): Promise<Response | undefined> {
  const { server, port, query, id, clock, timeoutMs } = options;
  return new Promise((resolve) => {
    const socket = createConnection({ host: server, port });
    const end = (response?: Response): void => {
      cancel();
      socket.destroy();
      resolve(response);
    };
    const cancel = clock.setTimer(timeoutMs, () => end());
    socket.on("error", () => end());
    socket.on("close", () => end());
    socket.on("connect", () => {
      const message = writeForwarded(query, id, options.withOptions);
      const length = Buffer.alloc(2);
      length.writeUInt16BE(message.length);
      socket.write(Buffer.concat([length, message]));
    });
    let got: Buffer = Buffer.alloc(0);
    socket.on("data", (chunk: Buffer) => {
      got = Buffer.concat([got, chunk]);
      if (got.length < 2) return;
      const length = got.readUInt16BE(0);
      if (got.length >= 2 + length) end(accepted(got.subarray(2, 2 + length), options));
    });
  });
}
