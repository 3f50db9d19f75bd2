/** The built-in definitions by id, expanded from the generated text as they are asked for. */
import type { Definition, Schemas } from "../../machinery/schema/schema.ts";
import { parseDefinition } from "./definition-text.ts";
import { blocks } from "./definitions.generated.ts";

const expanded = new Map<string, Definition>();
/** For each block that was asked for, the line of each of its definitions. */
const lines = new Map<string, Map<string, string>>();

function linesOf(block: string): Map<string, string> | undefined {
  let found = lines.get(block);
  if (found === undefined && Object.hasOwn(blocks, block)) {
    found = new Map();
    for (const line of blocks[block]!.text.split("\n")) found.set(/^\w+/.exec(line)?.[0] ?? "", line);
    found.delete("");
    lines.set(block, found);
  }
  return found;
}

function kindsOf(block: string): (mark: string, kind: string) => NonNullable<Definition["kinds"]> {
  return (mark, kind) => {
    if (mark === "*") return deletableGroupVersions().map((groupVersion) => ({ ...groupVersion, kind }));
    if (mark === "") return [{ ...groupVersionOf(block), kind }];
    const slash = mark.indexOf("/");
    return [{ group: mark.slice(0, Math.max(slash, 0)), version: mark.slice(slash + 1), kind }];
  };
}

function groupVersionOf(block: string): { group: string; version: string } {
  return { group: blocks[block]?.group ?? "", version: block.slice(block.indexOf(".") + 1) };
}

/** Those in which DeleteOptions and WatchEvent are known, by group and version. */
function deletableGroupVersions(): { group: string; version: string }[] {
  const compare = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0);
  return Object.keys(blocks)
    .filter((block) => blocks[block]!.deletable)
    .map(groupVersionOf)
    .sort((a, b) => compare(a.group, b.group) || compare(a.version, b.version));
}

/** The definition, or undefined where the id is not of a built-in one. */
export function findDefinition(id: string): Definition | undefined {
  let definition = expanded.get(id);
  if (definition === undefined) {
    const dot = id.lastIndexOf(".");
    const block = id.slice(0, Math.max(dot, 0));
    const line = linesOf(block)?.get(id.slice(dot + 1));
    if (line === undefined) return undefined;
    definition = parseDefinition(line, block, kindsOf(block));
    expanded.set(id, definition);
  }
  return definition;
}

export const schemas: Schemas = {
  definition(id) {
    const definition = findDefinition(id);
    if (definition === undefined) throw new Error(`no definition ${id}`);
    return definition;
  },
};

/** Every id; `served` leaves out the group versions that no server serves any more. */
export function definitionIds(options?: { served?: boolean }): string[] {
  const ids: string[] = [];
  for (const block of Object.keys(blocks)) {
    if (options?.served && blocks[block]!.unserved) continue;
    for (const kind of linesOf(block)!.keys()) ids.push(`${block}.${kind}`);
  }
  return ids;
}
