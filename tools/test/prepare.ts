/**
 * Installs what some tests need from the system, on a machine that exists only to run them: as root, under CI=true, by
 * apt-get. Anywhere else it does nothing, and those tests skip, saying what they miss.
 */
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";

/** A program that tests start (by its name, or its path where it is on no PATH), and the Debian package of it. */
const NEEDED = [
  { program: "etcd", debian: "etcd-server", use: "the store's contract on a real etcd" },
  { program: "containerd", debian: "containerd", use: "the node on a real container runtime" },
  { program: "runc", debian: "runc", use: "real containers" },
  { program: "/usr/lib/cni/bridge", debian: "containernetworking-plugins", use: "the network of pods" },
  { program: "nft", debian: "nftables", use: "Services and network policies in the kernel" },
  { program: "ip", debian: "iproute2", use: "network namespaces" },
  { program: "conntrack", debian: "conntrack", use: "Services over UDP" },
  { program: "busybox", debian: "busybox-static", use: "images for containers" },
  { program: "socat", debian: "socat", use: "servers in containers" },
  { program: "dbus-daemon", debian: "dbus", use: "what nodes do before their machine is shut down" },
  { program: "h2load", debian: "nghttp2-client", use: "HTTP/2 load from a client that is not Node" },
];

function isInstalled(program: string): boolean {
  const folders = `${process.env.PATH ?? ""}${delimiter}/usr/sbin${delimiter}/sbin`.split(delimiter);
  return program.startsWith("/")
    ? existsSync(program)
    : folders.some((folder) => folder !== "" && existsSync(join(folder, program)));
}

function apt(...args: string[]): boolean {
  const { status } = spawnSync("apt-get", args, {
    stdio: ["ignore", "ignore", "inherit"],
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    timeout: 180_000,
  });
  return status === 0;
}

export function prepare(): void {
  const missing = NEEDED.filter(({ program }) => !isInstalled(program));
  if (missing.length === 0) return;
  if (process.env.CI !== "true" || process.getuid?.() !== 0 || !isInstalled("apt-get")) {
    for (const { program, debian, use } of missing) {
      console.log(`${program} is not installed (Debian: ${debian}): tests of ${use} will skip.`);
    }
    return;
  }
  const packages = missing.map(({ debian }) => debian);
  console.log(`Installing for the tests: ${packages.join(", ")}`);
  const install = ["install", "--yes", "--no-install-recommends", ...packages];
  if (!apt("update") || !apt(...install)) {
    console.log("apt-get could not install them: the tests that need them will skip.");
  }
}
