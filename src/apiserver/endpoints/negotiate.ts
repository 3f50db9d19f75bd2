/** Which form of an answer a client takes (Accept), and which form its body has (Content-Type). */
import { PROTOBUF_TYPE } from "../../machinery/protobuf/envelope.ts";
import { notAcceptable, unsupportedMediaType } from "../../machinery/status/status-error.ts";

export type Format = "json" | "yaml" | "protobuf";

export const MEDIA_TYPES: Record<Format, string> = {
  json: "application/json",
  yaml: "application/yaml",
  protobuf: PROTOBUF_TYPE,
};

const SUPPORTED = Object.values(MEDIA_TYPES);
const STREAMS = [`${MEDIA_TYPES.json};stream=watch`, `${MEDIA_TYPES.protobuf};stream=watch`];

/** A form of an answer; `as` asks for a transformation of the object. */
export interface Accepted {
  format: Format;
  as?: "Table" | "PartialObjectMetadata" | "PartialObjectMetadataList";
  /** Of meta.k8s.io, where `as` is there. */
  version?: "v1" | "v1beta1";
}

const JSON_ONLY: Accepted = { format: "json" };
const known = new Map<string, Accepted | undefined>();
const KNOWN_MAX = 256;
/** Longer headers are no client's habit, and are not kept. */
const KNOWN_LENGTH = 512;

/** The first form of the Accept header that the server has, of tables where it has `tables`; NotAcceptable where there is none. */
export function negotiate(accept: string | undefined, tables: boolean): Accepted {
  if (accept === undefined || accept === "" || accept === "*/*" || accept === "application/json")
    return JSON_ONLY;
  const key = (tables ? "t" : "") + accept;
  let chosen = known.get(key);
  if (!chosen) {
    chosen = choose(accept, tables);
    if (!chosen) throw notAcceptable(SUPPORTED);
    if (key.length > KNOWN_LENGTH) return chosen;
    if (known.size >= KNOWN_MAX) known.clear();
    known.set(key, chosen);
  }
  return chosen;
}

/** A watch needs a form that can be framed; what YAML's lines belong to could not be told. */
export function negotiateStream({ format }: Accepted): void {
  if (format === "yaml") throw notAcceptable(STREAMS);
}

function choose(accept: string, tables: boolean): Accepted | undefined {
  const clauses = accept
    .split(",")
    .map((clause) => {
      const [type = "", ...parameters] = clause.split(";").map((part) => part.trim());
      const options = new Map(parameters.map((p) => p.split("=", 2) as [string, string]));
      return { type: type.toLowerCase(), options, quality: Number(options.get("q") ?? 1) };
    })
    .filter(({ quality }) => quality > 0)
    .sort((a, b) => b.quality - a.quality);
  for (const { type, options } of clauses) {
    const format = formatOf(type);
    if (!format) continue;
    const as = options.get("as");
    if (as === undefined) return { format };
    if (as === "Table" && (!tables || format === "protobuf")) continue;
    const version = options.get("v");
    if (options.get("g") !== "meta.k8s.io" || (version !== "v1" && version !== "v1beta1")) continue;
    if (as === "Table" || as === "PartialObjectMetadata" || as === "PartialObjectMetadataList") {
      return { format, as, version };
    }
  }
  return undefined;
}

function formatOf(type: string): Format | undefined {
  if (type === "*/*" || type === "application/*" || type === "application/json") return "json";
  if (type === "application/yaml") return "yaml";
  if (type === PROTOBUF_TYPE) return "protobuf";
  return undefined;
}

/** The form of a body; UnsupportedMediaType where the server does not read it. A body without a type is JSON. */
export function bodyFormat(contentType: string | undefined): Format {
  if (contentType === undefined || contentType === "" || contentType === "application/json") return "json";
  const type = contentType.split(";", 1)[0]!.trim().toLowerCase();
  if (type === "application/json") return "json";
  if (type === "application/yaml") return "yaml";
  if (type === PROTOBUF_TYPE) return "protobuf";
  throw unsupportedMediaType(SUPPORTED);
}
