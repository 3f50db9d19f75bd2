import type { KubeObject } from "../../api/object.ts";
import { apiVersionOf } from "../../api/object.ts";
import type { Served } from "../registry/registry.ts";

/** An object as it was sent, in the version that is stored. */
export function toStored({ alternate, resource }: Served, object: KubeObject): KubeObject {
  if (!alternate) return object;
  const { apiVersion: _, kind: __, ...rest } = alternate.toStored(object);
  const stored: KubeObject = { apiVersion: apiVersionOf(resource), kind: resource.kind, ...rest };
  resource.defaults?.(stored);
  return stored;
}
