import type { HostAlias } from "../../../api/schema/core.v1.generated.ts";
import type { PodHostname } from "./hostname.ts";

const LOCAL = `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::0\tip6-localnet
fe00::0\tip6-mcastprefix
fe00::1\tip6-allnodes
fe00::2\tip6-allrouters
`;

/** The text of /etc/hosts of a pod with a network of its own. */
export function hostsFile(
  { short, domain }: Pick<PodHostname, "short" | "domain">,
  podIPs: readonly string[],
  aliases: readonly HostAlias[] = [],
): string {
  let text = `# Kubernetes-managed hosts file.\n${LOCAL}`;
  for (const ip of podIPs)
    text += domain === "" ? `${ip}\t${short}\n` : `${ip}\t${short}.${domain}\t${short}\n`;
  return text + aliasLines(aliases);
}

/** That of a pod in the node's network: the node's own, and what the pod adds. */
export function hostNetworkHostsFile(ofNode: string, aliases: readonly HostAlias[] = []): string {
  return `# Kubernetes-managed hosts file (host network).\n${ofNode}${aliasLines(aliases)}`;
}

function aliasLines(aliases: readonly HostAlias[]): string {
  if (aliases.length === 0) return "";
  const lines = aliases.map(({ ip, hostnames = [] }) => `${ip}\t${hostnames.join("\t")}\n`);
  return `\n# Entries added by HostAliases.\n${lines.join("")}`;
}
