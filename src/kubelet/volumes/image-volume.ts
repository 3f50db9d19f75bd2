/** Image volumes: the runtime mounts them; of the node's images, or pulled. */
import { PodError } from "../ports.ts";
import type { ContainerRuntime } from "../runtime/container-runtime.ts";
import type { VolumePlugin } from "./volume-plugin.ts";

export const imageVolumePlugin: VolumePlugin = {
  directory: "kubernetes.io~image",
  owns: ({ volume }) => volume.image !== undefined,
  async setUp({ volume }) {
    const { reference = "", pullPolicy = "IfNotPresent" } = volume.image ?? {};
    return { hostPath: "", readOnly: true, image: { reference, pullPolicy } };
  },
};

/** containerd mounts images since this version. */
const CONTAINERD_SINCE = [2, 1] as const;

/** Throws PodError where the runtime would take such a mount for an empty one. */
export async function checkImageVolumes(runtime: Pick<ContainerRuntime, "version">): Promise<void> {
  const { runtimeName, runtimeVersion } = await runtime.version({});
  if (runtimeName !== "containerd") return;
  const [major = 0, minor = 0] = runtimeVersion.replace(/^v/, "").split(".").map(Number);
  const [since, sinceMinor] = CONTAINERD_SINCE;
  if (major > since || (major === since && minor >= sinceMinor)) return;
  const message = `image volumes need containerd ${CONTAINERD_SINCE.join(".")} or newer: this node has ${runtimeVersion}`;
  throw new PodError("CreateContainerConfigError", message);
}
