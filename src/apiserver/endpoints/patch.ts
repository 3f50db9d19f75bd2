/** PATCH in its four types, as a step from the object that stands there to the one that shall. */
import type { KubeObject } from "../../api/object.ts";
import { serverSideApply } from "../../machinery/apply/server-side-apply.ts";
import { forbiddenField, invalid, required } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { isDeeper } from "../../machinery/json/depth.ts";
import { JSONError, parseJSON, stringify } from "../../machinery/json/json.ts";
import type { JsonObject } from "../../machinery/json/json-object.ts";
import { jsonPatch } from "../../machinery/patch/json-patch.ts";
import { mergePatch } from "../../machinery/patch/merge-patch.ts";
import { strategicMergePatch } from "../../machinery/patch/strategic-merge-patch.ts";
import { badRequest, unsupportedMediaType } from "../../machinery/status/status-error.ts";
import { parseYAMLStrict } from "../../machinery/yaml/yaml.ts";
import type { Registry } from "../registry/registry.ts";
import type { ApiRequest } from "./api-request.ts";
import { type BodyKind, fromPatched } from "./decode-body.ts";
import { goText } from "./go-text.ts";
import { BODY_LIMIT, type WriteParameters } from "./parameters.ts";

const JSON_PATCH = "application/json-patch+json";
const MERGE_PATCH = "application/merge-patch+json";
const STRATEGIC_MERGE_PATCH = "application/strategic-merge-patch+json";
const APPLY_YAML = "application/apply-patch+yaml";
const APPLY_TYPES = [APPLY_YAML, "application/apply-patch"];

const SUPPORTED = [JSON_PATCH, MERGE_PATCH, STRATEGIC_MERGE_PATCH, APPLY_YAML];

const OPTIONS = { group: "meta.k8s.io", kind: "PatchOptions" };

export interface PatchStep {
  /** Server-side apply: creates what is missing, and tracks fields itself. */
  applies: boolean;
  /** From the object in the request's version (frozen) to a fresh one. */
  from(current: KubeObject | undefined): KubeObject;
}

export interface PatchTarget {
  body: BodyKind;
  subresource: string;
  resets: readonly string[];
  now: string;
}

export async function readPatch(
  registry: Registry,
  request: ApiRequest,
  target: PatchTarget,
  parameters: WriteParameters,
): Promise<PatchStep> {
  const type = (request.exchange.header("content-type") ?? "").split(";", 1)[0]!.trim().toLowerCase();
  if (!SUPPORTED.includes(type) && !APPLY_TYPES.includes(type)) throw unsupportedMediaType(SUPPORTED);
  const bytes = await request.exchange.body(BODY_LIMIT);
  const { query } = request;
  if (APPLY_TYPES.includes(type)) {
    if (!query.get("fieldManager")) {
      throw invalid(OPTIONS, "", [required(FieldPath.root("fieldManager"), "is required for apply patch")]);
    }
    return applyStep(registry, request, target, parameters, bytes);
  }
  if (query.has("force")) {
    const why = "may not be specified for non-apply patch";
    throw invalid(OPTIONS, "", [forbiddenField(FieldPath.root("force"), why)]);
  }
  const patch = parseBody(bytes);
  const { body } = target;
  const apply = (from: KubeObject): unknown => {
    const current = from as unknown as JsonObject;
    if (type === JSON_PATCH) return jsonPatch(current, patch);
    if (typeof patch !== "object" || patch === null || Array.isArray(patch)) {
      throw badRequest(
        "error decoding patch: json: cannot unmarshal into Go value of type map[string]interface {}",
      );
    }
    if (type === MERGE_PATCH) return mergePatch(current, patch);
    return strategicMergePatch(registry.schemas, body.definition, current, patch);
  };
  return {
    applies: false,
    from(current) {
      const patched = apply(current!);
      const shown = () => (type === STRATEGIC_MERGE_PATCH ? goText(patch) : stringify(patched));
      return fromPatched(registry, request, body, parameters.fieldValidation, patched, shown);
    },
  };
}

function parseBody(bytes: Uint8Array): unknown {
  try {
    const patch = parseJSON(bytes);
    if (isDeeper(patch)) throw new JSONError("exceeded max depth");
    return patch;
  } catch (error) {
    throw badRequest(`error decoding patch: ${(error as Error).message}`);
  }
}

function parseApplied(bytes: Uint8Array): { value: Partial<KubeObject>; duplicates: string[] } {
  let value: unknown;
  let duplicates: string[];
  try {
    ({ value, duplicates } = parseYAMLStrict(bytes));
  } catch (error) {
    throw badRequest(`error decoding YAML: ${(error as Error).message}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw badRequest("error decoding YAML: an applied configuration must be an object");
  }
  return { value, duplicates };
}

function reportDuplicates(
  request: ApiRequest,
  { fieldValidation }: WriteParameters,
  duplicates: readonly string[],
): void {
  if (duplicates.length === 0 || fieldValidation === "Ignore") return;
  const text = `yaml: unmarshal errors:\n  ${duplicates.join("\n  ")}`;
  if (fieldValidation === "Strict") throw badRequest(`error strict decoding YAML: ${text}`);
  request.warn(text);
}

function applyStep(
  registry: Registry,
  request: ApiRequest,
  { body, subresource, resets, now }: PatchTarget,
  parameters: WriteParameters,
  bytes: Uint8Array,
): PatchStep {
  const { value, duplicates } = parseApplied(bytes);
  if (!value.apiVersion || !value.kind)
    throw badRequest("apiVersion and kind must be set in an applied configuration");
  const force = request.query.get("force");
  return {
    applies: true,
    from: (current) => {
      const applied = serverSideApply({
        schemas: registry.schemas,
        id: body.definition,
        live: current,
        applied: value as JsonObject,
        manager: parameters.manager,
        force: force === "true" || force === "1" || force === "",
        apiVersion: body.apiVersion,
        subresource,
        time: now,
        resets,
        prepare: (merged) => fromPatched(registry, request, body, "Ignore", merged, () => stringify(merged)),
      });
      // Fields that the kind does not have failed above, whatever fieldValidation says.
      reportDuplicates(request, parameters, duplicates);
      return applied.object as unknown as KubeObject;
    },
  };
}
