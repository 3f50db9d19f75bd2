import type { Volume } from "../../api/schema/core.v1.generated.ts";
import { forbiddenProcMount } from "./baseline-checks.ts";
import {
  type Check,
  containerList,
  containersOf,
  containersWhere,
  hasOwnUsers,
  isWindows,
  plural,
  quotedList,
  setters,
  sorted,
} from "./check.ts";

const VOLUMES = new Set([
  "configMap",
  "csi",
  "downwardAPI",
  "emptyDir",
  "ephemeral",
  "image",
  "persistentVolumeClaim",
  "projected",
  "secret",
]);

const allowPrivilegeEscalation: Check = {
  id: "allowPrivilegeEscalation",
  level: "restricted",
  since: 8,
  check(spec, _, minor) {
    if (isWindows(spec, minor)) return undefined;
    const names = containersWhere(spec, (c) => c?.allowPrivilegeEscalation !== false);
    if (names.length === 0) return undefined;
    return {
      reason: "allowPrivilegeEscalation != false",
      detail: `${containerList(names)} must set securityContext.allowPrivilegeEscalation=false`,
    };
  },
};

const capabilities: Check = {
  id: "capabilities_restricted",
  level: "restricted",
  since: 22,
  overrides: "capabilities_baseline",
  check(spec, _, minor) {
    if (isWindows(spec, minor)) return undefined;
    const keeping = containersWhere(spec, (c) => !c?.capabilities?.drop?.includes("ALL"));
    const adding: string[] = [];
    const added: string[] = [];
    for (const { name, securityContext } of containersOf(spec)) {
      const bad = (securityContext?.capabilities?.add ?? []).filter((c) => c !== "NET_BIND_SERVICE");
      if (bad.length > 0) adding.push(name);
      added.push(...bad);
    }
    const found: string[] = [];
    if (keeping.length > 0) {
      found.push(`${containerList(keeping)} must set securityContext.capabilities.drop=["ALL"]`);
    }
    if (adding.length > 0) {
      found.push(
        `${containerList(adding)} must not include ${quotedList(sorted(added))} in securityContext.capabilities.add`,
      );
    }
    return found.length === 0 ? undefined : { reason: "unrestricted capabilities", detail: found.join("; ") };
  },
};

const procMount: Check = {
  id: "procMount_restricted",
  level: "restricted",
  since: 35,
  overrides: "procMount",
  check: (spec) => forbiddenProcMount(spec),
};

const volumeTypes: Check = {
  id: "restrictedVolumes",
  level: "restricted",
  since: 0,
  overrides: "hostPathVolumes",
  check({ volumes = [] }) {
    const types = new Set<string>();
    const names: string[] = [];
    for (const volume of volumes) {
      const type = typeOf(volume);
      if (type === undefined || VOLUMES.has(type)) continue;
      names.push(volume.name);
      types.add(type);
    }
    if (names.length === 0) return undefined;
    const uses = plural("uses", "use", names.length);
    const what = plural("restricted volume type", "restricted volume types", types.size);
    return {
      reason: "restricted volume types",
      detail: `${plural("volume", "volumes", names.length)} ${quotedList(names)} ${uses} ${what} ${quotedList(sorted(types))}`,
    };
  },
};

function typeOf(volume: Volume): string | undefined {
  const { name: _, ...source } = volume;
  for (const [type, value] of Object.entries(source)) if (value !== undefined) return type;
  return undefined;
}

const runAsNonRoot: Check = {
  id: "runAsNonRoot",
  level: "restricted",
  since: 0,
  check(spec, _, minor) {
    if (hasOwnUsers(spec, minor)) return undefined;
    const pod = spec.securityContext?.runAsNonRoot;
    const wrong = containersWhere(spec, (c) => c?.runAsNonRoot === false);
    const silent = containersWhere(spec, (c) => c?.runAsNonRoot === undefined);
    if (wrong.length > 0 || (pod === false && silent.length > 0)) {
      return {
        reason: "runAsNonRoot != true",
        detail: `${setters(pod === false, wrong)} must not set securityContext.runAsNonRoot=false`,
      };
    }
    if (pod === true || silent.length === 0) return undefined;
    return {
      reason: "runAsNonRoot != true",
      detail: `pod or ${containerList(silent)} must set securityContext.runAsNonRoot=true`,
    };
  },
};

const runAsUser: Check = {
  id: "runAsUser",
  level: "restricted",
  since: 23,
  check(spec, _, minor) {
    if (hasOwnUsers(spec, minor)) return undefined;
    const pod = spec.securityContext?.runAsUser === 0;
    const names = containersWhere(spec, (c) => c?.runAsUser === 0);
    if (!pod && names.length === 0) return undefined;
    return { reason: "runAsUser=0", detail: `${setters(pod, names)} must not set runAsUser=0` };
  },
};

const seccompProfile: Check = {
  id: "seccompProfile_restricted",
  level: "restricted",
  since: 19,
  overrides: "seccompProfile_baseline",
  check(spec, _, minor) {
    if (isWindows(spec, minor)) return undefined;
    const good = (type: string | undefined) => type === "RuntimeDefault" || type === "Localhost";
    const pod = spec.securityContext?.seccompProfile?.type;
    const types: string[] = pod !== undefined && !good(pod) ? [pod] : [];
    const badPod = types.length > 0;
    const wrong = containersWhere(spec, (c) => {
      const type = c?.seccompProfile?.type;
      const bad = type !== undefined && !good(type);
      if (bad) types.push(type);
      return bad;
    });
    if (types.length > 0) {
      return {
        reason: "seccompProfile",
        detail: `${setters(badPod, wrong)} must not set securityContext.seccompProfile.type to ${quotedList(sorted(types))}`,
      };
    }
    if (pod !== undefined) return undefined;
    const silent = containersWhere(spec, (c) => c?.seccompProfile?.type === undefined);
    if (silent.length === 0) return undefined;
    return {
      reason: "seccompProfile",
      detail: `pod or ${containerList(silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
    };
  },
};

/** In the order of their ids, as violations are listed. */
export const RESTRICTED: readonly Check[] = [
  allowPrivilegeEscalation,
  capabilities,
  procMount,
  volumeTypes,
  runAsNonRoot,
  runAsUser,
  seccompProfile,
];
