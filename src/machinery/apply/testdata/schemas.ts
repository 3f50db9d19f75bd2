/** A small kind with every sort of field, for the tests of this folder. */
import type { Definition, Field, Schemas } from "../../schema/schema.ts";

let number = 0;
const field = (name: string, type: Field["type"], more: Partial<Field> = {}): Field => ({
  name,
  type,
  number: ++number,
  ...more,
});

const definitions: readonly Definition[] = [
  {
    id: "Thing",
    fields: [
      field("apiVersion", "string"),
      field("kind", "string"),
      field("metadata", { ref: "Meta" }),
      field("spec", { ref: "Spec" }),
      field("status", { ref: "Status" }),
      field("data", { map: "string" }),
    ],
  },
  {
    id: "Meta",
    fields: [
      field("annotations", { map: "string" }),
      field("finalizers", { list: "string" }, { listType: "set" }),
      field("labels", { map: "string" }),
      field("managedFields", "any"),
      field("name", "string"),
      field("namespace", "string"),
      field("ownerReferences", { list: { ref: "Owner" } }, { listType: "map", listMapKeys: ["uid"] }),
      field("resourceVersion", "string"),
      field("uid", "string"),
    ],
  },
  { id: "Owner", mapType: "atomic", fields: [field("uid", "string"), field("name", "string")] },
  {
    id: "Spec",
    fields: [
      field("args", { list: "string" }),
      field("containers", { list: { ref: "Container" } }, { required: true, listType: "map", listMapKeys: ["name"] }),
      field("paused", "boolean", { required: true }),
      field("replicas", "int32"),
      field("rolling", { ref: "Rolling" }),
      field("selector", { map: "string" }, { mapType: "atomic" }),
    ],
  },
  {
    id: "Container",
    fields: [
      field("image", "string"),
      field("name", "string"),
      field("ports", { list: { ref: "Port" } }, { listType: "map", listMapKeys: ["port", "protocol"] }),
      field("resources", { ref: "Resources" }),
    ],
  },
  { id: "Port", fields: [field("name", "string"), field("port", "int32"), field("protocol", "string", { default: "TCP" })] },
  { id: "Resources", fields: [field("limits", { map: "Quantity" })] },
  { id: "Rolling", fields: [field("maxSurge", "IntOrString"), field("partition", "int32")] },
  { id: "Status", fields: [field("ready", "int32")] },
  {
    id: "Custom",
    fields: [
      { name: "apiVersion", type: "string" },
      { name: "kind", type: "string" },
      { name: "metadata", type: { ref: "Meta" } },
      { name: "spec", type: "any" },
    ],
  },
];

export const schemas: Schemas = {
  definition(id) {
    const found = definitions.find((d) => d.id === id);
    if (!found) throw new Error(`no definition ${id}`);
    return found;
  },
};
