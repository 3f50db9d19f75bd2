import type { KubeObject } from "../object.ts";
import type { Resource } from "../resource.ts";

/** A declaration as those see it who handle every kind alike: they only ever give it objects of its own kind. */
export function anyKind<T extends KubeObject>(resource: Resource<T>): Resource {
  return resource as unknown as Resource;
}
