import type { KubeObject } from "../../api/object.ts";
import type { Ports } from "../../api/ports.ts";
import type { Resource } from "../../api/resource.ts";
import { StatusError } from "../../machinery/status/status-error.ts";

/** Creates an object where there is none; one that another server has just made is as good. */
export async function ensure<T extends KubeObject>(
  { reader, writer }: Ports,
  resource: Resource<T>,
  object: T,
): Promise<T> {
  const { namespace = "", name = "" } = object.metadata;
  const there = reader.get(resource, namespace, name);
  if (there) return there;
  try {
    return await writer.create(resource, object);
  } catch (error) {
    const found = reader.get(resource, namespace, name);
    if (found && error instanceof StatusError && error.reason === "AlreadyExists") return found;
    throw error;
  }
}
