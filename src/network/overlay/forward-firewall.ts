/**
 * Other programs' rules that would drop what the host forwards. Docker makes `DROP` the policy of iptables' chain FORWARD:
 * no table of ours can accept what that chain drops, so it is told by rules of its own to accept what pods send and get.
 * NetworkPolicy is not weakened: a packet that any chain drops is dropped.
 */
import { CommandError, type RunCommand } from "../../host/command.ts";
import type { PodCIDR } from "./peer.ts";

const CHAIN = ["filter", "FORWARD"] as const;
const FAMILIES = { 4: "ip", 6: "ip6" } as const;

interface Printed {
  chain?: { policy?: string };
  rule?: { comment?: string; handle?: number };
}

/** `mark` begins the comments of our rules, by which they are found again. Where nothing is dropped nothing is done. */
export async function acceptForwarded(
  run: RunCommand,
  mark: string,
  networks: readonly PodCIDR[],
): Promise<void> {
  for (const family of [4, 6] as const) {
    const own = networks.filter((network) => network.family === family);
    const printed = own.length > 0 ? await listChain(run, FAMILIES[family]) : [];
    if (!printed.some(({ chain }) => chain?.policy === "drop")) continue;
    const there = new Set(printed.map(({ rule }) => rule?.comment));
    const rules = own.flatMap(({ cidr }) =>
      (["saddr", "daddr"] as const).map((direction) => ({
        comment: `${mark} ${direction} ${cidr}`,
        match: `${FAMILIES[family]} ${direction} ${cidr}`,
      })),
    );
    const input = rules
      .filter(({ comment }) => !there.has(comment))
      .map(
        ({ comment, match }) =>
          `insert rule ${FAMILIES[family]} ${CHAIN.join(" ")} ${match} accept comment "${comment}"\n`,
      )
      .join("");
    if (input !== "") await run("nft", ["-f", "-"], { input });
  }
}

export async function withdrawForwarded(run: RunCommand, mark: string): Promise<void> {
  for (const family of [FAMILIES[4], FAMILIES[6]]) {
    const input = (await listChain(run, family))
      .filter(({ rule }) => rule?.comment?.startsWith(`${mark} `))
      .map(({ rule }) => `delete rule ${family} ${CHAIN.join(" ")} handle ${rule?.handle}\n`)
      .join("");
    if (input !== "") await run("nft", ["-f", "-"], { input });
  }
}

/** Nothing where there is no such chain. */
async function listChain(run: RunCommand, family: string): Promise<Printed[]> {
  try {
    const printed = await run("nft", ["-j", "-a", "list", "chain", family, ...CHAIN]);
    return (JSON.parse(printed) as { nftables?: Printed[] }).nftables ?? [];
  } catch (error) {
    if (error instanceof CommandError) return [];
    throw error;
  }
}
