/** A verb of the command line as a value: help and parsing come from it, and a test runs it without a process. */

export interface Flag {
  /** As commander writes it: `--secure-port <port>`, or `--yes` for one that is "true" where it is given. */
  syntax: string;
  summary: string;
  default?: string;
  /** Its value is a path: one that is kept for the times after must lead there from any directory. */
  isPath?: true;
}

/** What stands behind the verb without a dash. */
export interface Argument {
  /** As commander writes it: `<name>`, `[name]` where it may be left out, `[names...]` for any number at the end. */
  syntax: string;
  summary: string;
}

export interface Verb<Run> {
  name: string;
  summary: string;
  arguments?: readonly Argument[];
  flags: readonly Flag[];
  examples: readonly (readonly [what: string, command: string])[];
  /** Whether what looks like a flag and is none of the verb's is an argument: it is another program's. */
  passesOn?: boolean;
  /**
   * `flags` by their names in camel case, and `given` in the order of `arguments`, as texts; throws UsageError where
   * they are wrong.
   */
  parse(flags: Readonly<Record<string, string | undefined>>, given: readonly (string | undefined)[]): Run;
}

/** What the person at the command line did wrong, in one sentence that says what to do next. */
export class UsageError extends Error {}

export function portNumber(text: string, flag: string): number {
  const port = Number(text);
  if (!/^[0-9]{1,5}$/.test(text) || port > 65535) {
    throw new UsageError(`${flag} must be a port number from 0 to 65535, not ${JSON.stringify(text)}.`);
  }
  return port;
}
