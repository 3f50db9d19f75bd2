/** What the pod network makes on the host, and what of it is known to be there. */
import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { RunCommand } from "../../host/command.ts";
import { applyEntries, type Entries, entryCommands, readEntries } from "../../host/links/entries.ts";
import { deleteLink } from "../../host/links/links.ts";
import { openSysctls } from "../../host/links/sysctls.ts";
import { cniConfig, removeCNIConfig, writeCNIConfig } from "./cni-config.ts";
import { acceptForwarded, withdrawForwarded } from "./forward-firewall.ts";
import { enableForwarding, loosenSourceCheck } from "./forwarding.ts";
import type { OverlayNames } from "./overlay-options.ts";
import { overlayTable, peersChange, removeOverlayTable } from "./overlay-table.ts";
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
  /** The nodes whose packets are let in; undefined until the table was made. */
  private admitted: ReadonlySet<string> | undefined;
  /** Why there is no tunnel. */
  problem: Error | undefined;

  constructor(options: HostNetworkOptions) {
    this.options = options;
  }

  /**
   * Everything that pods of this node need, and this node's end of tunnels. Where that cannot be made, `problem` says why,
   * and pods have their network on this node nevertheless.
   */
  async connectPods(podCIDRs: readonly PodCIDR[], peers: ReadonlyMap<string, Peer>): Promise<void> {
    const key = JSON.stringify(podCIDRs);
    if (this.connected === key && !this.problem) return;
    const { run, nodeName, local, names, runDir, cniConfDir } = this.options;
    const sysctls = openSysctls(sysctlRecord(runDir));
    await enableForwarding(run, sysctls, new Set(podCIDRs.map(({ family }) => family)));
    let mtu = MTU;
    this.problem = undefined;
    this.entries = undefined;
    try {
      mtu = await ensureTunnel(run, sysctls, { ...names, mac: macOf(nodeName), local, podCIDRs });
      await loosenSourceCheck(sysctls, names.link);
    } catch (error) {
      this.problem = error as Error;
    }
    await this.makeTable(podCIDRs, peers);
    const { clusterCIDRs } = this.options;
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
    await this.admit(peers);
    await applyEntries(run, entryCommands(names.link, there, wanted));
    this.entries = wanted;
  }

  /** Something failed half way: the next time everything is looked at again. */
  forget(): void {
    this.connected = "";
    this.entries = undefined;
    this.admitted = undefined;
  }

  private async makeTable(podCIDRs: readonly PodCIDR[], peers: ReadonlyMap<string, Peer>): Promise<void> {
    const { run, names, clusterCIDRs, family } = this.options;
    const { table: name, vni, port } = names;
    const admitted = addressesOf(peers);
    const input = overlayTable({ name, podCIDRs, clusterCIDRs, vni, port, tunnelFamily: family }, admitted);
    await run("nft", ["-f", "-"], { input });
    this.admitted = admitted;
  }

  private async admit(peers: ReadonlyMap<string, Peer>): Promise<void> {
    const { run, names } = this.options;
    const wanted = addressesOf(peers);
    const input = peersChange(names.table, this.admitted ?? new Set(), wanted);
    if (input !== "") await run("nft", ["-f", "-"], { input });
    this.admitted = wanted;
  }
}

const addressesOf = (peers: ReadonlyMap<string, Peer>): Set<string> =>
  new Set([...peers.values()].map(({ publicIP }) => publicIP));

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
  await removeOverlayTable(run, names.table);
  await withdrawForwarded(run, names.table);
  await openSysctls(sysctlRecord(runDir)).restore();
  await rm(addressesDirectory(runDir), { recursive: true, force: true });
  await rm(sysctlRecord(runDir), { force: true });
}
