/** What tests on real containers need of the machine. */
import { existsSync } from "node:fs";
import { delimiter } from "node:path";
import { systemPath } from "../../../src/host/command.ts";
import { cniDirectories } from "../../../src/host/machine/machine.ts";

/** Why they cannot run here; false where they can. For the option `skip` of a test. */
export const cannotRunContainers: string | false =
  process.platform !== "linux"
    ? "containers run on Linux alone"
    : process.getuid?.() !== 0
      ? "containers are started by root"
      : (missing() ?? false);

/** The same of tests with a message bus. */
export const cannotRunDBus: string | false = missing(["dbus-daemon"]) ?? false;

function missing(needed = ["containerd", "runc", "nft", "ip", "busybox"]): string | undefined {
  const programs = needed.filter(
    (program) =>
      !systemPath(process.env)
        .split(delimiter)
        .some((directory) => existsSync(`${directory}/${program}`)),
  );
  return programs.length === 0 ? undefined : `not installed: ${programs.join(", ")}`;
}

/** The reference CNI plugins. */
export const CNI_PLUGINS =
  cniDirectories().find((directory) => existsSync(`${directory}/bridge`)) ?? "/opt/cni/bin";
