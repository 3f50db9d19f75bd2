import { isObject, type JsonObject, put } from "../json/json-object.ts";
import { jsonTypeOf } from "../json/json-type.ts";
import { badRequest } from "../status/status-error.ts";

/**
 * JSON merge patch (RFC 7386): the document with what `patch` says; null removes. Neither argument is changed; the
 * result shares with both what it can.
 */
export function mergePatch(document: JsonObject, patch: unknown): JsonObject {
  if (!isObject(patch)) {
    throw badRequest(
      `json: cannot unmarshal ${jsonTypeOf(patch)} into Go value of type map[string]interface {}`,
    );
  }
  return merged(document, patch);
}

function merged(target: unknown, patch: JsonObject): JsonObject {
  const result: JsonObject = isObject(target) ? { ...target } : {};
  for (const key of Object.keys(patch)) {
    const value = patch[key];
    if (value === null) delete result[key];
    else if (isObject(value)) {
      put(result, key, merged(Object.hasOwn(result, key) ? result[key] : undefined, value));
    } else put(result, key, value);
  }
  return result;
}
