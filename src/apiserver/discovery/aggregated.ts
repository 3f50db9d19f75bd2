/** The second form of discovery: everything in one document (apidiscovery.k8s.io). */
import type { DiscoveredGroup, DiscoveredResource } from "./groups.ts";

/** The versions of apidiscovery.k8s.io that a client may ask for; both have the same fields. */
export type AggregatedVersion = "v2" | "v2beta1";

export function aggregatedDiscovery(groups: readonly DiscoveredGroup[], version: AggregatedVersion) {
  return {
    kind: "APIGroupDiscoveryList",
    apiVersion: `apidiscovery.k8s.io/${version}`,
    metadata: {},
    items: groups.map(({ name, versions }) => ({
      metadata: name === "" ? {} : { name },
      versions: versions.map((served) => ({
        version: served.version,
        resources: served.resources.map(resourceDiscovery),
        freshness: "Current",
      })),
    })),
  };
}

function resourceDiscovery(resource: DiscoveredResource) {
  const { plural, kind, namespaced, singular, verbs, shortNames, categories, subresources } = resource;
  return {
    resource: plural,
    responseKind: { group: "", version: "", kind },
    scope: namespaced ? "Namespaced" : "Cluster",
    singularResource: singular,
    verbs,
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
    ...(subresources.length > 0
      ? {
          subresources: subresources.map((subresource) => ({
            subresource: subresource.name,
            responseKind: subresource.responseKind,
            verbs: subresource.verbs,
          })),
        }
      : {}),
  };
}

export function aggregatedContentType(version: AggregatedVersion): string {
  return `application/json;g=apidiscovery.k8s.io;v=${version};as=APIGroupDiscoveryList`;
}

/** Which form an Accept header asks for; undefined is the first form, which every client understands. */
export function acceptedForm(accept: string | undefined): AggregatedVersion | undefined {
  for (const clause of (accept ?? "").split(",")) {
    const [type = "", ...parameters] = clause.split(";").map((part) => part.trim());
    if (type !== "application/json" && type !== "application/*" && type !== "*/*") continue;
    const asked = new Map(parameters.map((p) => [p.slice(0, p.indexOf("=")), p.slice(p.indexOf("=") + 1)]));
    if (asked.get("as") === undefined) return undefined;
    const version = asked.get("v");
    const known = asked.get("g") === "apidiscovery.k8s.io" && asked.get("as") === "APIGroupDiscoveryList";
    if (known && (version === "v2" || version === "v2beta1")) return version;
  }
  return undefined;
}
