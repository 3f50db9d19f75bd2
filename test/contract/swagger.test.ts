/**
 * Every path and verb of the stable API that the reference's OpenAPI names comes from the declarations, and nothing
 * more: what kind it is about, and what it answers.
 */
import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import test from "node:test";
import { resources } from "../../src/api/index.ts";
import { apiVersionOf } from "../../src/api/object.ts";
import { schemas } from "../../src/api/schema/schemas.ts";
import { operationsIn } from "../../src/apiserver/openapi/documents.ts";

const ORACLE = new URL("../../../shared/reference/swagger.json", import.meta.url);
const skip = existsSync(ORACLE) ? false : "the reference data is not beside the checkout";

interface Operation {
  "x-kubernetes-action"?: string;
  "x-kubernetes-group-version-kind"?: { group: string; version: string; kind: string };
  responses: Record<string, { schema?: { $ref?: string } }>;
}
interface Swagger {
  paths: Record<string, Record<string, Operation>>;
}

const METHODS = ["delete", "get", "head", "options", "patch", "post", "put"];

/** Paths of the reference that the declarations do not give, with the reason. */
const NOT_DECLARED: Readonly<Record<string, string>> = {
  "/logs/": "a machine's log files are not read through the API server",
  "/logs/{logpath}": "a machine's log files are not read through the API server",
  "/.well-known/openid-configuration/": "served by apiserver/paths.ts, but in no document",
  "/openid/v1/jwks/": "served by apiserver/paths.ts, but in no document",
  "/apis/internal.apiserver.k8s.io/": "the group has no stable version",
  "/apis/storagemigration.k8s.io/": "the group has no stable version",
};

/** Paths that Kybern documents and the reference does not, with the reason. */
const ONLY_HERE: Readonly<Record<string, string>> = {};

/** `/apis/apps/v1/…` and its like are of a stable group version: v1, or v2 of autoscaling. */
function isStable(path: string): boolean {
  const [, root, group, version] = path.split("/");
  if (root !== "apis" || version === undefined || version === "") return true;
  return version === "v1" || (group === "autoscaling" && version === "v2");
}

/** Group, version and kind as `apps/v1 Deployment`; the answer's kind is the last part of its schema's name. */
function described(operation: Operation): string {
  const action = operation["x-kubernetes-action"] ?? "";
  const about = operation["x-kubernetes-group-version-kind"];
  const kind = about ? ` ${apiVersionOf(about)} ${about.kind}` : "";
  const answer = operation.responses["200"]?.schema?.$ref?.split(".").at(-1);
  return `${action}${kind}${answer ? ` -> ${answer}` : ""}`;
}

function expected(): Map<string, string> {
  const { paths } = JSON.parse(readFileSync(ORACLE, "utf8")) as Swagger;
  const found = new Map<string, string>();
  for (const [path, item] of Object.entries(paths)) {
    if (!isStable(path)) continue;
    for (const method of METHODS) {
      const operation = Object.hasOwn(item, method) ? item[method] : undefined;
      if (operation) found.set(`${method} ${path}`, described(operation));
    }
  }
  return found;
}

function served(): Map<string, string> {
  const found = new Map<string, string>();
  for (const { path, method, action = "", kind, answers } of operationsIn({
    resources,
    schemas,
    version: "v1.36.2",
  })) {
    if (!isStable(path)) continue;
    const shape = answers[200];
    const answer = typeof shape === "object" ? shape.definition.split(".").at(-1) : undefined;
    const about = kind ? ` ${apiVersionOf(kind)} ${kind.kind}` : "";
    found.set(`${method} ${path}`, `${action}${about}${answer ? ` -> ${answer}` : ""}`);
  }
  return found;
}

test("every path and verb of the stable API is declared, with its kind and answer", { skip }, () => {
  const wanted = expected();
  const here = served();
  assert.ok(wanted.size > 800, `${wanted.size} operations`);
  const wrong: string[] = [];
  for (const [operation, what] of wanted) {
    const path = operation.slice(operation.indexOf(" ") + 1);
    const own = here.get(operation);
    if (Object.hasOwn(NOT_DECLARED, path)) {
      if (own !== undefined) wrong.push(`${operation} is declared, and listed as not declared`);
    } else if (own !== what) wrong.push(`${operation}: ${own ?? "missing"}, not ${what}`);
  }
  for (const [operation, what] of here) {
    const path = operation.slice(operation.indexOf(" ") + 1);
    if (!wanted.has(operation) && !Object.hasOwn(ONLY_HERE, path))
      wrong.push(`${operation}: ${what} is extra`);
  }
  assert.deepEqual(wrong, []);
});
