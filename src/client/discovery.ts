/** What a server serves, of one aggregated discovery document for /api and one for /apis. */
import type { Client } from "./client.ts";
import type { ResourceKind } from "./resource-client.ts";

export interface DiscoveredKind extends ResourceKind {
  verbs: readonly string[];
}

export interface Discovery {
  /** Each resource once, in the version that its group prefers. */
  resources: DiscoveredKind[];
  /** Group versions whose server did not answer, with what is said of them. */
  failed: { groupVersion: string; why: string }[];
}

interface GroupDiscoveryList {
  items?: {
    metadata?: { name?: string };
    versions?: {
      version: string;
      freshness?: string;
      resources?: { resource: string; responseKind?: { kind?: string }; scope: string; verbs?: string[] }[];
    }[];
  }[];
}

const ACCEPT = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";
const decoder = new TextDecoder();

export async function discover(client: Client): Promise<Discovery> {
  const documents = await Promise.all(
    ["/api", "/apis"].map(async (path) => {
      const { body } = await client.request({ method: "GET", path, headers: { accept: ACCEPT } });
      return JSON.parse(decoder.decode(body)) as GroupDiscoveryList;
    }),
  );
  const resources = new Map<string, DiscoveredKind>();
  const failed: Discovery["failed"] = [];
  for (const { metadata, versions = [] } of documents.flatMap(({ items = [] }) => items)) {
    const group = metadata?.name ?? "";
    for (const { version, freshness, resources: served = [] } of versions) {
      if (freshness === "Stale") {
        const why = "stale GroupVersion discovery";
        failed.push({ groupVersion: group === "" ? version : `${group}/${version}`, why });
      }
      for (const { resource, responseKind, scope, verbs = [] } of served) {
        const key = `${resource}.${group}`;
        // Versions come in the order of preference.
        if (resources.has(key)) continue;
        const namespaced = scope === "Namespaced";
        resources.set(key, {
          group,
          version,
          kind: responseKind?.kind ?? "",
          plural: resource,
          scope: namespaced ? "Namespaced" : "Cluster",
          verbs,
        });
      }
    }
  }
  return { resources: [...resources.values()], failed };
}
