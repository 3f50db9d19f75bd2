import type { RunCommand } from "../../../src/host/command.ts";
import type { Sysctls } from "../../../src/host/links/sysctls.ts";

/** Those of the network namespace in which `run` runs programs; they go with it, so nothing is to be restored. */
export function namespaceSysctls(run: RunCommand): Sysctls {
  return {
    read: async (name) => (await run("sysctl", ["-n", name.join("/")]).catch(() => undefined))?.trim(),
    set: async (name, value) => void (await run("sysctl", ["-qw", `${name.join("/")}=${value}`])),
    restore: async () => {},
  };
}
