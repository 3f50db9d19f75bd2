/** What tests on real containers need of the machine. */
import { existsSync } from "node:fs";

/** Why they cannot run here; false where they can. For the option `skip` of a test. */
export const cannotRunContainers: string | false =
  process.platform !== "linux"
    ? "containers run on Linux alone"
    : process.getuid?.() !== 0
      ? "containers are started by root"
      : (missing() ?? false);

function missing(): string | undefined {
  const programs = ["containerd", "runc", "nft", "ip", "busybox"].filter(
    (program) =>
      !["/usr/bin", "/usr/sbin", "/bin", "/sbin", "/usr/local/bin", "/usr/local/sbin"].some((directory) =>
        existsSync(`${directory}/${program}`),
      ),
  );
  return programs.length === 0 ? undefined : `not installed: ${programs.join(", ")}`;
}

/** The reference CNI plugins. */
export const CNI_PLUGINS =
  ["/usr/lib/cni", "/opt/cni/bin"].find((directory) => existsSync(`${directory}/bridge`)) ?? "/opt/cni/bin";
