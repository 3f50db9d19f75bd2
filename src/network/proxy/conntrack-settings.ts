/** How many connections the kernel follows and for how long, as upstream's kube-proxy sets it for a node by default. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import { openSysctls, type Sysctls } from "../../host/links/sysctls.ts";

const CONNECTIONS_PER_CPU = 32_768;
const FEWEST_CONNECTIONS = 131_072;
/** Seconds without a packet. */
const ESTABLISHED = 24 * 60 * 60;
const CLOSE_WAIT = 60 * 60;

const recordIn = (runDir: string): string => join(runDir, "proxy-sysctls.json");

/** The settings of this network namespace; what they were is kept below `runDir`. */
export function proxySysctls(runDir: string): Sysctls {
  return openSysctls(recordIn(runDir));
}

/**
 * Raises what is lower. A network namespace other than the machine's has timeouts of its own, but may not change how
 * many connections there are; tells the names of what the kernel refused.
 */
export async function raiseConntrackSettings(sysctls: Sysctls, cpus: number): Promise<string[]> {
  const refused: string[] = [];
  for (const [name, least] of [
    ["nf_conntrack_max", Math.max(CONNECTIONS_PER_CPU * cpus, FEWEST_CONNECTIONS)],
    ["nf_conntrack_tcp_timeout_established", ESTABLISHED],
    ["nf_conntrack_tcp_timeout_close_wait", CLOSE_WAIT],
  ] as const) {
    const path = ["net", "netfilter", name];
    const now = await sysctls.read(path);
    if (now === undefined || Number(now) >= least) continue;
    await sysctls.set(path, String(least)).catch(() => refused.push(name));
  }
  return refused;
}

/** Puts back what was before; any number of times. */
export async function restoreProxySysctls(runDir: string): Promise<void> {
  await proxySysctls(runDir).restore();
  await rm(recordIn(runDir), { force: true });
}
