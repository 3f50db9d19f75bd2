/** Files that the kubelet itself gives to containers: /etc/hosts, and the one for their last words. */
import { randomBytes } from "node:crypto";
import { mkdir, open, readFile, writeFile } from "node:fs/promises";
import { posix } from "node:path";
import type { Container, Pod } from "../../api/schema/core.v1.generated.ts";
import type { Sent } from "../../host/grpc/messages.ts";
import type { Mount } from "../runtime/cri/shared.ts";
import { podHostname } from "./config/hostname.ts";
import { hostNetworkHostsFile, hostsFile } from "./config/hosts-file.ts";
import type { PodContext } from "./pod-context.ts";
import { podDirectory, uidOf } from "./pod-name.ts";

const HOSTS = "/etc/hosts";

export async function ownMounts(
  context: PodContext,
  pod: Pod,
  container: Container,
  podIPs: readonly string[],
): Promise<Sent<typeof Mount>[]> {
  const directory = podDirectory(context.paths.root, uidOf(pod));
  const own = posix.join(directory, "containers", container.name);
  await mkdir(own, { recursive: true, mode: 0o750 });
  const given = (container.volumeMounts ?? []).some(({ mountPath }) => posix.normalize(mountPath) === HOSTS);
  const { terminationMessagePath = "" } = container;
  const mounts = await Promise.all([
    given ? undefined : hostsMount(context, pod, container, podIPs, directory),
    terminationMessagePath === "" ? undefined : lastWordsMount(terminationMessagePath, own),
  ]);
  return mounts.filter((mount) => mount !== undefined);
}

async function hostsMount(
  context: PodContext,
  pod: Pod,
  container: Container,
  podIPs: readonly string[],
  directory: string,
): Promise<Sent<typeof Mount>> {
  const hostPath = posix.join(directory, "etc-hosts");
  await writeFile(hostPath, await hostsText(context, pod, podIPs), { mode: 0o644 });
  const readonly = container.securityContext?.readOnlyRootFilesystem === true;
  return { containerPath: HOSTS, hostPath, readonly };
}

async function lastWordsMount(containerPath: string, directory: string): Promise<Sent<typeof Mount>> {
  const hostPath = posix.join(directory, randomBytes(4).toString("hex"));
  const file = await open(hostPath, "wx", 0o666);
  // Whoever the container runs as writes to it, whatever the kubelet's umask.
  await file.chmod(0o666);
  await file.close();
  return { containerPath, hostPath };
}

async function hostsText({ settings }: PodContext, pod: Pod, podIPs: readonly string[]): Promise<string> {
  const aliases = pod.spec?.hostAliases;
  if (pod.spec?.hostNetwork) return hostNetworkHostsFile(await readFile(HOSTS, "utf8"), aliases);
  return hostsFile(podHostname(pod, settings.clusterDomain), podIPs, aliases);
}
