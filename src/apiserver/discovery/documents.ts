/** The documents of the first form of discovery: one list per group version (meta/v1). */
import { apiVersionOf } from "../../api/object.ts";
import type { DiscoveredGroup, DiscoveredResource, DiscoveredVersion, ResponseKind } from "./groups.ts";

export interface GroupVersionForDiscovery {
  groupVersion: string;
  version: string;
}

export interface APIGroup {
  name: string;
  versions: GroupVersionForDiscovery[];
  preferredVersion: GroupVersionForDiscovery;
}

export interface APIResource {
  name: string;
  singularName: string;
  namespaced: boolean;
  group?: string;
  version?: string;
  kind: string;
  verbs: readonly string[];
  shortNames?: readonly string[];
  categories?: readonly string[];
  storageVersionHash?: string;
}

/** `/api`. `serverAddress` is `host:port` as clients reach the server. */
export function apiVersions(core: DiscoveredGroup | undefined, serverAddress: string) {
  return {
    kind: "APIVersions",
    versions: (core?.versions ?? []).map((v) => v.version),
    serverAddressByClientCIDRs: [{ clientCIDR: "0.0.0.0/0", serverAddress }],
  };
}

/** `/apis`. */
export function apiGroupList(groups: readonly DiscoveredGroup[]) {
  return {
    kind: "APIGroupList",
    apiVersion: "v1",
    groups: groups.filter(({ name }) => name !== "").map(apiGroup),
  };
}

/** `/apis/<group>`. */
export function apiGroupDocument(group: DiscoveredGroup) {
  return { kind: "APIGroup", apiVersion: "v1", ...apiGroup(group) };
}

function apiGroup({ name, versions }: DiscoveredGroup): APIGroup {
  const served = versions.map(({ version }) => ({
    groupVersion: apiVersionOf({ group: name, version }),
    version,
  }));
  return { name, versions: served, preferredVersion: served[0] as GroupVersionForDiscovery };
}

/** `/api/v1` and `/apis/<group>/<version>`. */
export function apiResourceList(group: string, { version, resources }: DiscoveredVersion) {
  return {
    kind: "APIResourceList",
    // Upstream leaves apiVersion out for the core group only.
    ...(group === "" ? {} : { apiVersion: "v1" }),
    groupVersion: apiVersionOf({ group, version }),
    resources: resources.flatMap(apiResources),
  };
}

function apiResources(resource: DiscoveredResource): APIResource[] {
  const { plural, singular, namespaced, kind, verbs, shortNames, categories, storageVersionHash } = resource;
  const own: APIResource = { name: plural, singularName: singular, namespaced, kind, verbs };
  if (shortNames.length > 0) own.shortNames = shortNames;
  if (categories.length > 0) own.categories = categories;
  if (storageVersionHash !== undefined) own.storageVersionHash = storageVersionHash;
  const below = resource.subresources.map((subresource) => ({
    name: `${plural}/${subresource.name}`,
    singularName: "",
    namespaced,
    ...withoutEmpty(subresource.responseKind),
    verbs: subresource.verbs,
  }));
  return [own, ...below];
}

function withoutEmpty({ group, version, kind }: ResponseKind) {
  return version === "" ? { kind } : { group, version, kind };
}
