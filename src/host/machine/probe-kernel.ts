/** Tries what a node needs of the kernel, in a network namespace that is gone right after. */
import { readFile } from "node:fs/promises";
import type { RunCommand } from "../command.ts";

/** Whatever cannot be done is named on a line; modules that are not loaded yet are loaded by the attempt. */
const PROBE = `
ip link add probe0 type veth peer name probe1 2>/dev/null || echo veth
ip link add probe2 type vxlan id 1 dstport 8472 2>/dev/null || echo vxlan
nft -f - 2>/dev/null <<END || echo nf_tables
table inet probe {
  map targets {
    type inet_proto . inet_service : verdict
  }
  chain nat {
    type nat hook postrouting priority srcnat; policy accept;
    meta mark 1 masquerade
    meta l4proto . th dport vmap @targets
  }
  chain filter {
    type filter hook forward priority filter; policy accept;
    ct state established accept
    meta mark 2 reject
  }
}
END
`;

/** The features that are missing, by the names of the kernel's modules. What cannot be tried is not named. */
export async function probeKernel(run: RunCommand): Promise<string[]> {
  const [network, overlay] = await Promise.all([tryNetwork(run), hasOverlay(run)]);
  return overlay ? network : [...network, "overlay"];
}

async function tryNetwork(run: RunCommand): Promise<string[]> {
  try {
    return (await run("unshare", ["--net", "sh", "-c", PROBE])).split("\n").filter(Boolean);
  } catch {
    return ["network namespaces"];
  }
}

async function hasOverlay(run: RunCommand): Promise<boolean> {
  const known = async (): Promise<boolean> =>
    /\boverlay$/m.test(await readFile("/proc/filesystems", "utf8").catch(() => ""));
  if (await known()) return true;
  await run("modprobe", ["overlay"]).catch(() => {});
  return known();
}
