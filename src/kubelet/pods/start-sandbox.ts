/** Gives a pod its sandbox: the namespaces and the network that its containers share. */
import { mkdir } from "node:fs/promises";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import type { Sent } from "../../host/grpc/messages.ts";
import { rpcErrorText } from "../../host/grpc/status-text.ts";
import { PodError } from "../ports.ts";
import { NamespaceMode, type PodSandboxConfig } from "../runtime/cri/shared.ts";
import { podResolver, usesClusterDNS } from "./config/dns-config.ts";
import { podHostname } from "./config/hostname.ts";
import { sandboxConfig } from "./config/sandbox-config.ts";
import type { PodContext } from "./pod-context.ts";
import { recordOfPod } from "./pod-events.ts";
import { podLogDirectory, podText } from "./pod-name.ts";
import type { SandboxRecord } from "./runtime-state.ts";

/** CNI plugins and virtual machines may be slow; upstream waits as long for a sandbox. */
const SANDBOX_TIMEOUT = 4 * 60_000;

/** Also for a sandbox that is there: containers are created with it. Throws PodError. */
export async function makeSandboxConfig(
  context: PodContext,
  pod: Pod,
  attempt: number,
): Promise<Sent<typeof PodSandboxConfig>> {
  const logDirectory = podLogDirectory(context.paths.podLogs, pod);
  const [cgroupParent, node] = await Promise.all([
    context.cgroups.ensure(pod),
    context.nodeResolver(),
    mkdir(logDirectory, { recursive: true, mode: 0o755 }),
  ]);
  const { settings } = context;
  const warn = (message: string): void => recordOfPod(context, pod, "Warning", "DNSConfigForming", message);
  if (settings.clusterDNS.length === 0 && usesClusterDNS(pod)) {
    const message = `pod: ${JSON.stringify(podText(pod))}. kubelet does not have ClusterDNS IP configured and cannot create Pod using "${pod.spec?.dnsPolicy}" policy. Falling back to "Default" policy.`;
    recordOfPod(context, pod, "Warning", "MissingClusterDNS", message);
  }
  const config = sandboxConfig(pod, {
    attempt,
    hostname: podHostname(pod, settings.clusterDomain).hostname,
    resolver: podResolver(pod, settings, node, warn),
    logDirectory,
    cgroupParent,
  });
  return context.userNamespaces.applyTo(config, pod);
}

export async function startSandbox(
  context: PodContext,
  pod: Pod,
  config: Sent<typeof PodSandboxConfig>,
  stale: readonly SandboxRecord[],
): Promise<SandboxRecord> {
  const { runtime } = context;
  // One that ended by itself has its addresses still.
  await Promise.all(stale.map(({ id }) => runtime.stopPodSandbox({ podSandboxId: id })));
  try {
    const runtimeHandler = context.runtimeHandler(pod);
    const { podSandboxId: id } = await context.turns.run("sandbox", () =>
      runtime.runPodSandbox({ config, runtimeHandler }, SANDBOX_TIMEOUT),
    );
    const { status } = await runtime.podSandboxStatus({ podSandboxId: id });
    const { ip = "", additionalIps = [] } = status?.network ?? {};
    return {
      id,
      attempt: config.metadata?.attempt ?? 0,
      ready: true,
      createdAt: (status?.createdAt ?? 0) / 1e6,
      ips: ip === "" ? [] : [ip, ...additionalIps.map((more) => more.ip)],
      hostNetwork: status?.linux?.namespaces?.options?.network === NamespaceMode.NODE,
    };
  } catch (error) {
    if (error instanceof PodError) throw error;
    throw new PodError(
      "FailedCreatePodSandBox",
      `Failed to create pod sandbox: ${rpcErrorText(error)}`,
      error,
    );
  }
}
