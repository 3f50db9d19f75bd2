import { PodError } from "../ports.ts";
import { VolumeError, type VolumeRequest } from "./volume-plugin.ts";

/** What users are told of a volume that could not be set up, in upstream's words. */
export function volumeFailure(error: unknown, { volume, persistent }: VolumeRequest): PodError {
  if (error instanceof PodError) return error;
  const why = error instanceof Error ? error.message : String(error);
  const { operation, reason } =
    error instanceof VolumeError ? error : { operation: "MountVolume.SetUp", reason: "FailedMount" };
  if (operation === "") {
    const names = `[${volume.name}]`;
    return new PodError(
      reason,
      `Unable to attach or mount volumes: unmounted volumes=${names}, unattached volumes=[], failed to process volumes=${names}: ${why}`,
      error,
    );
  }
  const name = JSON.stringify(persistent?.volume.metadata.name ?? volume.name);
  return new PodError(reason, `${operation} failed for volume ${name} : ${why}`, error);
}
