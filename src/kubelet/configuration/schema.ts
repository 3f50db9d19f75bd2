/** The shape of the file, by which it is decoded as strictly as upstream does. */
import { schemas } from "../../api/schema/schemas.ts";
import type { Definition, Field, FieldType, Schemas } from "../../machinery/schema/schema.ts";
import { OTHER_FIELDS } from "./other-fields.ts";
import type { Setting } from "./setting.ts";
import { SETTINGS, SHUTDOWN_PRIORITY_ID } from "./settings.ts";

export const CONFIGURATION_ID = "kubelet.v1beta1.KubeletConfiguration";

const DEFINITIONS = new Map<string, { id: string; fields: Field[] }>();

function add(id: string, field: Field): void {
  const definition = DEFINITIONS.get(id) ?? { id, fields: [] };
  DEFINITIONS.set(id, definition);
  if (!definition.fields.some(({ name }) => name === field.name)) definition.fields.push(field);
}

/** `authentication.webhook.enabled` is a field of a struct of a struct. */
function addAt(path: string, type: FieldType): void {
  const names = path.split(".");
  let id = CONFIGURATION_ID;
  for (const name of names.slice(0, -1)) {
    const below = `${id}_${name}`;
    add(id, { name, type: { ref: below } });
    id = below;
  }
  // What is there and empty says something of a pointer in Go, and is told from what is not there.
  add(id, { name: names.at(-1)!, type, keptEmpty: true });
}

addAt("apiVersion", "string");
addAt("kind", "string");
for (const [name, { type }] of Object.entries<Setting<unknown>>(SETTINGS)) addAt(name, type);
for (const { path, type } of OTHER_FIELDS) addAt(path, type);
add(SHUTDOWN_PRIORITY_ID, { name: "priority", type: "int32" });
add(SHUTDOWN_PRIORITY_ID, { name: "shutdownGracePeriodSeconds", type: "int64" });

export const CONFIGURATION_SCHEMAS: Schemas = {
  definition: (id): Definition => DEFINITIONS.get(id) ?? schemas.definition(id),
};
