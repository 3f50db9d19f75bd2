/**
 * Which objects are related to which node, kept up to date as objects change:
 *
 *   node ← pod → secret, configmap, serviceaccount, resourceclaim, claim → volume → secret
 *   node ← volumeattachment, resourceslice
 */
import type { KubeObject } from "../../../api/object.ts";
import type { ObjectReader } from "../../../api/ports.ts";
import type { Resource } from "../../../api/resource.ts";
import { type PodShape, podReferences, referenceKey } from "./pod-references.ts";

export interface VolumeShape extends KubeObject {
  spec: { claimRef?: { namespace?: string; name?: string } };
}

export interface NodeNamingShape extends KubeObject {
  spec: { nodeName?: string };
}

export interface NodeGraphKinds {
  pods: Resource<PodShape>;
  persistentVolumes: Resource<VolumeShape>;
  volumeAttachments: Resource<NodeNamingShape>;
  resourceSlices?: Resource<NodeNamingShape>;
}

export interface NodeGraph {
  isRelated(node: string, plural: string, namespace: string, name: string): boolean;
  close(): void;
}

export function openNodeGraph(reader: ObjectReader, kinds: NodeGraphKinds): NodeGraph {
  const pods = new PodIndex();
  const volumes = new VolumeIndex();
  const attachments = new Map<string, string>();
  const slices = new Map<string, string>();
  const names = (index: Map<string, string>) => (now?: NodeNamingShape, was?: NodeNamingShape) => {
    if (now) index.set(now.metadata.name ?? "", now.spec.nodeName ?? "");
    else if (was) index.delete(was.metadata.name ?? "");
  };
  const watches = [
    reader.observe(kinds.pods, (now, was) => pods.seen(now, was), "spec.nodeName"),
    reader.observe(kinds.persistentVolumes, (now, was) => volumes.seen(now, was)),
    reader.observe(kinds.volumeAttachments, names(attachments)),
    ...(kinds.resourceSlices ? [reader.observe(kinds.resourceSlices, names(slices))] : []),
  ];

  function usesVolume(node: string, volume: string): boolean {
    const claim = volumes.claimOf.get(volume);
    return claim !== undefined && pods.isNamedOn(node, claim);
  }

  return {
    isRelated(node, plural, namespace, name) {
      switch (plural) {
        case "volumeattachments":
          return attachments.get(name) === node;
        case "resourceslices":
          return slices.get(name) === node;
        case "persistentvolumes":
          return usesVolume(node, name);
        case "secrets": {
          const key = referenceKey(plural, namespace, name);
          if (pods.isNamedOn(node, key)) return true;
          for (const volume of volumes.bySecret.get(key) ?? []) if (usesVolume(node, volume)) return true;
          return false;
        }
        default:
          return pods.isNamedOn(node, referenceKey(plural, namespace, name));
      }
    },
    close() {
      for (const watch of watches) watch.close();
    },
  };
}

class PodIndex {
  /** What each pod on a node names, to take it back. */
  readonly #byPod = new Map<string, { node: string; keys: string[] }>();
  /** How many pods of each node name an object. */
  readonly #counts = new Map<string, Map<string, number>>();

  seen(now: PodShape | undefined, was: PodShape | undefined): void {
    if (now && was && isSameForNode(now, was)) return;
    const { namespace = "", name = "" } = (now ?? was)?.metadata ?? {};
    const pod = referenceKey("pods", namespace, name);
    const before = this.#byPod.get(pod);
    if (before) {
      for (const key of before.keys) this.#count(key, before.node, -1);
      this.#byPod.delete(pod);
    }
    const node = now?.spec.nodeName;
    if (!now || !node) return;
    const keys = podReferences(now);
    for (const key of keys) this.#count(key, node, 1);
    this.#byPod.set(pod, { node, keys });
  }

  isNamedOn(node: string, key: string): boolean {
    return this.#counts.get(key)?.has(node) ?? false;
  }

  #count(key: string, node: string, step: 1 | -1): void {
    let nodes = this.#counts.get(key);
    if (!nodes) {
      nodes = new Map();
      this.#counts.set(key, nodes);
    }
    const count = (nodes.get(node) ?? 0) + step;
    if (count > 0) nodes.set(node, count);
    else nodes.delete(node);
    if (nodes.size === 0) this.#counts.delete(key);
  }
}

/** Whether a change leaves the pod's references as they were; most are of the status only. */
function isSameForNode(now: PodShape, was: PodShape): boolean {
  const claims = ({ status }: PodShape) =>
    status?.resourceClaimStatuses || status?.extendedResourceClaimStatus
      ? JSON.stringify([status.resourceClaimStatuses, status.extendedResourceClaimStatus])
      : "";
  return (
    now.metadata.uid === was.metadata.uid &&
    now.spec.nodeName === was.spec.nodeName &&
    now.spec.ephemeralContainers?.length === was.spec.ephemeralContainers?.length &&
    claims(now) === claims(was)
  );
}

class VolumeIndex {
  readonly claimOf = new Map<string, string>();
  readonly bySecret = new Map<string, Set<string>>();

  seen(now: VolumeShape | undefined, was: VolumeShape | undefined): void {
    if (was) {
      const name = was.metadata.name ?? "";
      this.claimOf.delete(name);
      for (const key of volumeSecrets(was)) {
        const volumes = this.bySecret.get(key);
        volumes?.delete(name);
        if (volumes?.size === 0) this.bySecret.delete(key);
      }
    }
    const claim = now?.spec.claimRef;
    if (!now || !claim) return;
    const name = now.metadata.name ?? "";
    this.claimOf.set(name, referenceKey("persistentvolumeclaims", claim.namespace ?? "", claim.name ?? ""));
    for (const key of volumeSecrets(now)) {
      const volumes = this.bySecret.get(key) ?? new Set();
      volumes.add(name);
      this.bySecret.set(key, volumes);
    }
  }
}

/** Secrets that the volume's source names; without a namespace they are in that of the claim. */
function volumeSecrets({ spec }: VolumeShape): string[] {
  const home = spec.claimRef?.namespace ?? "";
  const keys: string[] = [];
  for (const source of Object.values(spec as Record<string, unknown>)) {
    if (typeof source !== "object" || source === null || Array.isArray(source)) continue;
    const { secretName, secretNamespace } = source as { secretName?: string; secretNamespace?: string };
    if (secretName) keys.push(referenceKey("secrets", secretNamespace || home, secretName));
    for (const [field, value] of Object.entries(source)) {
      if (!/secretRef$/i.test(field) || typeof value !== "object" || value === null) continue;
      const { name, namespace } = value as { name?: string; namespace?: string };
      if (name) keys.push(referenceKey("secrets", namespace || home, name));
    }
  }
  return keys;
}
