/** Reads the models of npm @kubernetes/client-node: names and types from its classes, the rest from their .d.ts. */
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";

export interface ModelField {
  /** As in JSON: `$ref`, not `ref`. */
  name: string;
  /** As in the tables of facts, with the names of models for definitions: `[V1Container]`. */
  type: string;
  required: boolean;
  doc: string;
}

export interface Model {
  /** `V1PodSpec`, `CoreV1Event`. */
  name: string;
  doc: string;
  fields: ModelField[];
}

interface Attribute {
  name: string;
  baseName: string;
  type: string;
  format: string;
}

function isModelClass(value: unknown): value is { name: string; attributeTypeMap: Attribute[] } {
  return (
    typeof value === "function" && Array.isArray((value as { attributeTypeMap?: unknown }).attributeTypeMap)
  );
}

const FORMATS: Readonly<Record<string, string>> = {
  int32: "int32",
  int64: "int64",
  double: "float64",
  byte: "bytes",
  "date-time": "Time",
  "date-time-micro": "MicroTime",
  "int-or-string": "IntOrString",
};

function typeOf(type: string, format: string): string {
  const list = /^Array<(.*)>$/.exec(type);
  if (list) return `[${typeOf(list[1]!, format)}]`;
  const map = /^\{ \[key: string\]: (.*); \}$/.exec(type);
  if (map) return `{${typeOf(map[1]!, format)}}`;
  return FORMATS[format] ?? type;
}

/** The documentation and the required mark of each member, and the class's documentation under "". */
function readDeclarations(text: string): Map<string, { doc: string; required: boolean }> {
  const declarations = new Map<string, { doc: string; required: boolean }>();
  const pattern =
    /(?:\/\*\*\n((?:(?!\*\/)[\s\S])*?)\*\/\n)?\s*(?:export declare class (\w+)|'([^']+)'(\??): )/g;
  for (const [, comment = "", className, member, optional] of text.matchAll(pattern)) {
    const doc = comment.replace(/^\s*\* ?/gm, "").trim();
    declarations.set(className === undefined ? member! : "", { doc, required: optional === "" });
  }
  return declarations;
}

export async function readModels(): Promise<Model[]> {
  const folder = join(
    dirname(createRequire(import.meta.url).resolve("@kubernetes/client-node")),
    "gen",
    "models",
  );
  const exported: Record<string, unknown> = await import(pathToFileURL(join(folder, "all.js")).href);
  const models: Model[] = [];
  for (const value of Object.values(exported)) {
    if (!isModelClass(value)) continue;
    const declarations = readDeclarations(readFileSync(join(folder, `${value.name}.d.ts`), "utf8"));
    models.push({
      name: value.name,
      doc: declarations.get("")?.doc ?? "",
      fields: value.attributeTypeMap.map((attribute) => {
        const declared = declarations.get(attribute.name);
        if (declared === undefined) throw new Error(`${value.name}.${attribute.name} is not declared`);
        return {
          name: attribute.baseName,
          type: typeOf(attribute.type, attribute.format),
          required: declared.required,
          doc: declared.doc,
        };
      }),
    });
  }
  return models.sort((a, b) => (a.name < b.name ? -1 : 1));
}
