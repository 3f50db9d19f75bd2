/** Settings of the kernel that make the host a router between pods. */
import type { RunCommand } from "../../host/command.ts";
import type { Sysctls } from "../../host/links/sysctls.ts";

/**
 * Nothing here sets route_localnet: with it, others could reach what listens on 127.0.0.1 (CVE-2020-8558).
 */
export async function enableForwarding(
  run: RunCommand,
  sysctls: Sysctls,
  families: ReadonlySet<4 | 6>,
): Promise<void> {
  if (families.has(4)) await sysctls.set(["net", "ipv4", "ip_forward"], "1");
  if (!families.has(6)) return;
  for (const link of await announcedLinks(run)) {
    // A host that forwards ceases to listen to routers, and would lose its own way out: 2 means listen nevertheless.
    const name = ["net", "ipv6", "conf", link, "accept_ra"];
    if ((await sysctls.read(name)) === "1") await sysctls.set(name, "2");
  }
  await sysctls.set(["net", "ipv6", "conf", "all", "forwarding"], "1");
}

/** Links over which a router announced itself. */
async function announcedLinks(run: RunCommand): Promise<string[]> {
  const printed = await run("ip", ["-6", "-j", "route", "show", "default", "proto", "ra"]);
  const routes = JSON.parse(printed.trim() || "[]") as { dev?: string }[];
  return [...new Set(routes.flatMap(({ dev }) => dev ?? []))];
}

/** Packets between nodes and pods may come by another way than they go: a strict check of sources would drop them. */
export async function loosenSourceCheck(sysctls: Sysctls, link: string): Promise<void> {
  const name = ["net", "ipv4", "conf", link, "rp_filter"];
  const strict = [await sysctls.read(name), await sysctls.read(["net", "ipv4", "conf", "all", "rp_filter"])];
  if (strict.includes("1")) await sysctls.set(name, "2");
}
