import { type FieldError, invalidValue, required, tooLong } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { nameIsDNSSubdomain } from "../../machinery/names/names.ts";
import type { KubeObject } from "../object.ts";
import { defineResource } from "../resource.ts";
import { ageColumn, nameColumn } from "./columns.ts";
import {
  decodedLength,
  immutableField,
  MAX_DATA_BYTES,
  validateDataKey,
  validateImmutable,
} from "./immutable.ts";

export interface Secret extends KubeObject {
  immutable?: boolean;
  /** Base64. */
  data?: Record<string, string>;
  /** Only ever in a request: folded into `data`, which it wins over. */
  stringData?: Record<string, string>;
  type?: string;
}

export const Secret = defineResource<Secret>({
  group: "",
  version: "v1",
  kind: "Secret",
  plural: "secrets",
  scope: "Namespaced",
  definition: "core.v1.Secret",
  validateName: nameIsDNSSubdomain,
  defaults,
  validate,
  validateUpdate: (now, old) => [
    ...immutableField(FieldPath.root("type"), now.type, old.type),
    ...validateImmutable(now, old, ["data"]),
  ],
  columns: [
    nameColumn,
    { name: "Type", type: "string", cell: ({ type }) => type },
    { name: "Data", type: "string", cell: ({ data }) => (data ? Object.keys(data).length : 0) },
    ageColumn,
  ],
  fields: { type: ({ type }) => type ?? "" },
});

const utf8 = new TextEncoder();

function defaults(secret: Secret): void {
  secret.type ||= "Opaque";
  const given = secret.stringData;
  if (!given) return;
  delete secret.stringData;
  const folded: Record<string, string> = Object.create(null);
  for (const key of Object.keys(secret.data ?? {})) folded[key] = secret.data?.[key] as string;
  for (const key of Object.keys(given)) folded[key] = encoded(given[key] as string);
  if (Object.keys(folded).length > 0) secret.data = folded;
}

function encoded(text: string): string {
  let binary = "";
  for (const byte of utf8.encode(text)) binary += String.fromCharCode(byte);
  return btoa(binary);
}

const REDACTED = "<secret contents redacted>";
const SERVICE_ACCOUNT_NAME = "kubernetes.io/service-account.name";

/** What must be there for each type; of `oneOf` one is enough. */
const NEEDS: Readonly<Record<string, { all?: string[]; oneOf?: string[]; json?: string }>> = {
  "kubernetes.io/dockercfg": { all: [".dockercfg"], json: ".dockercfg" },
  "kubernetes.io/dockerconfigjson": { all: [".dockerconfigjson"], json: ".dockerconfigjson" },
  "kubernetes.io/basic-auth": { oneOf: ["username", "password"] },
  "kubernetes.io/ssh-auth": { all: ["ssh-privatekey"] },
  "kubernetes.io/tls": { all: ["tls.crt", "tls.key"] },
};

function validate({ metadata, type = "", data = {} }: Secret): FieldError[] {
  const path = FieldPath.root("data");
  const errors: FieldError[] = [];
  let size = 0;
  for (const key of Object.keys(data)) {
    errors.push(...validateDataKey(path, key));
    size += decodedLength(data[key] as string);
  }
  if (size > MAX_DATA_BYTES) errors.push(tooLong(path, MAX_DATA_BYTES));

  if (type === "kubernetes.io/service-account-token" && !metadata.annotations?.[SERVICE_ACCOUNT_NAME]) {
    errors.push(required(FieldPath.root("metadata", "annotations").key(SERVICE_ACCOUNT_NAME)));
  }
  const needs = Object.hasOwn(NEEDS, type) ? NEEDS[type] : undefined;
  for (const key of needs?.all ?? []) {
    if (!Object.hasOwn(data, key)) errors.push(required(path.key(key)));
  }
  if (needs?.oneOf?.every((key) => !Object.hasOwn(data, key))) {
    errors.push(...needs.oneOf.map((key) => required(path.key(key))));
  }
  if (needs?.json !== undefined && Object.hasOwn(data, needs.json)) {
    const wrong = whyNotJSON(data[needs.json] as string);
    if (wrong) errors.push(invalidValue(path.key(needs.json), REDACTED, wrong));
  }
  return errors;
}

function whyNotJSON(base64: string): string | undefined {
  try {
    const value: unknown = JSON.parse(atob(base64));
    return typeof value === "object" ? undefined : "json: cannot unmarshal the value into an object";
  } catch {
    // The parser's message would quote the secret.
    return base64 === "" ? "unexpected end of JSON input" : "invalid JSON";
  }
}
