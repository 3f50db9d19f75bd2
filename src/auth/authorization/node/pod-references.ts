/** The objects that a pod names, which its node may therefore read. */
import type { KubeObject } from "../../../api/object.ts";

interface Named {
  name?: string;
}

interface Container {
  env?: { valueFrom?: { secretKeyRef?: Named; configMapKeyRef?: Named } }[];
  envFrom?: { secretRef?: Named; configMapRef?: Named }[];
}

interface Volume {
  name: string;
  secret?: { secretName?: string };
  configMap?: Named;
  persistentVolumeClaim?: { claimName: string };
  ephemeral?: unknown;
  projected?: { sources?: { secret?: Named; configMap?: Named }[] };
  azureFile?: { secretName?: string };
  csi?: { nodePublishSecretRef?: Named };
  cephfs?: { secretRef?: Named };
  flexVolume?: { secretRef?: Named };
  iscsi?: { secretRef?: Named };
  rbd?: { secretRef?: Named };
  scaleIO?: { secretRef?: Named };
  storageos?: { secretRef?: Named };
}

export interface PodShape extends KubeObject {
  spec: {
    nodeName?: string;
    serviceAccountName?: string;
    imagePullSecrets?: Named[];
    containers?: Container[];
    initContainers?: Container[];
    ephemeralContainers?: Container[];
    volumes?: Volume[];
    resourceClaims?: { name: string; resourceClaimName?: string }[];
  };
  status?: {
    resourceClaimStatuses?: { name: string; resourceClaimName?: string }[];
    extendedResourceClaimStatus?: { resourceClaimName?: string };
  };
}

const MIRROR = "kubernetes.io/config.mirror";

/** A key for each object: `<plural> <namespace>/<name>`, the pod itself first. */
export function podReferences({ metadata, spec, status }: PodShape): string[] {
  const { namespace = "", name: podName = "" } = metadata;
  const found = new Set([referenceKey("pods", namespace, podName)]);
  // A mirror pod stands for what the node was told by a file: it must not open the API to its node.
  if (metadata.annotations?.[MIRROR] !== undefined) return [...found];
  const add = (plural: string, name: string | undefined) => {
    if (name) found.add(referenceKey(plural, namespace, name));
  };
  add("serviceaccounts", spec.serviceAccountName);
  for (const { name } of spec.imagePullSecrets ?? []) add("secrets", name);
  for (const list of [spec.containers, spec.initContainers, spec.ephemeralContainers]) {
    for (const container of list ?? []) addContainer(container, add);
  }
  for (const volume of spec.volumes ?? []) addVolume(volume, podName, add);
  for (const { resourceClaimName } of spec.resourceClaims ?? []) add("resourceclaims", resourceClaimName);
  for (const { resourceClaimName } of status?.resourceClaimStatuses ?? [])
    add("resourceclaims", resourceClaimName);
  add("resourceclaims", status?.extendedResourceClaimStatus?.resourceClaimName);
  return [...found];
}

export function referenceKey(plural: string, namespace: string, name: string): string {
  return `${plural} ${namespace}/${name}`;
}

type Add = (plural: string, name: string | undefined) => void;

function addContainer({ env, envFrom }: Container, add: Add): void {
  for (const { valueFrom } of env ?? []) {
    add("secrets", valueFrom?.secretKeyRef?.name);
    add("configmaps", valueFrom?.configMapKeyRef?.name);
  }
  for (const { secretRef, configMapRef } of envFrom ?? []) {
    add("secrets", secretRef?.name);
    add("configmaps", configMapRef?.name);
  }
}

function addVolume(volume: Volume, podName: string, add: Add): void {
  add("secrets", volume.secret?.secretName);
  add("configmaps", volume.configMap?.name);
  add("persistentvolumeclaims", volume.persistentVolumeClaim?.claimName);
  if (volume.ephemeral) add("persistentvolumeclaims", `${podName}-${volume.name}`);
  for (const { secret, configMap } of volume.projected?.sources ?? []) {
    add("secrets", secret?.name);
    add("configmaps", configMap?.name);
  }
  add("secrets", volume.azureFile?.secretName);
  add("secrets", volume.csi?.nodePublishSecretRef?.name);
  const { cephfs, flexVolume, iscsi, rbd, scaleIO, storageos } = volume;
  for (const source of [cephfs, flexVolume, iscsi, rbd, scaleIO, storageos])
    add("secrets", source?.secretRef?.name);
}
