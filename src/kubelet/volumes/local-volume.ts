/** PersistentVolumes of type local: a directory, or a device, of this node. */
import { stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { PersistentVolume } from "../../api/core/persistent-volume.ts";
import { makeDirectory } from "./make-directory.ts";
import { giveToGroup } from "./ownership.ts";
import { fsGroupOf } from "./pod-volume-use.ts";
import { VolumeError, type VolumePlugin } from "./volume-plugin.ts";

export interface LocalStorage {
  provisioner: string;
  directory: string;
}

const PROVISIONED_BY = "pv.kubernetes.io/provisioned-by";

export function localVolumePlugin(storage: LocalStorage | undefined): VolumePlugin {
  return {
    directory: "kubernetes.io~local-volume",
    owns: ({ persistent }) => persistent?.volume.spec?.local !== undefined,
    async setUp({ pod, volume, persistent }) {
      const source = persistent!.volume;
      const path = source.spec?.local?.path ?? "";
      const readOnly = volume.persistentVolumeClaim?.readOnly ?? false;
      if (storage && isProvisioned(source, path, storage)) await makeDirectory(path);
      const stats = await stat(path).catch(() => undefined);
      if (source.spec?.volumeMode === "Block") {
        if (stats?.isBlockDevice()) return { hostPath: "", readOnly, device: path };
        throw new VolumeError(`${path} is not a block device`, { operation: "MapVolume.SetUp" });
      }
      if (!stats) throw new VolumeError(`path ${JSON.stringify(path)} does not exist`);
      if (!stats.isDirectory()) {
        throw new VolumeError(
          `path ${JSON.stringify(path)} is not a directory: local devices are not formatted`,
        );
      }
      const group = fsGroupOf(pod);
      const policy = pod.spec?.securityContext?.fsGroupChangePolicy;
      if (group !== undefined && !readOnly) await giveToGroup(path, { group, policy });
      return { hostPath: path, readOnly };
    },
  };
}

/** Whether the volume's directory is the provisioner's to make: right inside its own directory. */
function isProvisioned({ metadata }: PersistentVolume, path: string, storage: LocalStorage): boolean {
  return (
    metadata.annotations?.[PROVISIONED_BY] === storage.provisioner && dirname(path) === storage.directory
  );
}
