/** The files that a volume of an object's contents consists of. Pure. */
import type { ConfigMap } from "../../api/core/config-map.ts";
import type { Secret } from "../../api/core/secret.ts";
import type { DownwardAPIVolumeFile, KeyToPath, Pod } from "../../api/schema/core.v1.generated.ts";
import { podFieldValue, resourceFieldValue } from "../pods/config/field-value.ts";
import { VolumeError } from "./volume-plugin.ts";

export interface PayloadFile {
  data: Uint8Array;
  mode: number;
  /** Its owner, where that is not root. */
  user?: number;
}

/** By path inside the volume. */
export type Payload = Map<string, PayloadFile>;

export interface KeysOptions {
  items?: readonly KeyToPath[];
  mode: number;
  optional?: boolean;
}

export function configMapPayload({ data, binaryData }: ConfigMap, options: KeysOptions): Payload {
  const values = new Map<string, Uint8Array>();
  for (const [key, value] of Object.entries(data ?? {})) values.set(key, Buffer.from(value));
  for (const [key, value] of Object.entries(binaryData ?? {})) values.set(key, Buffer.from(value, "base64"));
  return chosen(values, options, (key) => `configmap references non-existent config key: ${key}`);
}

export function secretPayload({ data }: Secret, options: KeysOptions): Payload {
  const values = new Map<string, Uint8Array>();
  for (const [key, value] of Object.entries(data ?? {})) values.set(key, Buffer.from(value, "base64"));
  return chosen(values, options, (key) => `references non-existent secret key: ${key}`);
}

function chosen(
  values: ReadonlyMap<string, Uint8Array>,
  { items, mode, optional }: KeysOptions,
  missing: (key: string) => string,
): Payload {
  if (!items?.length) return new Map([...values].map(([key, data]) => [key, { data, mode }]));
  const payload: Payload = new Map();
  for (const item of items) {
    const data = values.get(item.key);
    if (data) payload.set(item.path, { data, mode: item.mode ?? mode });
    else if (!optional) throw new VolumeError(missing(item.key));
  }
  return payload;
}

export function downwardPayload(
  pod: Pod,
  items: readonly DownwardAPIVolumeFile[],
  mode: number,
  allocatable: Readonly<Record<string, string>>,
): Payload {
  const payload: Payload = new Map();
  for (const item of items) {
    const data = Buffer.from(downwardValue(pod, item, allocatable));
    payload.set(item.path, { data, mode: item.mode ?? mode });
  }
  return payload;
}

function downwardValue(
  pod: Pod,
  { fieldRef, resourceFieldRef }: DownwardAPIVolumeFile,
  allocatable: Readonly<Record<string, string>>,
): string {
  if (fieldRef) {
    const { fieldPath } = fieldRef;
    if (fieldPath === "metadata.labels") return mapText(pod.metadata.labels);
    if (fieldPath === "metadata.annotations") return mapText(pod.metadata.annotations);
    const value = podFieldValue(pod, fieldPath, { hostIPs: [], podIPs: [] });
    if (value === undefined) throw new VolumeError(`unsupported fieldPath: ${fieldPath}`);
    return value;
  }
  const { containerName, resource = "", divisor } = resourceFieldRef ?? {};
  const { spec } = pod;
  const container = [...(spec?.initContainers ?? []), ...(spec?.containers ?? [])].find(
    ({ name }) => name === containerName,
  );
  if (!container) throw new VolumeError(`container ${containerName} not found`);
  const value = resourceFieldValue(pod, container, resource, divisor, allocatable);
  if (value === undefined) throw new VolumeError(`unsupported container resource : ${resource}`);
  return value;
}

/** A line a key, as Go quotes text. */
function mapText(values: Readonly<Record<string, string>> | undefined): string {
  return Object.keys(values ?? {})
    .sort()
    .map((key) => `${key}=${goQuoted(values?.[key] ?? "")}`)
    .join("\n");
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ['"', '\\"'],
  ["\\", "\\\\"],
  ["\x07", "\\a"],
  ["\b", "\\b"],
  ["\f", "\\f"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ["\v", "\\v"],
]);

function goQuoted(text: string): string {
  let out = '"';
  for (const character of text) {
    const code = character.codePointAt(0) as number;
    const known = ESCAPES.get(character);
    if (known) out += known;
    else if (code < 0x20 || code === 0x7f) out += `\\x${code.toString(16).padStart(2, "0")}`;
    else if (code < 0x7f || isPrintable(character)) out += character;
    else if (code > 0xffff) out += `\\U${code.toString(16).padStart(8, "0")}`;
    else out += `\\u${code.toString(16).padStart(4, "0")}`;
  }
  return `${out}"`;
}

/** Of letters, marks, numbers, punctuation and symbols, as Go's strconv has it. */
function isPrintable(character: string): boolean {
  return /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(character);
}
