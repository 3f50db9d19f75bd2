/**
 * The served groups, versions and resources as discovery tells them, computed from the declarations. The documents of
 * both discovery forms are printed from this one model, so that they cannot disagree.
 */
import { createHash } from "node:crypto";
import type { KubeObject } from "../../api/object.ts";
import type { Resource, Subresource } from "../../api/resource.ts";

/** A kind as an answer names it; group and version are "" where they are those of the list. */
export interface ResponseKind {
  group: string;
  version: string;
  kind: string;
}

export interface DiscoveredSubresource {
  name: string;
  responseKind: ResponseKind;
  verbs: readonly string[];
}

export interface DiscoveredResource {
  plural: string;
  singular: string;
  kind: string;
  namespaced: boolean;
  verbs: readonly string[];
  shortNames: readonly string[];
  categories: readonly string[];
  /** Absent for what is not stored. */
  storageVersionHash: string | undefined;
  subresources: readonly DiscoveredSubresource[];
}

export interface DiscoveredVersion {
  version: string;
  resources: readonly DiscoveredResource[];
}

/** `versions` are in the order of preference; the first is the preferred one. */
export interface DiscoveredGroup {
  name: string;
  versions: readonly DiscoveredVersion[];
}

/** The built-in groups in the order that upstream ranks them (group priorities of its API services). */
const GROUP_ORDER = [
  "",
  "apiregistration.k8s.io",
  "apps",
  "events.k8s.io",
  "authentication.k8s.io",
  "authorization.k8s.io",
  "autoscaling",
  "batch",
  "certificates.k8s.io",
  "networking.k8s.io",
  "policy",
  "rbac.authorization.k8s.io",
  "storage.k8s.io",
  "admissionregistration.k8s.io",
  "apiextensions.k8s.io",
  "scheduling.k8s.io",
  "coordination.k8s.io",
  "node.k8s.io",
  "discovery.k8s.io",
  "resource.k8s.io",
  "flowcontrol.apiserver.k8s.io",
  "internal.apiserver.k8s.io",
  "storagemigration.k8s.io",
];

type AnyResource = Resource<KubeObject>;

/** Groups of `resources`, ranked; within a version the resources are in the order of their names. */
export function discoverGroups(resources: Iterable<AnyResource>): DiscoveredGroup[] {
  const groups = new Map<string, Map<string, DiscoveredResource[]>>();
  const add = (group: string, version: string, found: DiscoveredResource) => {
    let versions = groups.get(group);
    if (!versions) {
      versions = new Map();
      groups.set(group, versions);
    }
    const list = versions.get(version);
    if (list) list.push(found);
    else versions.set(version, [found]);
  };
  for (const resource of resources) {
    add(resource.group, resource.version, discovered(resource, resource));
    for (const alternate of resource.alternates) {
      add(alternate.group, alternate.version, discovered(resource, alternate));
    }
  }
  return [...groups]
    .sort(([a], [b]) => groupRank(a) - groupRank(b) || byText(a, b))
    .map(([name, versions]) => ({
      name,
      versions: [...versions]
        .sort(([a], [b]) => compareVersions(b, a))
        .map(([version, list]) => ({ version, resources: list.sort((a, b) => byText(a.plural, b.plural)) })),
    }));
}

function groupRank(group: string): number {
  const at = GROUP_ORDER.indexOf(group);
  return at < 0 ? GROUP_ORDER.length : at;
}

function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function discovered(
  resource: AnyResource,
  served: { group: string; version: string; kind: string },
): DiscoveredResource {
  return {
    plural: resource.plural,
    singular: resource.singular,
    kind: served.kind,
    namespaced: resource.scope === "Namespaced",
    verbs: [...resource.verbs].sort(),
    shortNames: resource.shortNames,
    categories: resource.categories,
    storageVersionHash: resource.virtual ? undefined : storageVersionHash(resource),
    subresources: Object.keys(resource.subresources)
      .sort()
      .map((name) => {
        const subresource = resource.subresources[name] as Subresource<KubeObject>;
        return { name, responseKind: responseKind(subresource, served), verbs: verbsOf(subresource) };
      }),
  };
}

function responseKind(
  subresource: Subresource<KubeObject>,
  served: { group: string; version: string; kind: string },
): ResponseKind {
  switch (subresource.acts) {
    case "update":
      return { group: "", version: "", kind: served.kind };
    case "scale":
      return relative({ group: "autoscaling", version: "v1", kind: "Scale" }, served);
    case "create":
      return relative(subresource.kind, served);
    case "connect":
      return { group: "", version: "", kind: subresource.kind };
  }
}

function relative(kind: ResponseKind, served: { group: string; version: string }): ResponseKind {
  const same = kind.group === served.group && kind.version === served.version;
  return same ? { group: "", version: "", kind: kind.kind } : kind;
}

function verbsOf(subresource: Subresource<KubeObject>): string[] {
  if (subresource.acts === "scale") return ["get", "patch", "update"];
  if (subresource.acts === "create") return ["create"];
  return [...subresource.verbs].sort();
}

/** What clients compare to know that a resource is stored in another version than before. */
export function storageVersionHash(stored: { group: string; version: string; kind: string }): string {
  const text = `${stored.group}/${stored.version}/${stored.kind}`;
  return createHash("sha256").update(text).digest().subarray(0, 8).toString("base64");
}

const VERSION = /^v(\d+)(?:(alpha|beta)(\d+))?$/;
const STAGES = ["alpha", "beta", undefined];

/**
 * Above 0 where `a` is preferred to `b`: stable before beta before alpha, then the larger number; what is not named as
 * Kubernetes names versions comes last, in the order of the text.
 */
export function compareVersions(a: string, b: string): number {
  const [x, y] = [VERSION.exec(a), VERSION.exec(b)];
  if (!x || !y) return x ? 1 : y ? -1 : byText(b, a);
  return (
    STAGES.indexOf(x[2]) - STAGES.indexOf(y[2]) ||
    Number(x[1]) - Number(y[1]) ||
    Number(x[3] ?? 0) - Number(y[3] ?? 0)
  );
}
