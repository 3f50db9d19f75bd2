/** What `kybern reset` does: takes everything away that a cluster made on this machine, whatever state it is in. */
import { readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";
import { UsageError } from "../../cli/verb.ts";
import type { ResetRun } from "../../cli/verbs/reset.ts";
import type { Layout } from "../../cluster/layout.ts";
import { openCgroupTree } from "../../host/cgroups/cgroup-tree.ts";
import { runCommand } from "../../host/command.ts";
import { removeContainerd } from "../../host/containerd/remove-containerd.ts";
import { removeDelay } from "../../host/logind/logind.ts";
import { inspectMachine, lacking } from "../../host/machine/machine.ts";
import { detachBelow } from "../../host/mounts/detach-below.ts";
import { removeAll } from "../../host/mounts/remove-all.ts";
import { cleanUpDNS } from "../../network/dns/start-dns.ts";
import { cleanUpOverlay } from "../../network/overlay/start-overlay.ts";
import { restoreProxySysctls } from "../../network/proxy/conntrack-settings.ts";
import { clusterDNS } from "../node/cluster-dns.ts";
import { alone, LOCK, stopBackground } from "./background.ts";
import { endContainers } from "./containers.ts";
import { removeUnit } from "./run-install.ts";
import { readSettings, type UpSettings } from "./settings.ts";

/** The tables of proxy and policies; those of others are removed by whoever knows what else belongs to them. */
const TABLES = ["kybern-proxy", "kybern-policy"];
const SERVICE_CIDRS = "10.96.0.0/12";

export async function runReset({ layout, yes }: ResetRun): Promise<void> {
  if (!yes) await confirm(layout);
  await alone(layout, async () => {
    // Damaged ones are removed with all else.
    const settings = await readSettings(layout).catch(() => undefined);
    await removeUnit(layout);
    await stopBackground(layout);
    if (process.platform === "linux" && process.getuid?.() === 0) await removeNode(layout, settings);
    await removeFiles(layout);
  });
  await removeRunDirectory(layout);
  process.stdout.write(`Nothing is left of the cluster in ${layout.dataDir}.\n`);
}

async function confirm({ dataDir }: Layout): Promise<void> {
  if (!process.stdin.isTTY)
    throw new UsageError(
      `this removes the cluster in ${dataDir} with all its data: say --yes if you mean it.`,
    );
  const terminal = createInterface({ input: process.stdin, output: process.stdout });
  const answer = await terminal.question(
    `This removes the cluster in ${dataDir} with all its data. Type yes: `,
  );
  terminal.close();
  if (answer.trim().toLowerCase() !== "yes") throw new UsageError("nothing was removed.");
}

/** Containers first, then what they used. Each step is tried, and the first failure told at the end. */
async function removeNode(layout: Layout, settings: UpSettings | undefined): Promise<void> {
  const { kubelet, containerd, cniConfDir, runDir } = layout;
  const serviceCIDRs = (settings?.flags["service-cluster-ip-range"] ?? SERVICE_CIDRS).split(",");
  const steps: (() => Promise<unknown>)[] = [
    () => endContainers(layout, { graceSeconds: 0 }),
    () => detachBelow([kubelet.root, containerd.root, containerd.run], { keep: true }),
    () => removeContainerd(containerd),
    () => removePodCgroups(layout),
    () => removeDelay(layout.dataDir),
  ];
  if ((await lacking(["nft", "ip"])).length === 0)
    steps.push(
      () => cleanUpOverlay({ cniConfDir, runDir }),
      () => cleanUpDNS({ clusterDNS: clusterDNS(serviceCIDRs) }),
      () => removeTables(),
      () => restoreProxySysctls(runDir),
    );
  const failures: unknown[] = [];
  for (const step of steps) await step().catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

/** `add` before `delete`, so that it is no error where there is none. */
async function removeTables(): Promise<void> {
  const input = TABLES.map((name) => `add table inet ${name}\ndelete table inet ${name}\n`).join("");
  await runCommand("nft", ["-f", "-"], { input });
}

/** The groups of pods below the common name are ours only where no other program makes pods here. */
async function removePodCgroups({ dataDir, cgroupRoot }: Layout): Promise<void> {
  const tree = openCgroupTree();
  if (!tree) return;
  if (cgroupRoot !== "/") return tree.remove(cgroupRoot);
  const { otherNodes } = await inspectMachine({ dataDir, ports: [], containers: true, ownPids: [] });
  if (otherNodes.length === 0) await tree.remove("/kubepods");
}

/** Only what is ours: the directory may be one where others keep something too. */
async function removeFiles(layout: Layout): Promise<void> {
  const { dataDir, logDir, kubelet } = layout;
  const own = [
    layout.pki,
    layout.adminConfig,
    layout.nodeConfig,
    layout.settings,
    join(dataDir, "store"),
    layout.containerd.root,
    layout.registries,
    layout.cniConfDir,
    layout.storage,
    kubelet.root,
    kubelet.podLogs,
    kubelet.containerLogs,
    kubelet.staticPods,
    logDir,
  ];
  for (const path of own) await removeAll(path);
  await removeIfEmpty(dataDir);
}

async function removeRunDirectory({ runDir, dataDir }: Layout): Promise<void> {
  for (const name of await readdir(runDir).catch((): string[] => []))
    await rm(join(runDir, name), { recursive: true, force: true });
  await rm(join(runDir, LOCK), { force: true });
  await removeIfEmpty(runDir);
  await removeIfEmpty(dataDir);
}

async function removeIfEmpty(directory: string): Promise<void> {
  await rmdir(directory).catch((error: NodeJS.ErrnoException) => {
    if (!["ENOENT", "ENOTEMPTY", "EBUSY"].includes(error.code ?? "")) throw error;
  });
}
