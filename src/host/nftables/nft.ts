/** Runs the program nft: a batch is one transaction of the kernel, which takes it whole or not at all. */
import { CommandError, type RunCommand, runCommand } from "../command.ts";

/** A batch that was refused. `line` is what nft complains of, where it names one. */
export class NftError extends Error {
  readonly line: string | undefined;
  constructor(complaint: string, line: string | undefined, cause: unknown) {
    super(line === undefined ? complaint : `${complaint} (${line})`, { cause });
    this.name = "NftError";
    this.line = line;
  }
}

export interface Nft {
  /** Batches are taken one after the other, in the order of the calls. Throws NftError; nothing is changed then. */
  apply(batch: string): Promise<void>;
  /** Has the kernel look at a batch, and changes nothing. Throws NftError. */
  check(batch: string): Promise<void>;
  /** What `nft -j list …` prints. For tests and for people: a large table takes seconds. */
  list(...what: string[]): Promise<string>;
}

export interface NftOptions {
  run?: RunCommand;
  /** Before the arguments: `["ip", "netns", "exec", NAME, "nft"]` works in another network namespace. */
  command?: readonly string[];
}

/** The kernel takes seconds for batches of hundreds of thousands of elements. */
const TIMEOUT = 120_000;
const SHOWN = 160;

export function openNft({ run = runCommand, command = ["nft"] }: NftOptions = {}): Nft {
  const [program = "nft", ...before] = command;
  let last: Promise<unknown> = Promise.resolve();

  const nft = async (batch: string, ...flags: string[]): Promise<void> => {
    try {
      await run(program, [...before, ...flags, "-f", "-"], { input: batch, timeoutMs: TIMEOUT });
    } catch (error) {
      throw error instanceof CommandError && error.code !== undefined ? refusal(error, batch) : error;
    }
  };
  return {
    apply(batch) {
      const applied = last.then(() => nft(batch));
      last = applied.catch(() => {});
      return applied;
    },
    check: (batch) => nft(batch, "--check"),
    list: (...what) => run(program, [...before, "-j", "list", ...what], { timeoutMs: TIMEOUT }),
  };
}

/** nft begins with `/dev/stdin:LINE:COLUMNS: Error: …`, and then prints the whole line, however long. */
function refusal(error: CommandError, batch: string): NftError {
  const [first = ""] = error.stderr.trim().split("\n");
  const [place = "", ...rest] = first.split(" Error: ");
  const number = Number(place.split(":").at(-3));
  const line = rest.length > 0 && Number.isInteger(number) ? batch.split("\n")[number - 1] : undefined;
  const complaint = rest.length > 0 ? rest.join(" Error: ") : first || error.message;
  return new NftError(complaint, line && line.length > SHOWN ? `${line.slice(0, SHOWN)}…` : line, error);
}
