/** The flag by which every verb finds the cluster that it is about. */
import { resolve } from "node:path";
import { defaultDataDir, type Layout, layoutFault, layoutOf } from "../cluster/layout.ts";
import { type Flag, UsageError } from "./verb.ts";

export const DATA_DIR: Flag = {
  syntax: "--data-dir <directory>",
  summary: "where everything is kept",
  default: defaultDataDir(),
};

export function layoutFromFlags(flags: Readonly<Record<string, string | undefined>>): Layout {
  const layout = layoutOf(resolve(flags.dataDir ?? ""));
  const fault = layoutFault(layout);
  if (fault !== undefined) throw new UsageError(`--data-dir ${layout.dataDir} ${fault}.`);
  return layout;
}
