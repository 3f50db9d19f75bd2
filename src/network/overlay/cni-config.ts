/** The CNI configuration by which the container runtime connects pods. */
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { PodCIDR } from "./peer.ts";

export interface CNINetwork {
  name: string;
  mtu: number;
  podCIDRs: readonly PodCIDR[];
  /** Where addresses that are taken are noted. */
  addresses: string;
}

/** Why these plugins: docs/decisions/2026-11-21-pods-by-ptp.md */
export function cniConfig({ name, mtu, podCIDRs, addresses }: CNINetwork): string {
  const ipam = {
    type: "host-local",
    dataDir: addresses,
    ranges: podCIDRs.map(({ cidr }) => [{ subnet: cidr }]),
    routes: podCIDRs.map(({ family }) => ({ dst: family === 4 ? "0.0.0.0/0" : "::/0" })),
  };
  const plugins = [
    { type: "ptp", mtu, ipMasq: false, ipam },
    { type: "bandwidth", capabilities: { bandwidth: true } },
  ];
  return `${JSON.stringify({ cniVersion: "1.0.0", name, plugins }, undefined, 2)}\n`;
}

/** The runtime sees the old or the new, never a part. What is there already is left alone, as it would be read again. */
export async function writeCNIConfig(directory: string, file: string, text: string): Promise<void> {
  const path = join(directory, file);
  if ((await readFile(path, "utf8").catch(() => undefined)) === text) return;
  await mkdir(directory, { recursive: true, mode: 0o755 });
  const fresh = join(directory, `.${file}.new`);
  await writeFile(fresh, text, { mode: 0o644 });
  await rename(fresh, path);
}

export async function removeCNIConfig(directory: string, file: string): Promise<void> {
  await rm(join(directory, file), { force: true });
  await rm(join(directory, `.${file}.new`), { force: true });
}
