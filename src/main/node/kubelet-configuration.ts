/** The kubelet's configuration of a node: from the file of `--kubelet-config`, or upstream's defaults. */
import { readFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { NodeFlags } from "../../cli/node-flags.ts";
import { UsageError } from "../../cli/verb.ts";
import { readMachineFacts } from "../../host/machine/machine-facts.ts";
import {
  ConfigurationError,
  DEFAULT_CONFIGURATION,
  readKubeletConfiguration,
} from "../../kubelet/configuration/read-configuration.ts";
import type { KubeletConfiguration } from "../../kubelet/configuration/settings.ts";
import { excessReservation } from "../../kubelet/resources/reservations.ts";
import { logLine } from "../log.ts";

/** Throws UsageError where the file cannot be used: on this machine, or at all. */
export async function openKubeletConfiguration(
  { kubeletConfig: path }: Pick<NodeFlags, "kubeletConfig">,
  log: typeof logLine = logLine,
): Promise<KubeletConfiguration> {
  if (path === undefined) return DEFAULT_CONFIGURATION;
  try {
    const read = readKubeletConfiguration(await readFile(path), dirname(path));
    const { configuration, withoutEffect } = read;
    await checkOnMachine(configuration);
    if (withoutEffect.length > 0) {
      const fields = withoutEffect.join(", ");
      log("warn", "settings of the kubelet's configuration have no effect here", { fields });
    }
    return configuration;
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code === undefined && !(error instanceof ConfigurationError)) throw error;
    throw new UsageError(`--kubelet-config ${path}: ${message}.`);
  }
}

async function checkOnMachine(configuration: KubeletConfiguration): Promise<void> {
  const { staticPodPath, kubeReserved, systemReserved } = configuration;
  if (staticPodPath !== undefined) {
    const found = await stat(staticPodPath).catch(() => undefined);
    if (found && !found.isDirectory())
      throw new ConfigurationError(`staticPodPath ${JSON.stringify(staticPodPath)} must be a directory`);
  }
  if (Object.keys(kubeReserved).length + Object.keys(systemReserved).length === 0) return;
  const { cores, memoryBytes } = await readMachineFacts();
  const capacity = { cpu: String(cores), memory: String(memoryBytes) };
  const excess = excessReservation(capacity, { kube: kubeReserved, system: systemReserved });
  if (excess !== undefined) throw new ConfigurationError(excess);
}
