/** What the pod network makes on the host, and what of it is known to be there. */
import { randomBytes } from "node:crypto";
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { RunCommand } from "../../host/command.ts";
import { applyEntries, type Entries, entryCommands, readEntries } from "../../host/links/entries.ts";
import { deleteLink } from "../../host/links/links.ts";
import { openSysctls, type Sysctls } from "../../host/links/sysctls.ts";
import { openNft } from "../../host/nftables/nft.ts";
import { type OwnedTable, openOwnedTable } from "../../host/nftables/owned-table.ts";
import { cniConfig, removeCNIConfig, writeCNIConfig } from "./cni-config.ts";
import { acceptForwarded, withdrawForwarded } from "./forward-firewall.ts";
import { enableForwarding, loosenSourceCheck } from "./forwarding.ts";
import type { OverlayNames } from "./overlay-options.ts";
import { overlayPeers, overlayRules } from "./overlay-table.ts";
import { entriesOf, macOf, type Peer, type PodCIDR } from "./peer.ts";
import { ensureTunnel } from "./tunnel.ts";

export interface HostNetworkOptions {
  run: RunCommand;
  nodeName: string;
  /** The address of this node that tunnels begin at, and its family. */
  local: string;
  family: 4 | 6;
  clusterCIDRs: readonly PodCIDR[];
  cniConfDir: string;
  runDir: string;
  names: OverlayNames;
}

/** Of pods where no tunnel says otherwise. */
const MTU = 1500;

export class HostNetwork {
  private readonly options: HostNetworkOptions;
  private connected = "";
  /** What leads to other nodes; undefined until it was read from the kernel. */
  private entries: Entries | undefined;
  private readonly table: OwnedTable;
  /** Why there is no tunnel. */
  problem: Error | undefined;

  constructor(options: HostNetworkOptions) {
    this.options = options;
    const { run, names } = options;
    const token = randomBytes(6).toString("hex");
    this.table = openOwnedTable({ nft: openNft({ run }), name: names.table, base: {}, token });
  }

  /**
   * Everything that pods of this node need, and this node's end of tunnels. Where that cannot be made, `problem` says why,
   * and pods have their network on this node nevertheless.
   */
  async connectPods(podCIDRs: readonly PodCIDR[]): Promise<void> {
    const key = JSON.stringify(podCIDRs);
    if (this.connected === key && !this.problem) return;
    const { run, names, runDir, cniConfDir, clusterCIDRs } = this.options;
    const sysctls = openSysctls(sysctlRecord(runDir));
    await enableForwarding(run, sysctls, new Set(podCIDRs.map(({ family }) => family)));
    const mtu = await this.openTunnel(sysctls, podCIDRs);
    // Rules before configuration: no pod is to send a packet that they would have changed.
    await this.makeRules(podCIDRs);
    await acceptForwarded(run, names.table, clusterCIDRs.length > 0 ? clusterCIDRs : podCIDRs);
    const network = { name: names.cniNetwork, mtu, podCIDRs, addresses: addressesDirectory(runDir) };
    await writeCNIConfig(cniConfDir, names.cniConfFile, cniConfig(network));
    this.connected = key;
  }

  /** Leads to these nodes and no others. */
  async reach(peers: ReadonlyMap<string, Peer>): Promise<void> {
    if (this.problem) return;
    const { run, names } = this.options;
    const wanted = entriesOf(peers.values());
    const there = this.entries ?? (await readEntries(run, names.link));
    this.table.claim("peers", overlayPeers([...peers.values()].map(({ publicIP }) => publicIP)));
    await this.table.sync();
    await applyEntries(run, entryCommands(names.link, there, wanted));
    this.entries = wanted;
  }

  /** Somebody may have changed the link, or something failed half way: the next time everything is looked at again. */
  forget(): void {
    this.connected = "";
    this.entries = undefined;
  }

  /** Whether the table had been removed, as nothing tells of it; it is made anew with the next `reach`. */
  async hasLostTable(): Promise<boolean> {
    if (this.connected === "" || (await this.table.isOurs())) return false;
    this.table.distrust();
    this.forget();
    return true;
  }

  private async openTunnel(sysctls: Sysctls, podCIDRs: readonly PodCIDR[]): Promise<number> {
    const { run, nodeName, local, names } = this.options;
    this.problem = undefined;
    this.entries = undefined;
    try {
      const mtu = await ensureTunnel(run, sysctls, { ...names, mac: macOf(nodeName), local, podCIDRs });
      await loosenSourceCheck(sysctls, names.link);
      return mtu;
    } catch (error) {
      this.problem = error as Error;
      return MTU;
    }
  }

  private async makeRules(podCIDRs: readonly PodCIDR[]): Promise<void> {
    const { names, clusterCIDRs, family } = this.options;
    const { vni, port } = names;
    this.table.claim("rules", overlayRules({ podCIDRs, clusterCIDRs, vni, port, tunnelFamily: family }));
    await this.table.sync();
  }
}

const sysctlRecord = (runDir: string): string => join(runDir, "overlay-sysctls.json");
const addressesDirectory = (runDir: string): string => join(runDir, "cni");

/** Takes away everything that was ever made under these names. Any number of times. */
export async function removeHostNetwork(
  options: Pick<HostNetworkOptions, "run" | "cniConfDir" | "runDir" | "names">,
): Promise<void> {
  const { run, cniConfDir, runDir, names } = options;
  // Without its configuration the runtime connects no further pods.
  await removeCNIConfig(cniConfDir, names.cniConfFile);
  await deleteLink(run, names.link);
  await openNft({ run }).apply(`add table inet ${names.table}\ndelete table inet ${names.table}\n`);
  await withdrawForwarded(run, names.table);
  await openSysctls(sysctlRecord(runDir)).restore();
  await rm(addressesDirectory(runDir), { recursive: true, force: true });
  await rm(sysctlRecord(runDir), { force: true });
}
