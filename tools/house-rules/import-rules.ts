/** The import rules, as ARCHITECTURE.md states them: one line there is read here, so that the page cannot drift. */
import { textOf } from "./sources.ts";

const ORDER = /^`?(base ← .*?)`?$/m;

/** Folders of src by their layer, 0 the lowest. Folders of one layer do not know each other. */
export function readLayers(page = textOf("ARCHITECTURE.md")): Map<string, number> {
  const line = ORDER.exec(page)?.[1];
  if (line === undefined)
    throw new Error('ARCHITECTURE.md has no line "base ← …" with the order of the folders');
  const layers = new Map<string, number>();
  for (const [layer, names] of line.split("←").entries()) {
    for (const name of names.replace(/[{}\s]/g, "").split(",")) layers.set(name, layer);
  }
  return layers;
}

/** Folders of src in the table of ARCHITECTURE.md: rows that begin with | `src/NAME/` |. */
export function readFolderTable(page = textOf("ARCHITECTURE.md")): string[] {
  return [...page.matchAll(/^\| `src\/([\w-]+)\/` \|/gm)].map(([, name = ""]) => name);
}

/** The folder of src that a path lies in. */
export function folderOf(path: string): string {
  return path.split("/")[1] ?? "";
}

/** The groups of nodes that all reach each other. (Tarjan's algorithm.) */
export function findCycles(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const cycles: string[][] = [];
  const order = new Map<string, number>();
  const stack: string[] = [];
  const onStack = new Set<string>();

  function visit(node: string): number {
    const index = order.size;
    order.set(node, index);
    stack.push(node);
    onStack.add(node);
    let lowest = index;
    for (const next of graph.get(node) ?? []) {
      if (!order.has(next)) lowest = Math.min(lowest, visit(next));
      else if (onStack.has(next)) lowest = Math.min(lowest, order.get(next) ?? index);
    }
    if (lowest === index) {
      const part = stack.splice(stack.indexOf(node));
      for (const member of part) onStack.delete(member);
      if (part.length > 1) cycles.push(part.sort());
    }
    return lowest;
  }

  for (const node of graph.keys()) if (!order.has(node)) visit(node);
  return cycles;
}
