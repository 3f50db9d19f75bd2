/** Slices of one manager: which service a change of one makes worth looking at, unless the manager made the change. */
import type { EndpointSlice } from "../../../api/discovery/endpoint-slice.ts";
import type { Change } from "../../../client/informer/informer.ts";
import type { IndexFunction } from "../../../client/informer/object-store.ts";

export const SERVICE_NAME = "kubernetes.io/service-name";
export const MANAGED_BY = "endpointslice.kubernetes.io/managed-by";

/** By `namespace/service`, those of all managers. */
export const serviceIndex: Readonly<Record<"serviceName", IndexFunction<EndpointSlice>>> = {
  serviceName(slice) {
    const key = serviceOf(slice);
    return key === undefined ? [] : [key];
  },
};

export function serviceOf({ metadata }: EndpointSlice): string | undefined {
  const name = metadata.labels?.[SERVICE_NAME];
  return name ? `${metadata.namespace}/${name}` : undefined;
}

export class SliceTracker {
  private readonly manager: string;
  /** Generations that were written, by uid. */
  private readonly written = new Map<string, number>();

  constructor(manager: string) {
    this.manager = manager;
  }

  wrote({ metadata }: EndpointSlice): void {
    this.written.set(metadata.uid ?? "", metadata.generation ?? 0);
  }

  isManaged({ metadata }: EndpointSlice): boolean {
    return metadata.labels?.[MANAGED_BY] === this.manager;
  }

  /** Keys of services whose slices are to be looked at. */
  keys({ now, was }: Change<EndpointSlice>): string[] {
    const { uid = "", generation = 0 } = (now ?? was)!.metadata;
    if (!now) this.written.delete(uid);
    else if ((this.written.get(uid) ?? -1) >= generation) return [];
    const keys = new Set<string>();
    for (const slice of [now, was]) {
      const key = slice && this.isManaged(slice) ? serviceOf(slice) : undefined;
      if (key !== undefined) keys.add(key);
    }
    return [...keys];
  }
}
