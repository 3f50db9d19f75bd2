/** Deletes what a namespace holds, and counts what stays for now. */
import type { KubeObject } from "../../api/object.ts";
import type { Client } from "../../client/client.ts";
import type { DiscoveredKind } from "../../client/discovery.ts";
import { isReason } from "../../client/status.ts";

/** What stays of one resource after its deletion was asked for. */
export interface Remains {
  kind: DiscoveredKind;
  count: number;
  /** By finalizer: on how many of the objects it is. */
  finalizers: ReadonlyMap<string, number>;
}

export interface Deletion {
  remains: Remains[];
  errors: Error[];
}

/** Resources deleted at the same time. */
const AT_ONCE = 8;
/** What has no objects of its own to list is gone with what it is made of. */
const NEEDED_VERBS = ["delete", "list"];

/**
 * Pods first and alone: they may need their secrets, volumes and network policies until they end. What one resource
 * refuses does not keep the others from being deleted.
 */
export async function deleteContent(
  client: Client,
  namespace: string,
  kinds: readonly DiscoveredKind[],
): Promise<Deletion> {
  const deletable = kinds.filter(
    ({ scope, verbs }) => scope === "Namespaced" && NEEDED_VERBS.every((verb) => verbs.includes(verb)),
  );
  const isPods = ({ group, plural }: DiscoveredKind): boolean => group === "" && plural === "pods";
  const pods = await deleteKinds(client, namespace, deletable.filter(isPods));
  if (pods.remains.length > 0 || pods.errors.length > 0) return pods;
  return deleteKinds(
    client,
    namespace,
    deletable.filter((kind) => !isPods(kind)),
  );
}

async function deleteKinds(
  client: Client,
  namespace: string,
  kinds: readonly DiscoveredKind[],
): Promise<Deletion> {
  const remains: Remains[] = [];
  const errors: Error[] = [];
  const queue = kinds[Symbol.iterator]();
  const worker = async (): Promise<void> => {
    for (const kind of queue) {
      try {
        const left = await deleteKind(client, namespace, kind);
        if (left.count > 0) remains.push(left);
        if (left.count > 0 && left.unexplained) {
          const { group, version, plural } = kind;
          errors.push(
            new Error(
              `unexpected items still remain in namespace: ${namespace} for gvr: ${group}/${version}, Resource=${plural}`,
            ),
          );
        }
      } catch (error) {
        // A resource that went away while it was being emptied has nothing left.
        if (!isReason(error, "NotFound", "MethodNotAllowed")) errors.push(error as Error);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return { remains, errors };
}

async function deleteKind(
  client: Client,
  namespace: string,
  kind: DiscoveredKind,
): Promise<Remains & { unexplained: boolean }> {
  const objects = client.resource(kind, namespace);
  const finalizers = new Map<string, number>();
  // Most kinds have nothing here: one list tells.
  let left = await objects.listAll();
  if (left.items.length > 0) {
    const options = { propagationPolicy: "Background" } as const;
    if (kind.verbs.includes("deletecollection")) await objects.deleteCollection(options);
    else {
      for (const { metadata } of left.items) {
        await objects.delete(metadata.name!, options).catch((error) => {
          if (!isReason(error, "NotFound")) throw error;
        });
      }
    }
    left = await objects.listAll();
  }
  for (const { metadata } of left.items) {
    for (const name of metadata.finalizers ?? []) finalizers.set(name, (finalizers.get(name) ?? 0) + 1);
  }
  // A pod that ends in its own time has no finalizer either.
  const unexplained = finalizers.size === 0 && !left.items.some(isEnding);
  return { kind, count: left.items.length, finalizers, unexplained };
}

function isEnding({ metadata }: KubeObject): boolean {
  return metadata.deletionTimestamp !== undefined && (metadata.deletionGracePeriodSeconds ?? 0) > 0;
}
