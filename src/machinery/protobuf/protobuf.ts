/** Objects in `application/vnd.kubernetes.protobuf`: the message of the kind in its envelope. */
import type { Schemas } from "../schema/schema.ts";
import { DecodeError } from "../schema/walk.ts";
import { decodeMessage } from "./decode.ts";
import { encodeMessage } from "./encode.ts";
import { PROTOBUF_TYPE, readEnvelope, writeEnvelope, writeWatchFrame } from "./envelope.ts";

/** An object, a list or a Status of definition `id` with its envelope, which takes apiVersion and kind from it. */
export function encodeProtobufObject(
  schemas: Schemas,
  id: string,
  object: { apiVersion?: string; kind?: string },
): Uint8Array {
  return writeEnvelope(object.apiVersion ?? "", object.kind ?? "", encodeMessage(schemas, id, object));
}

/** A watch event around an object that encodeProtobufObject gave, as one frame of the stream. */
export function encodeWatchEvent(type: string, object: Uint8Array): Uint8Array {
  return writeWatchFrame(type, object);
}

export interface DecodedProtobuf {
  object: Record<string, unknown>;
  apiVersion: string;
  kind: string;
}

/** The object of an enveloped body. Throws a DecodeError for bytes that are none. */
export function decodeProtobufObject(schemas: Schemas, id: string, body: Uint8Array): DecodedProtobuf {
  const { apiVersion, kind, raw, contentType } = readEnvelope(body);
  if (contentType !== "" && contentType !== PROTOBUF_TYPE) {
    throw new DecodeError(`unsupported content type ${JSON.stringify(contentType)} in a protobuf envelope`);
  }
  const message = decodeMessage(schemas, id, raw);
  const object: Record<string, unknown> = {};
  if (apiVersion !== "") object.apiVersion = apiVersion;
  if (kind !== "") object.kind = kind;
  for (const name in message) object[name] = message[name];
  return { object, apiVersion, kind };
}
