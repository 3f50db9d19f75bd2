/** Frames of WebSockets (RFC 6455), the server's side. */

export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** Why a connection ends (RFC 6455 section 7.4). */
export const CLOSE = { normal: 1000, protocolError: 1002, tooBig: 1009 } as const;

export class WebSocketError extends Error {
  readonly code: number;
  constructor(code: number, message: string) {
    super(message);
    this.code = code;
  }
}

/** The head of an unmasked frame, as servers send them. */
export function frameHead(opcode: number, length: number): Buffer {
  const first = 0x80 | opcode;
  if (length < 126) return Buffer.from([first, length]);
  if (length < 0x10000) return Buffer.from([first, 126, length >> 8, length & 0xff]);
  const head = Buffer.alloc(10);
  head[0] = first;
  head[1] = 127;
  head.writeBigUInt64BE(BigInt(length), 2);
  return head;
}

const LONGEST_CONTROL = 125;

/**
 * Puts messages together from what comes; control frames may come between the parts of one. Throws WebSocketError where
 * the peer does not keep to the protocol, or sends a message of more than `limit` bytes.
 */
export class FrameReader {
  private readonly limit: number;
  private readonly message: (opcode: number, payload: Buffer) => void;
  /** What came of a frame that is not whole, and how many bytes it must be for another look. */
  private rest: Buffer[] = [];
  private gathered = 0;
  private needed = 0;
  private parts: Buffer[] = [];
  private size = 0;
  private opcode = 0;

  constructor(limit: number, message: (opcode: number, payload: Buffer) => void) {
    this.limit = limit;
    this.message = message;
  }

  read(chunk: Buffer): void {
    this.rest.push(chunk);
    this.gathered += chunk.length;
    if (this.gathered < this.needed) return;
    let bytes = this.rest.length === 1 ? chunk : Buffer.concat(this.rest, this.gathered);
    this.rest = [];
    this.gathered = 0;
    this.needed = 0;
    for (let used = this.frame(bytes); used > 0; used = this.frame(bytes)) bytes = bytes.subarray(used);
    if (bytes.length === 0) return;
    this.rest.push(bytes);
    this.gathered = bytes.length;
  }

  /** Bytes of the first frame; 0 where it is not whole yet. */
  private frame(bytes: Buffer): number {
    if (bytes.length < 2) return 0;
    const [first, second] = [bytes[0]!, bytes[1]!];
    const opcode = first & 0x0f;
    if ((first & 0x70) !== 0) throw new WebSocketError(CLOSE.protocolError, "a reserved bit is set");
    if ((second & 0x80) === 0) throw new WebSocketError(CLOSE.protocolError, "a frame is not masked");
    let length = second & 0x7f;
    let at = 2;
    if (length === 126) {
      if (bytes.length < 4) return 0;
      length = bytes.readUInt16BE(2);
      at = 4;
    } else if (length === 127) {
      if (bytes.length < 10) return 0;
      if (bytes.readUInt32BE(2) !== 0) throw new WebSocketError(CLOSE.tooBig, "a message is too big");
      length = bytes.readUInt32BE(6);
      at = 10;
    }
    this.check(first, opcode, length);
    if (bytes.length < at + 4 + length) {
      this.needed = at + 4 + length;
      return 0;
    }
    const payload = unmasked(bytes.subarray(at + 4, at + 4 + length), bytes, at);
    this.take((first & 0x80) !== 0, opcode, payload);
    return at + 4 + length;
  }

  private check(first: number, opcode: number, length: number): void {
    if (opcode >= OPCODE.close) {
      if (length > LONGEST_CONTROL || (first & 0x80) === 0) {
        throw new WebSocketError(CLOSE.protocolError, "a control frame is too long, or in parts");
      }
    } else if (this.size + length > this.limit)
      throw new WebSocketError(CLOSE.tooBig, "a message is too big");
    else if ((opcode === OPCODE.continuation) !== this.opcode > 0) {
      throw new WebSocketError(CLOSE.protocolError, "the parts of a message do not fit");
    }
  }

  private take(final: boolean, opcode: number, payload: Buffer): void {
    if (opcode >= OPCODE.close) {
      this.message(opcode, payload);
      return;
    }
    if (opcode !== OPCODE.continuation) this.opcode = opcode;
    this.parts.push(payload);
    this.size += payload.length;
    if (!final) return;
    const whole = this.parts.length === 1 ? payload : Buffer.concat(this.parts);
    const kind = this.opcode;
    this.parts = [];
    this.size = 0;
    this.opcode = 0;
    this.message(kind, whole);
  }
}

/** A copy: what was received is its reader's. */
function unmasked(payload: Buffer, bytes: Buffer, mask: number): Buffer {
  const plain = Buffer.allocUnsafe(payload.length);
  const [a, b, c, d] = [bytes[mask]!, bytes[mask + 1]!, bytes[mask + 2]!, bytes[mask + 3]!];
  let i = 0;
  for (; i + 3 < payload.length; i += 4) {
    plain[i] = payload[i]! ^ a;
    plain[i + 1] = payload[i + 1]! ^ b;
    plain[i + 2] = payload[i + 2]! ^ c;
    plain[i + 3] = payload[i + 3]! ^ d;
  }
  for (; i < payload.length; i++) plain[i] = payload[i]! ^ bytes[mask + (i & 3)]!;
  return plain;
}
