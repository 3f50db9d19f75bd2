/** Installs packages of Debian and those that derive from it. */
import { type RunCommand, runCommand } from "../command.ts";

const WITHIN = 10 * 60_000;

/** Throws CommandError where apt-get cannot. */
export async function installPackages(
  packages: readonly string[],
  run: RunCommand = runCommand,
): Promise<void> {
  const options = { timeoutMs: WITHIN, env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" } };
  const install = ["install", "--yes", "--no-install-recommends", ...packages];
  try {
    await run("apt-get", install, options);
  } catch {
    // The lists of a fresh machine are missing or old.
    await run("apt-get", ["update"], options);
    await run("apt-get", install, options);
  }
}
