/** `kybern token`: by which machines join the cluster. */
import type { Layout } from "../../cluster/layout.ts";
import { DATA_DIR, layoutFromFlags } from "../data-dir.ts";
import { UsageError, type Verb } from "../verb.ts";

export interface TokenRun {
  layout: Layout;
  action: "create" | "list" | "delete";
  /** Tokens, or their ids, to delete. */
  subjects: string[];
  /** Seconds for which a new one holds; 0: for ever. */
  ttlSeconds: number;
  description: string | undefined;
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600, d: 86_400 };

export const tokenVerb: Verb<TokenRun> = {
  name: "token",
  summary: "Create, list and delete the tokens by which machines join this cluster",
  arguments: [
    { syntax: "<action>", summary: "create, list or delete" },
    { syntax: "[tokens...]", summary: "tokens, or what stands before their dots, to delete" },
  ],
  flags: [
    DATA_DIR,
    {
      syntax: "--ttl <duration>",
      summary: "how long a new one holds, as 30m or 24h; 0: for ever",
      default: "24h",
    },
    { syntax: "--description <text>", summary: "what a new one is for" },
  ],
  examples: [
    ["How another machine joins", "kybern token create"],
    ["What can still be used", "kybern token list"],
  ],
  parse(flags, [action, ...given]) {
    const subjects = given.filter((subject) => subject !== undefined);
    if (action !== "create" && action !== "list" && action !== "delete")
      throw new UsageError(`\`kybern token\` can create, list and delete, not ${JSON.stringify(action)}.`);
    if (action === "delete" && subjects.length === 0)
      throw new UsageError("`kybern token delete` needs the tokens: `kybern token list` shows them.");
    const layout = layoutFromFlags(flags);
    return { layout, action, subjects, ttlSeconds: seconds(flags.ttl ?? ""), description: flags.description };
  },
};

function seconds(text: string): number {
  if (text === "0") return 0;
  const [, number, unit = ""] = /^([0-9]{1,6})([smhd])$/.exec(text) ?? [];
  if (number === undefined)
    throw new UsageError(`--ttl must be a duration as 30m or 24h, not ${JSON.stringify(text)}.`);
  return Number(number) * (UNITS[unit] ?? 1);
}
