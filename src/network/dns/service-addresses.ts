/** Makes the addresses of the Service of DNS this node's own. */
import type { RunCommand } from "../../host/command.ts";
import { applyBatch, readLink } from "../../host/links/links.ts";
import type { TableParts } from "../../host/nftables/table-state.ts";

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
 * Rules that keep connection tracking off questions and answers. What is not tracked is not translated either: it goes to
 * this node's DNS and to no other.
 */
export function untracked(addresses: readonly string[]): TableParts {
  const rules = (direction: "daddr" | "saddr", port: "dport" | "sport"): string[] =>
    addresses.map((address) => {
      const ip = address.includes(":") ? "ip6" : "ip";
      return `${ip} ${direction} ${address} meta l4proto { tcp, udp } th ${port} ${PORT} notrack`;
    });
  const hook = (name: string): string => `type filter hook ${name} priority -300;`;
  return {
    chains: new Map([
      ["prerouting", { hook: hook("prerouting"), rules: rules("daddr", "dport") }],
      ["output", { hook: hook("output"), rules: [...rules("daddr", "dport"), ...rules("saddr", "sport")] }],
    ]),
  };
}
