/** Runs in a network namespace and serves, connects and asks there what its parent tells it by messages. */
import { createSocket } from "node:dgram";
import { once } from "node:events";
import { get } from "node:http";
import { connect, createServer, type Socket } from "node:net";
import type { AgentAnswer, AgentRequest, Ask, Serve } from "./network.ts";

/** What answers also tells whom it sees, and the long-lived connection under its id. */
const connections = new Map<number, Socket>();

process.on("message", async ({ id, request }: { id: number; request: AgentRequest }) => {
  let answer: AgentAnswer;
  try {
    answer = { text: await perform(request) };
  } catch (error) {
    answer = { error: (error as NodeJS.ErrnoException).code ?? String(error) };
  }
  process.send?.({ id, answer });
});
process.on("disconnect", () => process.exit());
process.send?.({ id: 0, answer: { text: "ready" } });

function perform(request: AgentRequest): Promise<string> {
  switch (request.do) {
    case "serve":
      return request.protocol === "tcp" ? serveTCP(request) : serveUDP(request);
    case "ask":
      return request.protocol === "tcp" ? askTCP(request) : askUDP(request);
    case "open":
      return open(request.connection, request.host, request.port);
    case "say":
      return say(request.connection, request.timeoutMs);
    case "get":
      return fetched(request.url);
  }
}

const seen = (address = ""): string => address.replace(/^::ffff:/, "");

async function serveTCP({ port, name, host }: Serve): Promise<string> {
  const server = createServer((socket) => {
    socket.on("error", () => {});
    socket.on("data", () => socket.write(`${name} ${seen(socket.remoteAddress)}`));
  });
  server.listen(port, host);
  await once(server, "listening");
  return "";
}

async function serveUDP({ port, name, host }: Serve): Promise<string> {
  const socket = createSocket({ type: "udp6" });
  socket.on("message", (_, from) => socket.send(`${name} ${seen(from.address)}`, from.port, from.address));
  socket.bind(port, host);
  await once(socket, "listening");
  return "";
}

async function askTCP({ host, port, timeoutMs }: Ask): Promise<string> {
  const socket = connect({ host, port });
  try {
    await once(socket, "connect", { signal: AbortSignal.timeout(timeoutMs) });
    socket.write("?");
    const [data] = await once(socket, "data", { signal: AbortSignal.timeout(timeoutMs) });
    return String(data);
  } finally {
    socket.destroy();
  }
}

async function askUDP({ host, port, from, timeoutMs }: Ask): Promise<string> {
  const socket = createSocket(host.includes(":") ? "udp6" : "udp4");
  try {
    socket.bind(from ?? 0);
    await once(socket, "listening");
    socket.connect(port, host);
    await once(socket, "connect");
    socket.send("?");
    const [data] = await once(socket, "message", { signal: AbortSignal.timeout(timeoutMs) });
    return String(data);
  } finally {
    socket.close();
  }
}

async function open(connection: number, host: string, port: number): Promise<string> {
  const socket = connect({ host, port });
  await once(socket, "connect", { signal: AbortSignal.timeout(60_000) });
  socket.on("error", () => {});
  connections.set(connection, socket);
  return "";
}

async function say(connection: number, timeoutMs: number): Promise<string> {
  const socket = connections.get(connection)!;
  socket.write("?");
  const [data] = await once(socket, "data", { signal: AbortSignal.timeout(timeoutMs) });
  return String(data);
}

function fetched(url: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, (response) => {
      let body = "";
      response.on("data", (chunk) => {
        body += chunk;
      });
      response.on("end", () =>
        resolve(JSON.stringify({ code: response.statusCode, headers: response.headers, body })),
      );
    }).on("error", reject);
  });
}
