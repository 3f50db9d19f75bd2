/** The resolv.conf of pods that use the node's resolvers, and not the cluster's DNS first. */
import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isLoopback, parseIP } from "../../machinery/names/ip-address.ts";
import { parseResolvConf } from "./forward/resolv-conf.ts";

export interface PodResolvConfOptions {
  /** Of the host: `/etc/resolv.conf`. */
  resolvConf: string;
  /** What systemd-resolved forwards to, where it runs: `/run/systemd/resolve/resolv.conf`. */
  systemdResolvConf: string;
  clusterDNS: readonly string[];
  /** Where a file is made, where none of these can be used. */
  runDir: string;
}

/** A machine's own resolver at a loopback address is not there for pods. */
function leadsOut(text: string): boolean {
  return parseResolvConf(text).some((server) => {
    const ip = parseIP(server);
    return ip !== undefined && !isLoopback(ip);
  });
}

/**
 * The path for the kubelet. Where the host resolves by a program of its own alone, pods are sent to the cluster's DNS,
 * which runs on the host and asks that program for them.
 */
export async function podResolvConf(options: PodResolvConfOptions): Promise<string> {
  const { resolvConf, systemdResolvConf, clusterDNS, runDir } = options;
  const text = await readFile(resolvConf, "utf8").catch(() => "");
  if (leadsOut(text)) return resolvConf;
  const behind = await readFile(systemdResolvConf, "utf8").catch(() => "");
  if (leadsOut(behind)) return systemdResolvConf;
  const others = text.split("\n").filter((line) => /^\s*(?:search|domain|options)\s/.test(line));
  const path = join(runDir, "resolv.conf");
  await mkdir(runDir, { recursive: true, mode: 0o755 });
  await writeFile(path, [...clusterDNS.map((address) => `nameserver ${address}`), ...others, ""].join("\n"));
  return path;
}
