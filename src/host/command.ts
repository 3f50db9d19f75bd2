/** Runs the system's programs. */
import { spawn } from "node:child_process";

export interface CommandOptions {
  /** What it reads from its standard input. */
  input?: string | Uint8Array;
  /** Milliseconds after which it is killed; 30 seconds by default. */
  timeoutMs?: number;
  env?: NodeJS.ProcessEnv;
  cwd?: string;
  signal?: AbortSignal;
}

/** A program that did not end with 0, or could not be started (`code` undefined). */
export class CommandError extends Error {
  readonly code: number | undefined;
  readonly stderr: string;
  constructor(command: string, code: number | undefined, stderr: string, cause?: unknown) {
    super(`${command}: ${stderr.trim() || (code === undefined ? String(cause) : `exit status ${code}`)}`, {
      cause,
    });
    this.name = "CommandError";
    this.code = code;
    this.stderr = stderr;
  }
}

/** Its standard output. Throws CommandError. */
export type RunCommand = (
  command: string,
  arguments_: readonly string[],
  options?: CommandOptions,
) => Promise<string>;

/** Programs of the system are looked for here too: PATH of a user often lacks them. */
const SYSTEM_PATHS = ["/usr/local/sbin", "/usr/sbin", "/sbin"];

/** PATH with the directories of the system's programs, for a process that runs such programs itself. */
export function systemPath(env: NodeJS.ProcessEnv): string {
  return [env.PATH ?? "/usr/bin:/bin", ...SYSTEM_PATHS].join(":");
}

export const runCommand: RunCommand = (command, arguments_, options = {}) => {
  const { input = "", timeoutMs = 30_000, env = process.env, cwd, signal } = options;
  const PATH = systemPath(env);
  return new Promise((resolve, reject) => {
    const child = spawn(command, arguments_, {
      env: { ...env, PATH, LC_ALL: "C" },
      cwd,
      signal,
      timeout: timeoutMs,
      killSignal: "SIGKILL",
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    child.on("error", (cause) =>
      reject(new CommandError(command, undefined, Buffer.concat(err).toString(), cause)),
    );
    child.on("close", (code, killed) => {
      const text = Buffer.concat(err).toString();
      if (code === 0) resolve(Buffer.concat(out).toString());
      else if (killed) reject(new CommandError(command, undefined, text, `killed by ${killed}`));
      else reject(new CommandError(command, code ?? undefined, text));
    });
    // A program that reads nothing closes its end early, and says why by its exit status.
    child.stdin.on("error", () => {});
    child.stdin.end(input);
  });
};
