/** `kybern logs`: what the program, or its containerd, said. */
import type { Layout } from "../../cluster/layout.ts";
import { DATA_DIR, layoutFromFlags } from "../data-dir.ts";
import { UsageError, type Verb } from "../verb.ts";

export interface LogsRun {
  path: string;
  follow: boolean;
  /** Lines from the end; undefined: all. */
  tail: number | undefined;
}

const FILES: Readonly<Record<string, (layout: Layout) => string>> = {
  kybern: ({ log }) => log,
  containerd: ({ containerd }) => containerd.log,
};

export const logsVerb: Verb<LogsRun> = {
  name: "logs",
  summary: "Show the log of the program, with all components in it, or of its containerd",
  arguments: [{ syntax: "[component]", summary: `${Object.keys(FILES).join(" or ")}; by default kybern` }],
  flags: [
    DATA_DIR,
    { syntax: "-f, --follow", summary: "go on with what comes" },
    { syntax: "--tail <lines>", summary: "only so many lines from the end" },
  ],
  examples: [["Follow it", "kybern logs -f --tail 20"]],
  parse(flags, [component = "kybern"]) {
    const file = Object.hasOwn(FILES, component) ? FILES[component] : undefined;
    if (!file)
      throw new UsageError(`there are logs of ${Object.keys(FILES).join(" and ")}, not of ${component}.`);
    const { tail } = flags;
    if (tail !== undefined && !/^[0-9]{1,9}$/.test(tail))
      throw new UsageError(`--tail must be a number of lines, not ${JSON.stringify(tail)}.`);
    return {
      path: file(layoutFromFlags(flags)),
      follow: flags.follow === "true",
      tail: tail === undefined ? undefined : Number(tail),
    };
  },
};
