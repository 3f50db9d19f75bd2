/** What is mounted, as /proc/<pid>/mountinfo tells it. */

export interface MountEntry {
  id: number;
  parentID: number;
  /** Of the file system, as stat's `dev` tells it: major * 256 + minor where both are small. */
  device: string;
  /** What of the file system is mounted. */
  root: string;
  target: string;
  options: readonly string[];
  /** `shared:7`, `master:2` … */
  propagation: readonly string[];
  type: string;
  source: string;
  superOptions: readonly string[];
}

export function parseMountInfo(text: string): MountEntry[] {
  const entries: MountEntry[] = [];
  for (const line of text.split("\n")) {
    const fields = line.split(" ");
    const dash = fields.indexOf("-", 6);
    if (dash < 0) continue;
    const [id = "", parentID = "", device = "", root = "", target = "", options = ""] = fields;
    entries.push({
      id: Number(id),
      parentID: Number(parentID),
      device,
      root: unescaped(root),
      target: unescaped(target),
      options: options.split(","),
      propagation: fields.slice(6, dash),
      type: fields[dash + 1] ?? "",
      source: unescaped(fields[dash + 2] ?? ""),
      superOptions: (fields[dash + 3] ?? "").split(","),
    });
  }
  return entries;
}

/** Those at the path or below, the deepest and latest first: the order in which to unmount. */
export function mountsBelow(entries: readonly MountEntry[], path: string): MountEntry[] {
  const inside = path.endsWith("/") ? path : `${path}/`;
  return entries.filter(({ target }) => target === path || target.startsWith(inside)).reverse();
}

/** Spaces and such are written as three octal digits. */
function unescaped(text: string): string {
  if (!text.includes("\\")) return text;
  return text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
}
