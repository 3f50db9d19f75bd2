/** The command line, made of the verbs. */
import { Command, Option } from "commander";
import type { Verb } from "./verb.ts";

export interface BoundVerb<Run> {
  verb: Verb<Run>;
  run(run: Run): Promise<void>;
}

export function bind<Run>(verb: Verb<Run>, run: (run: Run) => Promise<void>): BoundVerb<unknown> {
  return { verb, run } as BoundVerb<unknown>;
}

export function commandLine(version: string, verbs: readonly BoundVerb<unknown>[]): Command {
  const program = new Command("kybern").description("Kubernetes in one program").version(version);
  for (const { verb, run } of verbs) {
    const command = program.command(verb.name).description(verb.summary);
    command.showHelpAfterError(`\`kybern ${verb.name} --help\` tells what it takes.`);
    for (const { syntax, summary } of verb.arguments ?? []) command.argument(syntax, summary);
    for (const { syntax, summary, default: fallback } of verb.flags) {
      command.addOption(new Option(syntax, summary).default(fallback));
    }
    const examples = verb.examples.map(([what, line]) => `  # ${what}\n  ${line}`).join("\n");
    if (examples !== "") command.addHelpText("after", `\nExamples:\n${examples}`);
    if (verb.passesOn) command.allowUnknownOption().helpOption(false);
    // Commander gives the arguments first, of which the last may be a list, then the flags, then itself.
    command.action((...all: unknown[]) => {
      const given = (all.slice(0, -2) as (string | undefined | string[])[]).flat();
      return run(verb.parse(texts(all.at(-2) as Record<string, unknown>), given));
    });
  }
  return program;
}

/** A flag without a value, where it is given, is "true". */
function texts(flags: Readonly<Record<string, unknown>>): Record<string, string | undefined> {
  return Object.fromEntries(
    Object.entries(flags).map(([name, value]) => [name, value === undefined ? undefined : String(value)]),
  );
}
