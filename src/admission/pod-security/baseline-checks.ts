import type { LifecycleHandler, Probe, SELinuxOptions } from "../../api/schema/core.v1.generated.ts";
import {
  type AnyContainer,
  type Check,
  containerList,
  containersOf,
  containersWhere,
  hasOwnUsers,
  plural,
  quotedList,
  setters,
  sorted,
} from "./check.ts";

const DEFAULT_CAPABILITIES = new Set([
  "AUDIT_WRITE",
  "CHOWN",
  "DAC_OVERRIDE",
  "FOWNER",
  "FSETID",
  "KILL",
  "MKNOD",
  "NET_BIND_SERVICE",
  "SETFCAP",
  "SETGID",
  "SETPCAP",
  "SETUID",
  "SYS_CHROOT",
]);

/** Sysctls that touch nothing outside the pod, by the version that took them in. */
const SAFE_SYSCTLS: Readonly<Record<string, number>> = {
  "kernel.shm_rmid_forced": 0,
  "net.ipv4.ip_local_port_range": 0,
  "net.ipv4.tcp_syncookies": 0,
  "net.ipv4.ping_group_range": 0,
  "net.ipv4.ip_unprivileged_port_start": 0,
  "net.ipv4.ip_local_reserved_ports": 27,
  "net.ipv4.tcp_keepalive_time": 29,
  "net.ipv4.tcp_fin_timeout": 29,
  "net.ipv4.tcp_keepalive_intvl": 29,
  "net.ipv4.tcp_keepalive_probes": 29,
  "net.ipv4.tcp_rmem": 32,
  "net.ipv4.tcp_wmem": 32,
};

const SELINUX_TYPES: Readonly<Record<string, number>> = {
  "": 0,
  container_t: 0,
  container_init_t: 0,
  container_kvm_t: 0,
  container_engine_t: 31,
};

const APPARMOR_ANNOTATION = "container.apparmor.security.beta.kubernetes.io/";

const appArmorProfile: Check = {
  id: "appArmorProfile",
  level: "baseline",
  since: 0,
  check(spec, { annotations }) {
    const found: string[] = [];
    const pod = spec.securityContext?.appArmorProfile?.type;
    const badPod = pod === "Unconfined";
    const containers = containersWhere(spec, (c) => c?.appArmorProfile?.type === "Unconfined");
    if (badPod || containers.length > 0) {
      found.push(`${setters(badPod, containers)} must not set AppArmor profile type to "Unconfined"`);
    }
    const marked = Object.entries(annotations ?? {})
      .filter(([key, value]) => key.startsWith(APPARMOR_ANNOTATION) && !isAllowedAppArmor(value))
      .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
      .sort();
    if (marked.length > 0) {
      found.push(`${plural("annotation", "annotations", marked.length)} ${marked.join(", ")}`);
    }
    if (found.length === 0) return undefined;
    return {
      reason: plural(
        "forbidden AppArmor profile",
        "forbidden AppArmor profiles",
        containers.length + marked.length + +badPod,
      ),
      detail: found.join(", "),
    };
  },
};

function isAllowedAppArmor(value: string): boolean {
  return value === "" || value === "runtime/default" || value.startsWith("localhost/");
}

const capabilities: Check = {
  id: "capabilities_baseline",
  level: "baseline",
  since: 0,
  check(spec) {
    const names: string[] = [];
    const added: string[] = [];
    for (const { name, securityContext } of containersOf(spec)) {
      const bad = (securityContext?.capabilities?.add ?? []).filter((c) => !DEFAULT_CAPABILITIES.has(c));
      if (bad.length > 0) names.push(name);
      added.push(...bad);
    }
    if (names.length === 0) return undefined;
    return {
      reason: "non-default capabilities",
      detail: `${containerList(names)} must not include ${quotedList(sorted(added))} in securityContext.capabilities.add`,
    };
  },
};

const hostNamespaces: Check = {
  id: "hostNamespaces",
  level: "baseline",
  since: 0,
  check(spec) {
    const set = (["hostNetwork", "hostPID", "hostIPC"] as const).filter((name) => spec[name]);
    if (set.length === 0) return undefined;
    return { reason: "host namespaces", detail: set.map((name) => `${name}=true`).join(", ") };
  },
};

const hostPathVolumes: Check = {
  id: "hostPathVolumes",
  level: "baseline",
  since: 0,
  check({ volumes = [] }) {
    const names = volumes.filter(({ hostPath }) => hostPath).map(({ name }) => name);
    if (names.length === 0) return undefined;
    return {
      reason: "hostPath volumes",
      detail: `${plural("volume", "volumes", names.length)} ${quotedList(names)}`,
    };
  },
};

const hostPorts: Check = {
  id: "hostPorts",
  level: "baseline",
  since: 0,
  check(spec) {
    const ports = new Set<number>();
    const names = containersWhere(spec, (_, container) => {
      const bad = (container.ports ?? []).filter(({ hostPort }) => hostPort);
      for (const { hostPort } of bad) ports.add(hostPort!);
      return bad.length > 0;
    });
    if (names.length === 0) return undefined;
    const uses = plural("uses", "use", names.length);
    const what = plural("hostPort", "hostPorts", ports.size);
    const list = [...ports].map(String).sort().join(", ");
    return { reason: "hostPort", detail: `${containerList(names)} ${uses} ${what} ${list}` };
  },
};

const hostProbes: Check = {
  id: "hostProbesAndHostLifecycle",
  level: "baseline",
  since: 34,
  check(spec) {
    const hosts = new Set<string>();
    const names = containersWhere(spec, (_, container) => {
      const bad = handlersOf(container)
        .flatMap((handler) => [handler?.httpGet?.host, handler?.tcpSocket?.host])
        .filter((host) => host !== undefined && host !== "");
      for (const host of bad) hosts.add(host!);
      return bad.length > 0;
    });
    if (names.length === 0) return undefined;
    const uses = plural("uses", "use", names.length);
    const what = plural("probe or lifecycle host", "probe or lifecycle hosts", hosts.size);
    return {
      reason: "probe or lifecycle host",
      detail: `${containerList(names)} ${uses} ${what} ${quotedList(sorted(hosts))}`,
    };
  },
};

function handlersOf(container: AnyContainer): (Probe | LifecycleHandler | undefined)[] {
  const { livenessProbe, readinessProbe, startupProbe, lifecycle } = container;
  return [livenessProbe, readinessProbe, startupProbe, lifecycle?.postStart, lifecycle?.preStop];
}

const privileged: Check = {
  id: "privileged",
  level: "baseline",
  since: 0,
  check(spec) {
    const names = containersWhere(spec, (c) => c?.privileged === true);
    if (names.length === 0) return undefined;
    return {
      reason: "privileged",
      detail: `${containerList(names)} must not set securityContext.privileged=true`,
    };
  },
};

const procMount: Check = {
  id: "procMount",
  level: "baseline",
  since: 0,
  check(spec, _, minor) {
    if (hasOwnUsers(spec, minor)) return undefined;
    return forbiddenProcMount(spec);
  },
};

export function forbiddenProcMount(spec: Parameters<Check["check"]>[0]) {
  const found = new Set<string>();
  const names = containersWhere(spec, (c) => {
    const mount = c?.procMount;
    if (mount === undefined || mount === "Default") return false;
    found.add(mount);
    return true;
  });
  if (names.length === 0) return undefined;
  return {
    reason: "procMount",
    detail: `${containerList(names)} must not set securityContext.procMount to ${quotedList(sorted(found))}`,
  };
}

const seccompProfile: Check = {
  id: "seccompProfile_baseline",
  level: "baseline",
  since: 19,
  check(spec) {
    const bad = (type: string | undefined) =>
      type !== undefined && type !== "RuntimeDefault" && type !== "Localhost";
    const types: string[] = [];
    const pod = spec.securityContext?.seccompProfile?.type;
    if (bad(pod)) types.push(pod!);
    const names = containersWhere(spec, (c) => {
      const type = c?.seccompProfile?.type;
      if (bad(type)) types.push(type!);
      return bad(type);
    });
    if (types.length === 0) return undefined;
    return {
      reason: "seccompProfile",
      detail: `${setters(bad(pod), names)} must not set securityContext.seccompProfile.type to ${quotedList(sorted(types))}`,
    };
  },
};

const seLinuxOptions: Check = {
  id: "seLinuxOptions",
  level: "baseline",
  since: 0,
  check(spec, _, minor) {
    const types = new Set<string>();
    let user = false;
    let role = false;
    const bad = (options: SELinuxOptions | undefined) => {
      if (!options) return false;
      const { type = "" } = options;
      const badType = !(Object.hasOwn(SELINUX_TYPES, type) && SELINUX_TYPES[type]! <= minor);
      if (badType) types.add(type);
      if (options.user) user = true;
      if (options.role) role = true;
      return badType || !!options.user || !!options.role;
    };
    const pod = bad(spec.securityContext?.seLinuxOptions);
    const names = containersWhere(spec, (c) => bad(c?.seLinuxOptions));
    if (!pod && names.length === 0) return undefined;
    const what: string[] = [];
    if (types.size > 0) what.push(`${plural("type", "types", types.size)} ${quotedList(sorted(types))}`);
    if (user) what.push("user may not be set");
    if (role) what.push("role may not be set");
    return {
      reason: "seLinuxOptions",
      detail: `${setters(pod, names)} set forbidden securityContext.seLinuxOptions: ${what.join("; ")}`,
    };
  },
};

const sysctls: Check = {
  id: "sysctls",
  level: "baseline",
  since: 0,
  check({ securityContext }, _, minor) {
    const bad = (securityContext?.sysctls ?? [])
      .map(({ name }) => name)
      .filter((name) => !(Object.hasOwn(SAFE_SYSCTLS, name) && SAFE_SYSCTLS[name]! <= minor));
    if (bad.length === 0) return undefined;
    return { reason: "forbidden sysctls", detail: bad.join(", ") };
  },
};

const windowsHostProcess: Check = {
  id: "windowsHostProcess",
  level: "baseline",
  since: 0,
  check(spec) {
    const pod = spec.securityContext?.windowsOptions?.hostProcess === true;
    const names = containersWhere(spec, (c) => c?.windowsOptions?.hostProcess === true);
    if (!pod && names.length === 0) return undefined;
    return {
      reason: "hostProcess",
      detail: `${setters(pod, names)} must not set securityContext.windowsOptions.hostProcess=true`,
    };
  },
};

/** In the order of their ids, as violations are listed. */
export const BASELINE: readonly Check[] = [
  appArmorProfile,
  capabilities,
  hostNamespaces,
  hostPathVolumes,
  hostPorts,
  hostProbes,
  privileged,
  procMount,
  seLinuxOptions,
  seccompProfile,
  sysctls,
  windowsHostProcess,
];
