/** What the kernel holds of a table, in a form that two tables of the same content have in common. */
import type { Nft } from "../../../src/host/nftables/nft.ts";

type Json = Record<string, unknown>;

/** Names, definitions, elements in an order of their own, and rules in theirs. Handles and clients seen are left out. */
export async function kernelTable(nft: Nft, name: string): Promise<string[]> {
  const { nftables } = JSON.parse(await nft.list("table", "inet", name)) as { nftables: Json[] };
  const rules = new Map<string, number>();
  const lines = nftables.flatMap((entry) => {
    const [[kind, value] = ["", {}]] = Object.entries(entry) as [string, Json][];
    if (kind === "metainfo" || kind === "table") return [];
    const { handle: _handle, table: _table, elem, ...rest } = value;
    const chain = String(rest.chain);
    if (kind === "rule") rules.set(chain, (rules.get(chain) ?? 0) + 1);
    const order = kind === "rule" ? `${chain} ${rules.get(chain)} ` : "";
    const elements = Array.isArray(elem) ? elem.map((element) => JSON.stringify(element)).sort() : [];
    return [`${kind} ${order}${JSON.stringify(rest)} ${elements.join(" ")}`];
  });
  return lines.sort();
}
