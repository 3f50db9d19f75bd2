/** A WebSocket that a client has opened to us, on a connection that HTTP has let go of. */
import { createHash } from "node:crypto";
import type { Duplex } from "node:stream";
import { CLOSE, FrameReader, frameHead, OPCODE, WebSocketError } from "./frames.ts";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

/** Bytes of one message; kubectl sends 32 KiB at once. */
const LARGEST = 4 * 1024 * 1024;

/** Milliseconds that the peer has to answer our close. */
const FAREWELL = 5000;

/** What a client's request says of the WebSocket that it wants; undefined where it is no such request. */
export interface WebSocketOffer {
  key: string;
  protocols: readonly string[];
}

export function webSocketOffer(
  upgrade: string | undefined,
  header: (name: string) => string | undefined,
): WebSocketOffer | undefined {
  if (upgrade?.toLowerCase() !== "websocket") return undefined;
  const key = header("sec-websocket-key") ?? "";
  if (header("sec-websocket-version") !== "13" || Buffer.from(key, "base64").length !== 16) return undefined;
  const protocols = (header("sec-websocket-protocol") ?? "").split(",").map((one) => one.trim());
  return { key, protocols: protocols.filter((one) => one !== "") };
}

export interface WebSocketEvents {
  /** A whole message of either kind. */
  message(payload: Buffer): void;
  /** There is room again after `send` said that there was none. */
  drained(): void;
  /** The connection is over; called once. */
  closed(): void;
}

export class ServerWebSocket {
  private readonly socket: Duplex;
  private readonly events: WebSocketEvents;
  private closing = false;
  private over = false;

  /** Answers the client's handshake with one of the protocols that it offers; with an empty one where it offers none. */
  constructor(
    { socket, head }: { socket: Duplex; head: Buffer },
    { key }: WebSocketOffer,
    protocol: string,
    events: WebSocketEvents,
  ) {
    this.socket = socket;
    this.events = events;
    const accept = createHash("sha1").update(`${key}${GUID}`).digest("base64");
    socket.write(
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" +
        `Sec-WebSocket-Accept: ${accept}\r\n` +
        `${protocol === "" ? "" : `Sec-WebSocket-Protocol: ${protocol}\r\n`}\r\n`,
    );
    const frames = new FrameReader(LARGEST, (opcode, payload) => this.took(opcode, payload));
    const read = (chunk: Buffer): void => {
      if (this.over) return;
      try {
        frames.read(chunk);
      } catch (error) {
        this.close(error instanceof WebSocketError ? error.code : CLOSE.protocolError);
      }
    };
    socket.on("data", read);
    socket.on("drain", () => events.drained());
    socket.on("error", () => this.destroy());
    socket.once("end", () => this.destroy());
    socket.once("close", () => this.ended());
    if (head.length > 0) queueMicrotask(() => read(head));
  }

  /** Sends a binary message; false: wait for `drained` before sending more. */
  send(...parts: readonly Buffer[]): boolean {
    if (this.closing || this.over) return true;
    let length = 0;
    for (const part of parts) length += part.length;
    let room = this.socket.write(frameHead(OPCODE.binary, length));
    for (const part of parts) if (part.length > 0) room = this.socket.write(part);
    return room;
  }

  /** The same as `send`, in a message of text. */
  sendText(text: string): boolean {
    if (this.closing || this.over) return true;
    const payload = Buffer.from(text);
    this.socket.write(frameHead(OPCODE.text, payload.length));
    return this.socket.write(payload);
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  /** Says goodbye after what was sent, and ends the connection. */
  close(code: number = CLOSE.normal): void {
    if (this.closing || this.over) return;
    this.closing = true;
    this.socket.resume();
    const payload = Buffer.from([code >> 8, code & 0xff]);
    this.socket.write(Buffer.concat([frameHead(OPCODE.close, payload.length), payload]));
    const timer = setTimeout(() => this.destroy(), FAREWELL);
    timer.unref();
    this.socket.once("close", () => clearTimeout(timer));
  }

  destroy(): void {
    this.socket.destroy();
    this.ended();
  }

  private took(opcode: number, payload: Buffer): void {
    if (opcode === OPCODE.ping) {
      if (!this.closing) this.socket.write(Buffer.concat([frameHead(OPCODE.pong, payload.length), payload]));
    } else if (opcode === OPCODE.close) {
      this.close();
      this.socket.end();
    } else if (opcode !== OPCODE.pong && !this.closing) this.events.message(payload);
  }

  private ended(): void {
    if (this.over) return;
    this.over = true;
    this.events.closed();
  }
}
