/** Takes questions from sockets: UDP and TCP on one address and port. */
import { createSocket, type Socket as UDPSocket } from "node:dgram";
import { createServer, isIPv6, type Server, type Socket } from "node:net";
import type { Clock } from "../../../base/clock.ts";
import type { Protocol } from "./responder.ts";

export interface ListenOptions {
  address: string;
  /** 0: any that is free. */
  port: number;
  clock: Clock;
  /** Whether this client may ask. Others get no answer at all, so that nobody can aim our answers at them. */
  mayAsk: (client: string, server: string) => boolean;
  respond: (message: Uint8Array, protocol: Protocol) => Buffer | undefined | Promise<Buffer | undefined>;
}

export interface Listening {
  port: number;
  close(): Promise<void>;
}

/** Bytes of questions that wait in the kernel while we are busy: some thousands. */
const WAITING = 4 * 1024 * 1024;
const MOST_CONNECTIONS = 1000;
/** Questions of one connection under way. */
const MOST_PENDING = 100;
/** Milliseconds that a connection may be silent. */
const SILENCE = 10_000;

/** Throws where the address is not of this machine, or the port is taken (EADDRINUSE). */
export async function listen(options: ListenOptions): Promise<Listening> {
  const server = await listenTCP(options);
  const { port } = server.address() as { port: number };
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  let udp: UDPSocket;
  try {
    udp = await listenUDP({ ...options, port });
  } catch (error) {
    server.close();
    throw error;
  }
  return {
    port,
    async close() {
      for (const socket of sockets) socket.destroy();
      await Promise.all([
        new Promise<void>((resolve) => udp.close(() => resolve())),
        new Promise<void>((resolve) => server.close(() => resolve())),
      ]);
    },
  };
}

function listenUDP({ address, port, mayAsk, respond }: ListenOptions): Promise<UDPSocket> {
  const isV6 = isIPv6(address);
  const socket = createSocket({
    type: isV6 ? "udp6" : "udp4",
    ipv6Only: isV6,
    // Clients are addresses already: looking them up would cost more than the answer.
    lookup: (host, _, found) => found(null, host, isV6 ? 6 : 4),
  });
  socket.on("message", (message, client) => {
    if (!mayAsk(client.address, address)) return;
    const answer = respond(message, "udp");
    if (answer instanceof Promise) void answer.then((late) => late && reply(socket, late, client));
    else if (answer) reply(socket, answer, client);
  });
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(port, address, () => {
      socket.removeListener("error", reject);
      socket.on("error", () => {});
      socket.setRecvBufferSize(WAITING);
      resolve(socket);
    });
  });
}

function reply(socket: UDPSocket, answer: Buffer, client: { address: string; port: number }): void {
  try {
    // Without a callback, which would cost as much as all the rest: what fails is told to the socket, where nobody minds.
    socket.send(answer, client.port, client.address);
  } catch {
    // Closed meanwhile.
  }
}

function listenTCP(options: ListenOptions): Promise<Server> {
  const { address, port, mayAsk } = options;
  const server = createServer((socket) => {
    socket.on("error", () => {});
    if (!mayAsk(socket.remoteAddress ?? "", address)) socket.destroy();
    else serve(socket, options);
  });
  server.maxConnections = MOST_CONNECTIONS;
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen({ host: address, port, ipv6Only: true }, () => {
      server.removeListener("error", reject);
      resolve(server);
    });
  });
}

/** Messages have their length in two bytes before them; answers may come in another order than questions. */
function serve(socket: Socket, { clock, respond }: ListenOptions): void {
  let got: Buffer = Buffer.alloc(0);
  let pending = 0;
  let cancel = (): void => {};
  const heard = (): void => {
    cancel();
    cancel = clock.setTimer(SILENCE, () => socket.destroy());
  };
  const send = (answer: Buffer | undefined): void => {
    pending--;
    if (pending < MOST_PENDING) socket.resume();
    if (!answer || socket.destroyed) return;
    const length = Buffer.alloc(2);
    length.writeUInt16BE(answer.length);
    // One write, so that it leaves in one packet.
    socket.write(Buffer.concat([length, answer]));
  };
  heard();
  socket.once("close", () => cancel());
  socket.on("data", (chunk: Buffer) => {
    heard();
    got = got.length === 0 ? chunk : Buffer.concat([got, chunk]);
    let at = 0;
    while (got.length - at >= 2) {
      const end = at + 2 + got.readUInt16BE(at);
      if (got.length < end) break;
      const message = got.subarray(at + 2, end);
      at = end;
      pending++;
      const answer = respond(message, "tcp");
      if (answer instanceof Promise) void answer.then(send);
      else send(answer);
    }
    got = got.subarray(at);
    if (pending >= MOST_PENDING || socket.writableLength > WAITING) socket.pause();
  });
  socket.on("drain", () => socket.resume());
}
