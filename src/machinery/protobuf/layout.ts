/** How the fields of a definition lie in protobuf: JSON inlines what Go embeds, protobuf nests it. */
import type { Definition, Field } from "../schema/schema.ts";

export type Node = { number: number; field: Field } | { number: number; embedded: Node[] };

/** The fields of the message and of the messages embedded in it, by ascending number. */
export function layoutOf(definition: Definition): Node[] {
  const root: Node[] = [];
  for (const field of definition.fields) {
    if (field.number === undefined) continue;
    let level = root;
    for (const number of field.embedded ?? []) level = embeddedIn(level, number);
    level.push({ number: field.number, field });
  }
  return sorted(root);
}

function embeddedIn(level: Node[], number: number): Node[] {
  for (const node of level) if (node.number === number && "embedded" in node) return node.embedded;
  const embedded: Node[] = [];
  level.push({ number, embedded });
  return embedded;
}

function sorted(nodes: Node[]): Node[] {
  for (const node of nodes) if ("embedded" in node) sorted(node.embedded);
  return nodes.sort((a, b) => a.number - b.number);
}
