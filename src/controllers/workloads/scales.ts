/** How many pods an object of any kind wants and has, by its scale subresource. */
import { parseApiVersion } from "../../api/object.ts";
import type { Scale } from "../../api/schema/autoscaling.v1.generated.ts";
import type { Client } from "../../client/client.ts";
import { discover } from "../../client/discovery.ts";
import type { ResourceKind } from "../../client/resource-client.ts";
import { isReason } from "../../client/status.ts";

export interface ScaleReference {
  apiVersion?: string;
  kind: string;
  name: string;
}

/** The server serves nothing by that kind, or the kind cannot be scaled; the message says which. */
export class NotScalable extends Error {}

/** The kind is served, without the subresource. */
export class ScaleNotServed extends NotScalable {}

export interface FoundScale {
  resource: ResourceKind;
  scale: Scale;
}

export class Scales {
  private readonly client: Client;
  /** Kinds that were found scalable. */
  private readonly known = new Map<string, ResourceKind>();

  constructor(client: Client) {
    this.client = client;
  }

  /** Undefined where there is no such object. Throws NotScalable, and what the server refuses with. */
  async get(reference: ScaleReference, namespace: string): Promise<FoundScale | undefined> {
    const resource = await this.resourceOf(reference);
    const { group, plural } = resource;
    try {
      const found = this.client.resource(resource, namespace);
      const scale = await found.getSubresource<Scale>(reference.name, "scale");
      return { resource, scale };
    } catch (error) {
      if (!isReason(error, "NotFound")) throw error;
      // An object that is missing is named; a path that is not served names nothing.
      if (error.details?.name) return undefined;
      this.known.delete(keyOf(reference));
      const resourceName = group === "" ? plural : `${plural}.${group}`;
      throw new ScaleNotServed(`${resourceName} does not implement the scale subresource`);
    }
  }

  async set({ resource, scale }: FoundScale, replicas: number): Promise<void> {
    const body = { ...scale, spec: { ...scale.spec, replicas } };
    await this.client
      .resource<Scale>(resource, scale.metadata.namespace)
      .update(body, { subresource: "scale" });
  }

  private async resourceOf(reference: ScaleReference): Promise<ResourceKind> {
    const key = keyOf(reference);
    const known = this.known.get(key);
    if (known) return known;
    const { group } = parseApiVersion(reference.apiVersion ?? "");
    const { resources } = await discover(this.client);
    const found = resources.find((each) => each.group === group && each.kind === reference.kind);
    if (!found) throw new NotScalable(`no matches for kind "${reference.kind}" in group "${group}"`);
    this.known.set(key, found);
    return found;
  }
}

function keyOf({ apiVersion = "", kind }: ScaleReference): string {
  return `${parseApiVersion(apiVersion).group}/${kind}`;
}
