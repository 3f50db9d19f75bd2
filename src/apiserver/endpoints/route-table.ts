/** The served resources by group, version and plural: computed from the declarations. */
import type { Resource } from "../../api/resource.ts";
import { type Served, servedVersions } from "../registry/registry.ts";

export class RouteTable {
  readonly served: readonly Served[];
  private readonly byPath = new Map<string, Served>();
  private readonly groupVersions = new Set<string>();
  private readonly ofNamespaces: ReadonlySet<string>;

  constructor(resources: readonly Resource[]) {
    this.served = resources.flatMap(servedVersions);
    for (const served of this.served) {
      this.byPath.set(`${served.group}/${served.version}/${served.resource.plural}`, served);
      this.groupVersions.add(`${served.group}/${served.version}`);
    }
    const namespaces = this.find("", "v1", "namespaces");
    this.ofNamespaces = new Set(Object.keys(namespaces?.resource.subresources ?? {}));
  }

  find(group: string, version: string, plural: string): Served | undefined {
    return this.byPath.get(`${group}/${version}/${plural}`);
  }

  hasVersion(group: string, version: string): boolean {
    return this.groupVersions.has(`${group}/${version}`);
  }

  /** Whether /api/v1/namespaces/NAME/<part> is a subresource of the namespace, not a resource in it. */
  isNamespaceSubresource(part: string): boolean {
    return this.ofNamespaces.has(part);
  }
}
