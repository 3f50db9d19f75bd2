/** The query parameters of writes and deletes, checked as upstream checks them. */
import type { DeleteRequest } from "../../api/ports.ts";
import { type FieldError, invalid, invalidValue, notSupported } from "../../machinery/field/field-error.ts";
import { FieldPath } from "../../machinery/field/path.ts";
import { isBelow } from "../../machinery/json/exact-integer.ts";
import { validateFieldManager } from "../../machinery/meta/validation.ts";
import { decodeObject } from "../../machinery/schema/codec.ts";
import { badRequest } from "../../machinery/status/status-error.ts";
import type { Registry } from "../registry/registry.ts";
import type { ApiRequest } from "./api-request.ts";
import { bodyFormat } from "./negotiate.ts";

export type FieldValidation = "Ignore" | "Warn" | "Strict";

export interface WriteParameters {
  dryRun: boolean;
  manager: string;
  fieldValidation: FieldValidation;
}

/** Body sizes: upstream's 3 MiB for objects. */
export const BODY_LIMIT = 3 * 1024 * 1024;
const MANAGER_LIMIT = 128;
const FIELD_VALIDATIONS = ["", "Ignore", "Strict", "Warn"];

function dryRunErrors(values: readonly string[]): FieldError[] {
  if (values.every((value) => value === "All")) return [];
  return [notSupported(FieldPath.root("dryRun"), values, ["All"])];
}

export function writeParameters(request: ApiRequest, optionsKind: string): WriteParameters {
  const { query } = request;
  const errors: FieldError[] = [];
  const dryRuns = query.getAll("dryRun");
  const manager = query.get("fieldManager") ?? "";
  if (manager !== "") errors.push(...validateFieldManager(manager, FieldPath.root("fieldManager")));
  errors.push(...dryRunErrors(dryRuns));
  const fieldValidation = query.get("fieldValidation") ?? "";
  if (!FIELD_VALIDATIONS.includes(fieldValidation)) {
    errors.push(notSupported(FieldPath.root("fieldValidation"), fieldValidation, FIELD_VALIDATIONS));
  }
  if (errors.length > 0) throw invalid({ group: "meta.k8s.io", kind: optionsKind }, "", errors);
  return {
    dryRun: dryRuns.length > 0,
    manager: manager || managerOf(request.exchange.header("user-agent")),
    fieldValidation: (fieldValidation || "Warn") as FieldValidation,
  };
}

/** The part of a User-Agent before the first slash, as upstream names managers that do not name themselves. */
function managerOf(userAgent: string | undefined): string {
  const name = (userAgent ?? "").split("/", 1)[0]!;
  return name.slice(0, MANAGER_LIMIT) || "unknown";
}

interface DeleteOptions {
  gracePeriodSeconds?: number;
  preconditions?: { uid?: string; resourceVersion?: string };
  orphanDependents?: boolean;
  propagationPolicy?: string;
  dryRun?: string[];
}

/** DeleteOptions from the body, or where there is none from the query. */
export async function deleteOptions(registry: Registry, request: ApiRequest): Promise<DeleteRequest> {
  const body = await request.exchange.body(BODY_LIMIT);
  const options: DeleteOptions =
    body.length > 0 ? optionsFromBody(registry, request, body) : optionsFromQuery(request.query);
  const errors: FieldError[] = [];
  const { gracePeriodSeconds, propagationPolicy, orphanDependents, dryRun = [] } = options;
  if (propagationPolicy !== undefined && orphanDependents !== undefined) {
    errors.push(
      invalidValue(
        FieldPath.root("propagationPolicy"),
        propagationPolicy,
        "orphanDependents and deletionPropagation cannot be both set",
      ),
    );
  }
  if (
    propagationPolicy !== undefined &&
    !["Orphan", "Background", "Foreground"].includes(propagationPolicy)
  ) {
    const supported = ["Foreground", "Background", "Orphan", "nil"];
    errors.push(notSupported(FieldPath.root("propagationPolicy"), propagationPolicy, supported));
  }
  errors.push(...dryRunErrors(dryRun));
  if (errors.length > 0) throw invalid({ group: "meta.k8s.io", kind: "DeleteOptions" }, "", errors);
  const orphan = orphanDependents === undefined ? undefined : orphanDependents ? "Orphan" : "Background";
  return {
    gracePeriodSeconds:
      gracePeriodSeconds !== undefined && isBelow(gracePeriodSeconds, 0) ? 1 : gracePeriodSeconds,
    preconditions: options.preconditions,
    propagationPolicy: (propagationPolicy ?? orphan) as DeleteRequest["propagationPolicy"],
    dryRun: dryRun.length > 0 || request.query.getAll("dryRun").includes("All"),
  };
}

function optionsFromBody(registry: Registry, request: ApiRequest, body: Uint8Array): DeleteOptions {
  const format = bodyFormat(request.exchange.header("content-type"));
  const { object, kind } = decodeObject(registry.schemas, "meta.v1.DeleteOptions", body, format, {
    strict: false,
  });
  if (kind !== "" && kind !== "DeleteOptions") {
    throw badRequest(`decoded object cannot be converted to DeleteOptions: the body is a ${kind}`);
  }
  return object as DeleteOptions;
}

function optionsFromQuery(query: URLSearchParams): DeleteOptions {
  const options: DeleteOptions = {};
  const grace = query.get("gracePeriodSeconds");
  if (grace !== null) {
    if (!/^-?[0-9]{1,18}$/.test(grace)) {
      throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(grace)}: invalid syntax`);
    }
    options.gracePeriodSeconds = Number(grace);
  }
  const policy = query.get("propagationPolicy");
  if (policy !== null) options.propagationPolicy = policy;
  const orphan = query.get("orphanDependents");
  if (orphan !== null) options.orphanDependents = orphan === "true" || orphan === "1";
  options.dryRun = query.getAll("dryRun");
  return options;
}
