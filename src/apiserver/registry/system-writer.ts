/** Writes by the server itself: validated like everybody's, without authorization or admission. */
import type { KubeObject } from "../../api/object.ts";
import type { DeleteRequest, ObjectWriter } from "../../api/ports.ts";
import type { Resource, UpdateSubresource } from "../../api/resource.ts";
import type { User } from "../../api/user.ts";
import { copyValue } from "./copy-value.ts";
import { create } from "./create.ts";
import { deleteObject } from "./delete.ts";
import { type Call, type Registry, type Served, servedVersions, timestamp } from "./registry.ts";
import { update } from "./update.ts";

const SYSTEM: User = Object.freeze({ name: "system:apiserver", groups: Object.freeze(["system:masters"]) });
const MANAGER = "kybern";

class Unchanged extends Error {}

const NO_ADMISSION = { mutate: () => {}, validate: () => {} };

/** Keeps what the old object holds except what `change` sets: the writer's own code decides what that is. */
const AS_GIVEN: UpdateSubresource<KubeObject> = {
  acts: "update",
  verbs: ["update"],
  prepare: () => {},
  resets: [],
};

export class SystemWriter implements ObjectWriter {
  private readonly owner: () => Registry;
  private own: Registry | undefined;

  /** The registry is asked for at the first write: its ports hold this writer, so neither can come first. */
  constructor(owner: () => Registry) {
    this.owner = owner;
  }

  private get registry(): Registry {
    this.own ??= { ...this.owner(), admission: NO_ADMISSION };
    return this.own;
  }

  async create<T extends KubeObject>(resource: Resource<T>, object: T): Promise<T> {
    const served = this.served(resource);
    const copy = copyValue(object);
    served.resource.defaults?.(copy);
    const created = await create(this.registry, this.call(), served, copy.metadata.namespace ?? "", copy);
    return created.object as T;
  }

  async update<T extends KubeObject>(
    resource: Resource<T>,
    namespace: string,
    name: string,
    change: (copy: T) => void | false,
    options: { subresource?: string; dryRun?: boolean } = {},
  ): Promise<T> {
    const served = this.served(resource);
    const { subresource = "", dryRun = false } = options;
    const strategy = subresource === "" ? undefined : AS_GIVEN;
    try {
      const { object } = await update(
        this.registry,
        { ...this.call(), dryRun },
        { served, namespace, name, subresource, strategy },
        (old) => {
          const copy = copyValue(old) as T;
          if (change(copy) === false) throw new Unchanged();
          return { object: copy };
        },
        { mayCreate: false, unconditional: true },
      );
      return object.object as T;
    } catch (error) {
      if (!(error instanceof Unchanged)) throw error;
      return this.registry.cache.get(resource, namespace, name)!;
    }
  }

  async delete<T extends KubeObject>(
    resource: Resource<T>,
    namespace: string,
    name: string,
    options: DeleteRequest = {},
  ): Promise<void> {
    await deleteObject(this.registry, this.call(), this.served(resource), namespace, name, options);
  }

  private served<T extends KubeObject>(resource: Resource<T>): Served {
    // Callers may hold a reference that names the kind and no more: what counts is the declaration that is served.
    return servedVersions(this.registry.cache.cache(resource as unknown as Resource).resource)[0]!;
  }

  private call(): Call {
    const now = timestamp(this.registry.now());
    return { user: SYSTEM, dryRun: false, manager: MANAGER, now, warn: () => {}, annotate: () => {} };
  }
}
