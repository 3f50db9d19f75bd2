/** Which controllers a list as in upstream's --controllers means. */
import type { Controller } from "./runtime/controller.ts";

export class UnknownController extends Error {}

/** `*`: all that are on by default; `name`: that one too; `-name`: not that one, which counts more than the others. */
export function chosenControllers(all: readonly Controller[], choice: readonly string[]): Controller[] {
  const known = new Set(all.map(({ name }) => name));
  for (const word of choice) {
    const name = word.startsWith("-") ? word.slice(1) : word;
    if (name !== "*" && !known.has(name)) throw new UnknownController(`there is no controller ${name}`);
  }
  return all.filter(({ name, offByDefault }) => {
    if (choice.includes(`-${name}`)) return false;
    return choice.includes(name) || (choice.includes("*") && !offByDefault);
  });
}
