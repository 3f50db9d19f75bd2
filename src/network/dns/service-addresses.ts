/** Makes the addresses of the Service of DNS this node's own. */
import type { RunCommand } from "../../host/command.ts";
import { applyBatch, readLink } from "../../host/links/links.ts";

/** Not a link of our own: some kernels have none that leads nowhere, and this one is always there. */
const LINK = "lo";
const PORT = 53;

const withLength = (address: string): string => `${address}/${address.includes(":") ? 128 : 32}`;

export async function addAddresses(run: RunCommand, addresses: readonly string[]): Promise<void> {
  const there = (await readLink(run, LINK))?.addresses ?? [];
  const missing = addresses.filter((address) => !there.includes(withLength(address)));
  await applyBatch(
    run,
    "ip",
    missing.map((address) => `address add ${withLength(address)} dev ${LINK} scope host`),
  );
}

export async function removeAddresses(run: RunCommand, addresses: readonly string[]): Promise<void> {
  const there = (await readLink(run, LINK))?.addresses ?? [];
  const left = addresses.filter((address) => there.includes(withLength(address)));
  await applyBatch(
    run,
    "ip",
    left.map((address) => `address del ${withLength(address)} dev ${LINK}`),
  );
}

/**
 * A batch for a table that keeps connection tracking off questions and answers. What is not tracked is not translated
 * either: it goes to this node's DNS and to no other.
 */
export function untrackedTable(table: string, addresses: readonly string[]): string {
  const rules = (direction: "daddr" | "saddr", port: "dport" | "sport"): string =>
    addresses
      .map((address) => {
        const ip = address.includes(":") ? "ip6" : "ip";
        return `    ${ip} ${direction} ${address} meta l4proto { tcp, udp } th ${port} ${PORT} notrack\n`;
      })
      .join("");
  return `table inet ${table}
delete table inet ${table}
table inet ${table} {
  chain prerouting {
    type filter hook prerouting priority raw; policy accept;
${rules("daddr", "dport")}  }
  chain output {
    type filter hook output priority raw; policy accept;
${rules("daddr", "dport")}${rules("saddr", "sport")}  }
}
`;
}

export function removedTable(table: string): string {
  // Naming it first makes deleting succeed where there is none.
  return `table inet ${table}\ndelete table inet ${table}\n`;
}
