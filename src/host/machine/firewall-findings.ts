/**
 * A firewall of the machine that pods do not get through. What one table of the kernel drops no other can let in, so it is
 * named with what opens it, and opened by nobody but its owner.
 */
import { type RunCommand, runCommand } from "../command.ts";
import type { Finding } from "./findings.ts";

interface Printed {
  table?: { family: string; name: string };
  chain?: { family: string; table: string; name: string; hook?: string; policy?: string };
  rule?: { family: string; table: string; chain: string };
}

interface BaseChain {
  /** As nft names it: `ip filter INPUT`. */
  name: string;
  family: string;
  table: string;
  hook: string;
}

/** Those of nftables, and of iptables where nft sees them. Without root or the program nothing is known. */
export async function firewallFindings(
  podCIDRs: readonly string[],
  run: RunCommand = runCommand,
): Promise<Finding[]> {
  const printed = await run("nft", ["-j", "-t", "list", "ruleset"]).catch(() => "");
  return printed === "" ? [] : findingsOfRules(printed, podCIDRs);
}

/** From what `nft -j list ruleset` prints. A network that a rule of the table names is taken for let in. Pure. */
export function findingsOfRules(text: string, podCIDRs: readonly string[]): Finding[] {
  const { nftables = [] } = JSON.parse(text) as { nftables?: Printed[] };
  const isUfw = nftables.some(({ chain }) => chain?.name.startsWith("ufw"));
  const chains = nftables.flatMap(({ chain }) => dropping(chain) ?? []);
  if (nftables.some(({ table }) => table?.name === "firewalld"))
    chains.push({ ...FIREWALLD, name: "inet firewalld filter_INPUT", hook: "input" });
  return chains.flatMap((chain): Finding[] => {
    const { name, family, hook } = chain;
    const rules = rulesFor(chain, nftables);
    const cidrs = podCIDRs
      .filter((cidr) => family === "inet" || (family === "ip6") === cidr.includes(":"))
      .filter((cidr) => !rules.includes(prefixText(cidr)));
    if (cidrs.length === 0) return [];
    const what =
      hook === "input"
        ? `the firewall (${name}) lets pods reach neither the API server nor the DNS of this machine`
        : `the firewall (${name}) drops what this machine forwards, so pods reach nothing but their own node`;
    return [{ level: "warning", what, fix: remedy(chain, cidrs, isUfw) }];
  });
}

const FIREWALLD = { family: "inet", table: "firewalld" } as const;

/** Of the chain's table, but for those that another hook begins with. */
function rulesFor({ family, table, hook }: BaseChain, printed: readonly Printed[]): string {
  const elsewhere = new Set(
    printed.flatMap(({ chain }) =>
      chain?.hook !== undefined && chain.hook !== hook ? `${chain.family} ${chain.table} ${chain.name}` : [],
    ),
  );
  const own = printed.filter(
    ({ rule }) =>
      rule?.family === family && rule.table === table && !elsewhere.has(`${family} ${table} ${rule.chain}`),
  );
  return JSON.stringify(own);
}

function prefixText(cidr: string): string {
  const [addr = "", len = ""] = cidr.split("/");
  return `{"addr":${JSON.stringify(addr)},"len":${len}}`;
}

/** The chain FORWARD of iptables is told by the pod network itself to let pods through. */
function dropping(chain: Printed["chain"]): BaseChain | undefined {
  if (chain?.policy !== "drop" || !["ip", "ip6", "inet"].includes(chain.family)) return undefined;
  const { family, table, hook = "" } = chain;
  const name = `${family} ${table} ${chain.name}`;
  const matters = hook === "input" || (hook === "forward" && !/^ip6? filter FORWARD$/.test(name));
  return matters ? { name, family, table, hook } : undefined;
}

function remedy({ name: chain, hook }: BaseChain, cidrs: readonly string[], isUfw: boolean): string {
  if (chain.includes("firewalld")) {
    const sources = cidrs.map((cidr) => `--add-source=${cidr}`).join(" ");
    return `let them in: \`firewall-cmd --permanent --zone=trusted ${sources} && firewall-cmd --reload\``;
  }
  if (isUfw && /^ip6? filter INPUT$/.test(chain))
    return `let them in: ${cidrs.map((cidr) => `\`ufw allow from ${cidr}\``).join(" and ")}`;
  const directions = hook === "input" ? ["saddr"] : ["saddr", "daddr"];
  const rules = cidrs.flatMap((cidr) =>
    directions.map((direction) => {
      const family = cidr.includes(":") ? "ip6" : "ip";
      return `\`nft insert rule ${chain} ${family} ${direction} ${cidr} accept\``;
    }),
  );
  return `let them through, and have the firewall do so after a reboot: ${rules.join(" and ")}`;
}
