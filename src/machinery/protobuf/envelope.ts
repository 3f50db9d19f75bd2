/**
 * The envelope of Kubernetes' protobuf (runtime.Unknown behind the four bytes `k8s\0`) and the frames of its watches.
 */
import { DecodeError } from "../schema/walk.ts";
import { ProtobufReader } from "./reader.ts";
import { BYTES, ProtobufWriter } from "./writer.ts";

export const PROTOBUF_TYPE = "application/vnd.kubernetes.protobuf";
export const PROTOBUF_WATCH_TYPE = "application/vnd.kubernetes.protobuf;stream=watch";

export interface Envelope {
  apiVersion: string;
  kind: string;
  raw: Uint8Array;
  contentEncoding: string;
  contentType: string;
}

const MAGIC = Uint8Array.of(0x6b, 0x38, 0x73, 0x00);

/** Puts a message into the envelope. */
export function writeEnvelope(apiVersion: string, kind: string, raw: Uint8Array): Uint8Array {
  const writer = new ProtobufWriter(raw.length + apiVersion.length + kind.length + 64);
  writeText(writer, "", 4);
  writeText(writer, "", 3);
  let before = writer.size;
  writer.raw(raw);
  writer.close(2, before);
  before = writer.size;
  writeText(writer, kind, 2);
  writeText(writer, apiVersion, 1);
  writer.close(1, before);
  writer.raw(MAGIC);
  return writer.bytes();
}

function writeText(writer: ProtobufWriter, text: string, number: number): void {
  const before = writer.size;
  writer.text(text);
  writer.close(number, before);
}

/** Takes a body apart; throws a DecodeError with upstream's message. */
export function readEnvelope(body: Uint8Array): Envelope {
  if (body.length === 0) throw new DecodeError("empty data");
  if (!MAGIC.every((byte, at) => body[at] === byte)) {
    throw new DecodeError(
      "provided data does not appear to be a protobuf message, expected prefix [107 56 115 0]",
    );
  }
  const envelope: Envelope = {
    apiVersion: "",
    kind: "",
    raw: new Uint8Array(),
    contentEncoding: "",
    contentType: "",
  };
  const reader = new ProtobufReader(body.subarray(MAGIC.length));
  while (reader.at < reader.end) {
    const tag = reader.varint();
    const number = (tag & 7) === BYTES ? Math.floor(tag / 8) : 0;
    if (number === 1) readTypeMeta(reader.raw(), envelope);
    else if (number === 2) envelope.raw = reader.raw();
    else if (number === 3) envelope.contentEncoding = reader.text();
    else if (number === 4) envelope.contentType = reader.text();
    else reader.skip(tag & 7);
  }
  return envelope;
}

function readTypeMeta(bytes: Uint8Array, envelope: Envelope): void {
  const reader = new ProtobufReader(bytes);
  while (reader.at < reader.end) {
    const tag = reader.varint();
    if (tag === 8 + BYTES) envelope.apiVersion = reader.text();
    else if (tag === 16 + BYTES) envelope.kind = reader.text();
    else reader.skip(tag & 7);
  }
}

/**
 * One frame of a protobuf watch: four bytes of length, then meta.v1.WatchEvent without envelope, whose object is one
 * with it (`enveloped`, as writeEnvelope gives it).
 */
export function writeWatchFrame(type: string, enveloped: Uint8Array): Uint8Array {
  const writer = new ProtobufWriter(enveloped.length + type.length + 64);
  const start = writer.size;
  writer.raw(enveloped);
  writer.close(1, start);
  writer.close(2, start);
  writeText(writer, type, 1);
  const length = writer.size;
  writer.raw(Uint8Array.of(length >>> 24, (length >>> 16) & 0xff, (length >>> 8) & 0xff, length & 0xff));
  return writer.bytes();
}
