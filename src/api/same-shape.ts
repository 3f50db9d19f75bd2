import { apiVersionOf, type KubeObject } from "./object.ts";
import type { AlternateVersion } from "./resource.ts";

/** Another version of a kind that differs from the stored one in its apiVersion alone. */
export function sameShape<T extends KubeObject>(
  group: string,
  kind: string,
  stored: string,
  version: string,
  definition: string,
): AlternateVersion<T> {
  return {
    group,
    version,
    kind,
    definition,
    toStored: (object) => ({ ...(object as T), apiVersion: apiVersionOf({ group, version: stored }) }),
    fromStored: (object) => ({ ...object, apiVersion: apiVersionOf({ group, version }) }),
  };
}
