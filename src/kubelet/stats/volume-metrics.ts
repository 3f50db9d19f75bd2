/** What is left on the volumes of claims, as alerts know it. */
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import { Exposition, type Family, gauge } from "./exposition.ts";
import { claimOf, type PodDisk, type VolumeUsage } from "./pod-disks.ts";

const FIGURES: readonly (readonly [Family, (volume: VolumeUsage) => number])[] = [
  [
    gauge("kubelet_volume_stats_capacity_bytes", "[ALPHA] Capacity in bytes of the volume"),
    ({ system }) => system.capacity,
  ],
  [
    gauge("kubelet_volume_stats_available_bytes", "[ALPHA] Number of available bytes in the volume"),
    ({ system }) => system.available,
  ],
  [
    gauge("kubelet_volume_stats_used_bytes", "[ALPHA] Number of used bytes in the volume"),
    ({ usage }) => usage.bytes,
  ],
  [
    gauge("kubelet_volume_stats_inodes", "[ALPHA] Maximum number of inodes in the volume"),
    ({ system }) => system.inodes,
  ],
  [
    gauge("kubelet_volume_stats_inodes_free", "[ALPHA] Number of free inodes in the volume"),
    ({ system }) => system.inodesFree,
  ],
  [
    gauge("kubelet_volume_stats_inodes_used", "[ALPHA] Number of used inodes in the volume"),
    ({ usage }) => usage.inodes,
  ],
];

/** A claim of several pods is told once. */
export function volumeMetrics(disks: readonly (readonly [Pod, PodDisk])[]): string {
  const told = new Exposition();
  const claims = new Set<string>();
  for (const [pod, { volumes }] of disks) {
    const { namespace = "" } = pod.metadata;
    for (const volume of volumes) {
      const declared = pod.spec?.volumes?.find(({ name }) => name === volume.name);
      const claim = declared && claimOf(pod, declared);
      if (claim === undefined || claims.has(`${namespace}/${claim}`)) continue;
      claims.add(`${namespace}/${claim}`);
      for (const [family, of] of FIGURES) {
        told.add(
          family,
          [
            ["namespace", namespace],
            ["persistentvolumeclaim", claim],
          ],
          of(volume),
        );
      }
    }
  }
  return told.text();
}
