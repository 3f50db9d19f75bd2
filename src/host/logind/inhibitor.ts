/**
 * Keeps the machine from being shut down for as long as logind lets it be delayed. The lock is a file descriptor, which
 * Node cannot receive over a socket: a program of systemd's own holds it, for as long as what it runs reads from us.
 */
import { spawn } from "node:child_process";
import { systemPath } from "../command.ts";

export interface Inhibitor {
  /** Resolves when it is not held any more, whoever ended it. */
  readonly released: Promise<void>;
  release(): Promise<void>;
}

export interface InhibitorOptions {
  who: string;
  why: string;
}

const PROGRAM = "systemd-inhibit";
/** Says that it runs, which it does only with the lock held, and ends with this process at the latest. */
const HOLDER = ["sh", "-c", "echo held && exec cat"];

/** Resolves when the lock is held. Throws where it is not to be had. */
export function inhibitShutdown({ who, why }: InhibitorOptions): Promise<Inhibitor> {
  const arguments_ = ["--what=shutdown", "--mode=delay", `--who=${who}`, `--why=${why}`, ...HOLDER];
  const env = { ...process.env, PATH: systemPath(process.env), LC_ALL: "C" };
  const child = spawn(PROGRAM, arguments_, { env, stdio: ["pipe", "pipe", "pipe"] });
  const { promise, resolve, reject } = Promise.withResolvers<Inhibitor>();
  const said: Buffer[] = [];
  const released = new Promise<void>((gone) => {
    child.once("close", (code) => {
      reject(new Error(`${PROGRAM}: ${Buffer.concat(said).toString().trim() || `exit status ${code}`}`));
      gone();
    });
    child.once("error", (error) => {
      reject(error);
      gone();
    });
  });
  child.stdin.on("error", () => {});
  child.stderr.on("data", (bytes: Buffer) => said.push(bytes));
  child.stdout.once("data", () =>
    resolve({
      released,
      async release() {
        child.stdin.end();
        await released;
      },
    }),
  );
  return promise;
}
