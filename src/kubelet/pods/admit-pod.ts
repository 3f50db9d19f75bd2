/** Whether the node takes a pod that was bound to it: the scheduler may have known less, or was not asked. */
import type { Node } from "../../api/core/node.ts";
import { requiredNodeMatcher } from "../../api/core/node-selector.ts";
import { untoleratedTaint } from "../../api/core/tolerations.ts";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import { amountOf, podRequests, requestOf } from "../resources/pod-resources.ts";

export interface Admission {
  node: Node | undefined;
  /** Those that run here, or shall: without the one that comes. */
  others: readonly Pod[];
  maxPods: number;
  allowedUnsafeSysctls: readonly string[];
}

export interface Refusal {
  reason: string;
  message: string;
}

export interface Shortage {
  resource: string;
  requested: number;
  used: number;
  capacity: number;
}

/** What stands against a pod: what comes first here, tells. */
export interface Objections {
  unsupported: Refusal | undefined;
  shortages: readonly Shortage[];
  misplaced: Refusal | undefined;
}

export function objectionsTo(pod: Pod, admission: Admission): Objections {
  const { node, others } = admission;
  return {
    unsupported: unsupported(pod, admission),
    shortages: shortagesOf(pod, admission),
    misplaced: node && misplaced(pod, node, others),
  };
}

function unsupported(pod: Pod, { allowedUnsafeSysctls }: Admission): Refusal | undefined {
  const os = pod.spec?.os?.name;
  if (os !== undefined && os !== "linux") {
    return {
      reason: "PodOSNotSupported",
      message: "Failed to admit pod as the OS field doesn't match node OS",
    };
  }
  return forbiddenSysctl(pod, allowedUnsafeSysctls);
}

/** What is not left for the pod. */
export function shortagesOf(
  pod: Pod,
  { node, others, maxPods }: Pick<Admission, "node" | "others" | "maxPods">,
): Shortage[] {
  const lacking: Shortage[] = [];
  if (others.length + 1 > maxPods) {
    lacking.push({ resource: "pods", requested: 1, used: others.length, capacity: maxPods });
  }
  const allocatable = node?.status?.allocatable;
  if (!allocatable) return lacking;
  const requests = podRequests(pod);
  for (const resource of requests.keys()) {
    const requested = amountOf(requests, resource);
    if (requested === 0) continue;
    const capacity = amountOf(allocatable, resource);
    const used = others.reduce((sum, other) => sum + requestOf(other, resource), 0);
    if (used + requested > capacity) lacking.push({ resource, requested, used, capacity });
  }
  return lacking;
}

export function shortageText({ resource, requested, used, capacity }: Shortage): Refusal {
  return {
    reason: `OutOf${resource}`,
    message: `Node didn't have enough resource: ${resource}, requested: ${requested}, used: ${used}, capacity: ${capacity}`,
  };
}

function misplaced(pod: Pod, node: Node, others: readonly Pod[]): Refusal | undefined {
  const { spec } = pod;
  if (!spec) return undefined;
  const matches = requiredNodeMatcher(spec);
  if (matches && !matches(node)) {
    return predicate("NodeAffinity", "node(s) didn't match Pod's node affinity/selector");
  }
  if (others.some((other) => portsClash(pod, other))) {
    return predicate("NodePorts", "node(s) didn't have free ports for the requested pod ports");
  }
  const isStatic = pod.metadata.annotations?.["kubernetes.io/config.source"] !== undefined;
  if (!isStatic && untoleratedTaint(node.spec?.taints, spec.tolerations, ["NoExecute"])) {
    return predicate("TaintToleration", "node(s) had taints that the pod didn't tolerate");
  }
  return undefined;
}

function predicate(name: string, why: string): Refusal {
  return { reason: name, message: `Predicate ${name} failed: ${why}` };
}

function portsClash(a: Pod, b: Pod): boolean {
  const own = hostPorts(a);
  return own.length > 0 && hostPorts(b).some((other) => own.some((port) => clash(port, other)));
}

interface HostPort {
  ip: string;
  protocol: string;
  port: number;
}

function clash(a: HostPort, b: HostPort): boolean {
  const sameIP = a.ip === b.ip || a.ip === "0.0.0.0" || b.ip === "0.0.0.0";
  return a.port === b.port && a.protocol === b.protocol && sameIP;
}

function hostPorts({ spec }: Pod): HostPort[] {
  const sidecars = (spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === "Always");
  return [...(spec?.containers ?? []), ...sidecars].flatMap(({ ports = [] }) =>
    ports.flatMap(({ hostPort, hostIP, protocol = "TCP" }) =>
      hostPort ? [{ ip: hostIP || "0.0.0.0", protocol, port: hostPort }] : [],
    ),
  );
}

/** What one pod sets of these reaches no other pod. */
const SAFE_SYSCTLS = [
  "kernel.shm_rmid_forced",
  "net.ipv4.ip_local_port_range",
  "net.ipv4.tcp_syncookies",
  "net.ipv4.ping_group_range",
  "net.ipv4.ip_unprivileged_port_start",
  "net.ipv4.ip_local_reserved_ports",
  "net.ipv4.tcp_keepalive_time",
  "net.ipv4.tcp_fin_timeout",
  "net.ipv4.tcp_keepalive_intvl",
  "net.ipv4.tcp_keepalive_probes",
  "net.ipv4.tcp_rmem",
  "net.ipv4.tcp_wmem",
];

function forbiddenSysctl({ spec }: Pod, allowed: readonly string[]): Refusal | undefined {
  for (const { name } of spec?.securityContext?.sysctls ?? []) {
    const dotted = name.replaceAll("/", ".");
    const refuse = (why: string): Refusal => ({
      reason: "SysctlForbidden",
      message: `forbidden sysctl: ${JSON.stringify(name)} ${why}`,
    });
    const known = [...SAFE_SYSCTLS, ...allowed].some((pattern) =>
      pattern.endsWith("*") ? dotted.startsWith(pattern.slice(0, -1)) : dotted === pattern,
    );
    if (!known) return refuse("not allowlisted");
    if (dotted.startsWith("net.") && spec?.hostNetwork) return refuse("not allowed with host net enabled");
    if (!dotted.startsWith("net.") && spec?.hostIPC) return refuse("not allowed with host ipc enabled");
  }
  return undefined;
}
