/** What is allowed but likely not meant; the client shows it. */

import { isDNS1123Label } from "../../../machinery/names/names.ts";
import type { Container, Pod, PodSpec } from "../../schema/core.v1.generated.ts";
import { isWhole } from "./quantities.ts";

const LISTS = ["initContainers", "containers"] as const;

const DEPRECATED_LABELS: readonly [string, string][] = [
  ["beta.kubernetes.io/arch", 'deprecated since v1.14; use "kubernetes.io/arch" instead'],
  ["beta.kubernetes.io/os", 'deprecated since v1.14; use "kubernetes.io/os" instead'],
  [
    "failure-domain.beta.kubernetes.io/region",
    'deprecated since v1.17; use "topology.kubernetes.io/region" instead',
  ],
  [
    "failure-domain.beta.kubernetes.io/zone",
    'deprecated since v1.17; use "topology.kubernetes.io/zone" instead',
  ],
  [
    "beta.kubernetes.io/instance-type",
    'deprecated since v1.17; use "node.kubernetes.io/instance-type" instead',
  ],
];

const DEPRECATED_VOLUMES: readonly [string, string][] = [
  ["photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"],
  ["gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"],
  ["scaleIO", "deprecated in v1.16, non-functional in v1.22+"],
  ["flocker", "deprecated in v1.22, non-functional in v1.25+"],
  ["storageos", "deprecated in v1.22, non-functional in v1.25+"],
  ["quobyte", "deprecated in v1.22, non-functional in v1.25+"],
  ["glusterfs", "deprecated in v1.25, non-functional in v1.26+"],
  ["cephfs", "deprecated in v1.28, non-functional in v1.31+"],
  ["rbd", "deprecated in v1.28, non-functional in v1.31+"],
];

export function podWarnings(pod: Pod, old: Pod | undefined): string[] {
  if (!pod.spec) return [];
  const out: string[] = [];
  // Spec and annotations rarely change after creation; the warnings were given then.
  if (!old) {
    const name = pod.metadata.name ?? "";
    if (name !== "" && isDNS1123Label(name).length > 0) {
      const why =
        "this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended";
      out.push(`metadata.name: ${why}: [${isDNS1123Label(name).join(" ")}]`);
    }
  }
  specWarnings(pod.spec, pod.metadata.annotations ?? {}, "", out);
  return out;
}

/** Of a template at `spec.template`, or a pod with `at` empty. */
export function specWarnings(
  spec: PodSpec,
  annotations: Readonly<Record<string, string>>,
  at: string,
  out: string[],
): void {
  const path = at === "" ? "spec" : `${at}.spec`;
  for (const [label, why] of DEPRECATED_LABELS) {
    if (spec.nodeSelector && Object.hasOwn(spec.nodeSelector, label)) {
      out.push(`${path}.nodeSelector[${label}]: ${why}`);
    }
  }
  aliasWarnings(spec, path, out);
  volumeWarnings(spec, path, out);
  const secrets = new Set<string>();
  spec.imagePullSecrets?.forEach(({ name }, i) => {
    const where = `${path}.imagePullSecrets[${i}]`;
    if (!name) out.push(`${where}: invalid empty name ""`);
    else if (secrets.has(name)) out.push(`${where}: duplicate name "${name}"`);
    else secrets.add(name);
  });
  for (const list of LISTS) {
    spec[list]?.forEach((container, i) => {
      containerWarnings(container, `${path}.${list}[${i}]`, out);
    });
  }
  if (spec.containers.length + (spec.initContainers?.length ?? 0) > 0) portWarnings(spec, path, out);
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0) {
    out.push(
      `${path}.terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1`,
    );
  }
  annotationWarnings(annotations, at === "" ? "metadata" : `${at}.metadata`, out);
}

function aliasWarnings(spec: PodSpec, path: string, out: string[]): void {
  const seen = new Set<string | undefined>();
  spec.hostAliases?.forEach(({ ip }, i) => {
    if (seen.has(ip)) out.push(`${path}.hostAliases[${i}].ip: duplicate ip "${ip}"`);
    seen.add(ip);
  });
}

function volumeWarnings(spec: PodSpec, path: string, out: string[]): void {
  spec.volumes?.forEach((volume, i) => {
    const where = `${path}.volumes[${i}]`;
    for (const [source, why] of DEPRECATED_VOLUMES) {
      if (volume[source as keyof typeof volume]) out.push(`${where}.${source}: ${why}`);
    }
    const size = volume.emptyDir?.sizeLimit;
    if (size !== undefined && !isWhole(size))
      out.push(`${where}.emptyDir.sizeLimit: fractional byte value "${size}" is invalid, must be an integer`);
    if (volume.projected) overlapWarnings(volume.projected.sources ?? [], where, volume.name, out);
  });
}

type Sources = NonNullable<NonNullable<NonNullable<PodSpec["volumes"]>[number]["projected"]>["sources"]>;

/** Two sources of a projected volume that write the same file: the later one wins. */
function overlapWarnings(sources: Sources, where: string, volume: string, out: string[]): void {
  const seen = new Set<string>();
  for (const source of sources) {
    const paths: string[] = [];
    for (const files of [source.secret, source.configMap, source.downwardAPI]) {
      for (const item of files?.items ?? []) paths.push(item.path);
    }
    if (source.serviceAccountToken) paths.push(source.serviceAccountToken.path);
    if (source.clusterTrustBundle?.path) paths.push(source.clusterTrustBundle.path);
    for (const path of paths) {
      if (seen.has(path)) out.push(`${where}: volume "${volume}" has overlapping paths: "${path}"`);
      seen.add(path);
    }
  }
}

function containerWarnings({ env, resources }: Container, path: string, out: string[]): void {
  for (const list of ["limits", "requests"] as const) {
    for (const name of ["memory", "ephemeral-storage"]) {
      const quantity = resources?.[list]?.[name];
      if (quantity === undefined || isWhole(quantity)) continue;
      out.push(
        `${path}.resources.${list}[${name}]: fractional byte value "${quantity}" is invalid, must be an integer`,
      );
    }
  }
  if (!env || env.length < 2) return;
  const seen = new Map<string, string>();
  env.forEach(({ name, value = "" }, i) => {
    const before = seen.get(name);
    // A later variable that uses the earlier one of its own name is meant to hide it.
    if (before !== undefined && !value.includes(`$(${name})`)) {
      out.push(
        `${path}.env[${i}]: hides previous definition of "${name}", which may be dropped when using apply`,
      );
    }
    seen.set(name, value);
  });
}

function portWarnings(spec: PodSpec, path: string, out: string[]): void {
  let first: Map<string, string> | undefined;
  for (const list of LISTS) {
    spec[list]?.forEach(({ ports }, c) => {
      ports?.forEach(({ containerPort, protocol = "TCP", hostPort = 0, hostIP = "" }, p) => {
        const where = `${path}.${list}[${c}].ports[${p}]`;
        const key = `${containerPort}/${protocol}/${hostPort}/${hostIP}`;
        first ??= new Map();
        const before = first.get(key);
        if (before !== undefined) out.push(`${where}: duplicate port definition with ${before}`);
        else first.set(key, where);
      });
    });
  }
}

function annotationWarnings(
  annotations: Readonly<Record<string, string>>,
  path: string,
  out: string[],
): void {
  for (const key in annotations) {
    const where = `${path}.annotations[${key}]`;
    if (key === "seccomp.security.alpha.kubernetes.io/pod") {
      out.push(`${where}: non-functional in v1.27+; use the "seccompProfile" field instead`);
    } else if (key.startsWith("container.seccomp.security.alpha.kubernetes.io/")) {
      out.push(`${where}: non-functional in v1.27+; use the "seccompProfile" field instead`);
    } else if (key.startsWith("container.apparmor.security.beta.kubernetes.io/")) {
      out.push(`${where}: deprecated since v1.30; use the "appArmorProfile" field instead`);
    } else if (key === "scheduler.alpha.kubernetes.io/critical-pod") {
      out.push(`${where}: non-functional in v1.16+; use the "priorityClassName" field instead`);
    }
  }
}
