/**
 * The client's side of a SPDY/3.1 connection: a few streams that it opens, as Kubernetes uses them for the standard
 * streams of a process. Neither side of Kubernetes uses SPDY's windows: whoever takes nothing in stops reading the
 * connection, with all of its streams.
 */
import type { Duplex } from "node:stream";
import {
  controlFrame,
  dataHead,
  FLAG_FIN,
  FRAME,
  FrameReader,
  HeaderCompression,
  headerBlock,
  pingFrame,
  synStreamFrame,
} from "./frames.ts";

export interface SpdyClientEvents {
  /** Data of a stream, and with `fin` its end. */
  data(stream: number, part: Buffer, fin: boolean): void;
  /** There is room again after `write` said that there was none. */
  drained(): void;
  /** The connection is over; called once. */
  closed(): void;
}

const LONGEST_FRAME = 0xffffff;

export class SpdyClient {
  private readonly socket: Duplex;
  private readonly events: SpdyClientEvents;
  private readonly compression = new HeaderCompression();
  private next = 1;
  private over = false;

  constructor(socket: Duplex, head: Buffer, events: SpdyClientEvents) {
    this.socket = socket;
    this.events = events;
    const frames = new FrameReader({
      data: (stream, part, fin) => events.data(stream, part, fin),
      control: (type, flags, body) => this.control(type, flags, body),
    });
    const read = (chunk: Buffer): void => {
      try {
        frames.read(chunk);
      } catch {
        this.destroy();
      }
    };
    socket.on("data", read);
    socket.on("drain", () => events.drained());
    socket.on("error", () => this.destroy());
    socket.once("end", () => this.destroy());
    socket.once("close", () => this.ended());
    if (head.length > 0) read(head);
  }

  /** Opens a stream; returns its number. */
  open(headers: Readonly<Record<string, string>>): number {
    const stream = this.next;
    this.next += 2;
    this.socket.write(synStreamFrame(stream, this.compression.compress(headerBlock(headers))));
    return stream;
  }

  /** False: wait for `drained` before sending more. */
  write(stream: number, data: Buffer): boolean {
    let room = true;
    for (let at = 0; at < data.length; at += LONGEST_FRAME) {
      const part = data.subarray(at, at + LONGEST_FRAME);
      this.socket.write(dataHead(stream, part.length, false));
      room = this.socket.write(part);
    }
    return room;
  }

  /** Ends this side of a stream. */
  finish(stream: number): void {
    if (!this.over) this.socket.write(dataHead(stream, 0, true));
  }

  pause(): void {
    this.socket.pause();
  }

  resume(): void {
    this.socket.resume();
  }

  destroy(): void {
    this.socket.destroy();
    this.ended();
  }

  private control(type: number, flags: number, body: Buffer): void {
    if (type === FRAME.ping && body.length >= 4) {
      const id = body.readUInt32BE(0);
      // A ping of the server's own has an even number and comes back to it.
      if (id % 2 === 0) this.socket.write(pingFrame(id));
    } else if (type === FRAME.synReply && (flags & FLAG_FIN) !== 0 && body.length >= 4) {
      this.events.data(body.readUInt32BE(0), Buffer.alloc(0), true);
    } else if (type === FRAME.rstStream && body.length >= 4) {
      this.events.data(body.readUInt32BE(0), Buffer.alloc(0), true);
    } else if (type === FRAME.synStream && body.length >= 4) {
      this.refuse(body.readUInt32BE(0));
    }
  }

  /** A stream that the server opens is none of ours. */
  private refuse(stream: number): void {
    const body = Buffer.alloc(8);
    body.writeUInt32BE(stream, 0);
    body.writeUInt32BE(REFUSED_STREAM, 4);
    this.socket.write(controlFrame(FRAME.rstStream, 0, body));
  }

  private ended(): void {
    if (this.over) return;
    this.over = true;
    this.events.closed();
  }
}

const REFUSED_STREAM = 3;
