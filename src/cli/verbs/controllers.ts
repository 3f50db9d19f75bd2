/** `kybern controllers`: what reconciles a cluster. */
import type { Verb } from "../verb.ts";

export type ControllersRun = Record<string, never>;

export const controllersVerb: Verb<ControllersRun> = {
  name: "controllers",
  summary: "List every controller, and whether it runs by default",
  flags: [],
  examples: [
    ["See them all", "kybern controllers"],
    ["Run without one of them", "kybern server --controllers=*,-cronjob-controller"],
  ],
  parse: () => ({}),
};

/** A line a controller, in columns. */
export function controllersTable(
  controllers: readonly { name: string; account: string; offByDefault?: boolean }[],
): string {
  const rows = controllers
    .map(({ name, account, offByDefault }) => [name, offByDefault ? "off" : "on", account])
    .sort(([a = ""], [b = ""]) => (a < b ? -1 : 1));
  const table = [["NAME", "DEFAULT", "SERVICE ACCOUNT"], ...rows];
  const width = (column: number): number => Math.max(...table.map((row) => row[column]!.length)) + 3;
  const [first, second] = [width(0), width(1)];
  return table
    .map(([name, on, account]) => `${name!.padEnd(first)}${on!.padEnd(second)}${account}\n`)
    .join("");
}
