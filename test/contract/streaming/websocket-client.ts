/** A WebSocket client that tests hold in their hands: every message, and when it is read. */
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { IncomingMessage } from "node:http";
import { request } from "node:https";
import type { Duplex } from "node:stream";
import type { ControlPlane } from "./control-plane.ts";

export interface Connection {
  /** What the server chose. */
  protocol: string;
  /** A message of this channel. */
  send(channel: number, data: string | Buffer): boolean;
  raw: Duplex;
  /** The payload of the next message; undefined once the server has said goodbye. */
  next(): Promise<Buffer | undefined>;
  /** All that comes on the channels until the goodbye, by channel. */
  rest(): Promise<Map<number, string>>;
}

/** A refusal of the handshake. */
export class Refused extends Error {
  readonly status: number;
  readonly body: string;
  constructor(status: number, body: string) {
    super(`${status} ${body}`);
    this.status = status;
    this.body = body;
  }
}

export interface Asked {
  protocols?: readonly string[];
  user?: string;
  groups?: readonly string[];
}

export async function openWebSocket(
  plane: Pick<ControlPlane, "url" | "pki" | "issue">,
  path: string,
  { protocols = [], user = "admin", groups = ["system:masters"] }: Asked = {},
): Promise<Connection> {
  const { certificate, key } = plane.issue(user, groups);
  const credentials = { ca: plane.pki.ca.certificate, cert: certificate, key };
  return openWebSocketTo(`${plane.url}${path}`, credentials, protocols);
}

export async function openWebSocketTo(
  url: string,
  credentials: { ca?: string; cert?: string; key?: string },
  protocols: readonly string[],
): Promise<Connection> {
  const asked = request(url, {
    ...{ ...credentials, agent: false },
    headers: {
      connection: "Upgrade",
      upgrade: "websocket",
      "sec-websocket-version": "13",
      "sec-websocket-key": randomBytes(16).toString("base64"),
      ...(protocols.length > 0 ? { "sec-websocket-protocol": protocols.join(", ") } : {}),
    },
  });
  asked.end();
  const refused = once(asked, "response").then(async ([response]) => {
    let body = "";
    for await (const chunk of response as IncomingMessage) body += chunk;
    throw new Refused((response as IncomingMessage).statusCode ?? 0, body);
  });
  refused.catch(() => {});
  const [response, socket, head] = (await Promise.race([once(asked, "upgrade"), refused])) as [
    IncomingMessage,
    Duplex,
    Buffer,
  ];
  return connection(socket, head, String(response.headers["sec-websocket-protocol"] ?? ""));
}

function connection(socket: Duplex, head: Buffer, protocol: string): Connection {
  const frames = readFrames(socket, head);
  const next = async (): Promise<Buffer | undefined> => (await frames.next()).value;
  return {
    protocol,
    raw: socket,
    send: (channel, data) => socket.write(masked(Buffer.concat([Buffer.from([channel]), Buffer.from(data)]))),
    next,
    async rest() {
      const all = new Map<number, string>();
      for (let payload = await next(); payload; payload = await next()) {
        const [channel = 0] = payload;
        all.set(channel, (all.get(channel) ?? "") + payload.subarray(1).toString());
      }
      return all;
    },
  };
}

async function* readFrames(socket: Duplex, head: Buffer): AsyncGenerator<Buffer> {
  let bytes = head;
  const chunks = socket[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const atLeast = async (count: number): Promise<boolean> => {
    while (bytes.length < count) {
      const { value, done } = await chunks.next();
      if (done) return false;
      bytes = Buffer.concat([bytes, value]);
    }
    return true;
  };
  while (await atLeast(2)) {
    const opcode = bytes[0]! & 0x0f;
    let length = bytes[1]!;
    let at = 2;
    if (length === 126) {
      await atLeast(4);
      length = bytes.readUInt16BE(2);
      at = 4;
    } else if (length === 127) {
      await atLeast(10);
      length = Number(bytes.readBigUInt64BE(2));
      at = 10;
    }
    if (!(await atLeast(at + length)) || opcode === 8) return;
    const payload = bytes.subarray(at, at + length);
    bytes = bytes.subarray(at + length);
    yield payload;
  }
}

function masked(payload: Buffer): Buffer {
  const mask = randomBytes(4);
  const { length } = payload;
  const size = length < 126 ? Buffer.from([0x80 | length]) : Buffer.alloc(length < 0x10000 ? 3 : 9);
  if (size.length === 3) {
    size[0] = 0x80 | 126;
    size.writeUInt16BE(length, 1);
  } else if (size.length === 9) {
    size[0] = 0x80 | 127;
    size.writeBigUInt64BE(BigInt(length), 1);
  }
  const hidden = payload.map((byte, i) => byte ^ mask[i & 3]!);
  return Buffer.concat([Buffer.from([0x82]), size, mask, hidden]);
}
