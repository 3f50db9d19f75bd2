import { Lease } from "../../../src/api/coordination/lease.ts";
import { ConfigMap } from "../../../src/api/core/config-map.ts";
import { Endpoints } from "../../../src/api/core/endpoints.ts";
import { Node } from "../../../src/api/core/node.ts";
import { PersistentVolume } from "../../../src/api/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../../../src/api/core/persistent-volume-claim.ts";
import { PodTemplate } from "../../../src/api/core/pod-template.ts";
import { Secret } from "../../../src/api/core/secret.ts";
import { EndpointSlice } from "../../../src/api/discovery/endpoint-slice.ts";
import { Ingress } from "../../../src/api/networking/ingress.ts";
import { IngressClass } from "../../../src/api/networking/ingress-class.ts";
import { IPAddress } from "../../../src/api/networking/ip-address.ts";
import { ServiceCIDR } from "../../../src/api/networking/service-cidr.ts";
import { RuntimeClass } from "../../../src/api/node/runtime-class.ts";
import type { KubeObject } from "../../../src/api/object.ts";
import { DeviceClass } from "../../../src/api/resource/device-class.ts";
import { ResourceClaim } from "../../../src/api/resource/resource-claim.ts";
import { ResourceClaimTemplate } from "../../../src/api/resource/resource-claim-template.ts";
import { ResourceSlice } from "../../../src/api/resource/resource-slice.ts";
import type { Resource } from "../../../src/api/resource.ts";
import { CSIDriver } from "../../../src/api/storage/csi-driver.ts";
import { CSINode } from "../../../src/api/storage/csi-node.ts";
import { CSIStorageCapacity } from "../../../src/api/storage/csi-storage-capacity.ts";
import { StorageClass } from "../../../src/api/storage/storage-class.ts";
import { VolumeAttachment } from "../../../src/api/storage/volume-attachment.ts";
import { VolumeAttributesClass } from "../../../src/api/storage/volume-attributes-class.ts";
import { behaviour } from "./behaviour.ts";
import { type Operations, operationsWork } from "./operations.ts";

const TEMPLATE = { containers: [{ name: "main", image: "web:1" }] };
const DEVICES = { devices: { requests: [{ name: "gpu", exactly: { deviceClassName: "gpu.example.com" } }] } };

function operations<T extends KubeObject>(
  kind: Resource<T>,
  make: Operations["make"],
  more: Partial<Operations> = {},
): Operations {
  return { kind, make, ...more };
}

const condition = (type: string, message: string) => ({
  type,
  status: "True",
  reason: "E2E",
  message,
  lastTransitionTime: "2026-01-01T00:00:00Z",
});
const conditions: Operations["status"] = [
  { conditions: [condition("Patched", "by a test")] },
  { conditions: [condition("Patched", "by a test"), condition("Updated", "too")] },
];

const BEHAVIOURS: Record<string, readonly Operations[]> = {
  "[sig-network] EndpointSlice should support creating EndpointSlice API operations [Conformance]": [
    operations(EndpointSlice, () => ({ addressType: "IPv4", endpoints: [{ addresses: ["10.9.8.7"] }] })),
  ],
  "[sig-network] Endpoints should test the lifecycle of an Endpoint [Conformance]": [
    operations(Endpoints, () => ({
      subsets: [{ addresses: [{ ip: "10.0.0.24" }], ports: [{ name: "http", port: 80, protocol: "TCP" }] }],
    })),
  ],
  "[sig-network] Ingress API should support creating Ingress API operations [Conformance]": [
    operations(
      Ingress,
      () => ({ spec: { defaultBackend: { service: { name: "web", port: { number: 80 } } } } }),
      {
        status: [
          { loadBalancer: { ingress: [{ ip: "169.1.1.1" }] } },
          { loadBalancer: { ingress: [{ ip: "169.1.1.2" }] } },
        ],
      },
    ),
  ],
  "[sig-network] IngressClass API should support creating IngressClass API operations [Conformance]": [
    operations(IngressClass, () => ({ spec: { controller: "example.com/controller" } })),
  ],
  "[sig-network] ServiceCIDR and IPAddress API should support IPAddress API operations [Conformance]": [
    operations(
      IPAddress,
      () => ({ spec: { parentRef: { resource: "services", namespace: "default", name: "web" } } }),
      { nameOf: (at) => `192.168.1.${at + 1}` },
    ),
  ],
  "[sig-network] ServiceCIDR and IPAddress API should support ServiceCIDR API operations [Conformance]": [
    operations(ServiceCIDR, (at) => ({ spec: { cidrs: [`10.${at + 1}.196.0/24`] } }), { status: conditions }),
  ],
  "[sig-node] ConfigMap should run through a ConfigMap lifecycle [Conformance]": [
    operations(ConfigMap, () => ({ data: { key: "value" } })),
  ],
  "[sig-node] Lease lease API should be available [Conformance]": [
    operations(Lease, () => ({ spec: { holderIdentity: "holder", leaseDurationSeconds: 30 } })),
  ],
  "[sig-node] Node Lifecycle should run through the lifecycle of a node [Conformance]": [
    operations(Node, () => ({}), { status: [{ phase: "Pending" }, { phase: "Running" }] }),
  ],
  "[sig-node] PodTemplates should delete a collection of pod templates [Conformance]": [
    operations(PodTemplate, () => ({ template: { spec: TEMPLATE } })),
  ],
  "[sig-node] PodTemplates should replace a pod template [Conformance]": [
    operations(PodTemplate, () => ({ template: { metadata: { labels: { app: "web" } }, spec: TEMPLATE } })),
  ],
  "[sig-node] PodTemplates should run the lifecycle of PodTemplates [Conformance]": [
    operations(PodTemplate, () => ({ template: { spec: { ...TEMPLATE, restartPolicy: "Never" } } })),
  ],
  "[sig-node] RuntimeClass should support RuntimeClasses API operations [Conformance]": [
    operations(RuntimeClass, () => ({ handler: "runc" })),
  ],
  "[sig-node] Secrets should patch a secret [Conformance]": [
    operations(Secret, () => ({ type: "Opaque", data: { key: "dmFsdWU=" } })),
  ],
  "[sig-node] [DRA] CRUD Tests resource.k8s.io/v1 DeviceClass [Conformance]": [
    operations(DeviceClass, () => ({ spec: {} })),
  ],
  "[sig-node] [DRA] CRUD Tests resource.k8s.io/v1 ResourceClaim [Conformance]": [
    operations(ResourceClaim, () => ({ spec: DEVICES })),
  ],
  "[sig-node] [DRA] CRUD Tests resource.k8s.io/v1 ResourceClaimTemplate [Conformance]": [
    operations(ResourceClaimTemplate, () => ({ spec: { spec: DEVICES } })),
  ],
  "[sig-node] [DRA] CRUD Tests resource.k8s.io/v1 ResourceSlice [Conformance]": [
    operations(ResourceSlice, (at) => ({
      spec: {
        driver: "gpu.example.com",
        nodeName: "node",
        pool: { name: `pool-${at}`, generation: 1, resourceSliceCount: 1 },
        devices: [{ name: "gpu-0" }],
      },
    })),
  ],
  "[sig-storage] CSIInlineVolumes should run through the lifecycle of a CSIDriver [Conformance]": [
    operations(CSIDriver, () => ({ spec: { volumeLifecycleModes: ["Ephemeral"] } })),
  ],
  "[sig-storage] CSINodes CSI Conformance should run through the lifecycle of a csinode [Conformance]": [
    operations(CSINode, () => ({ spec: { drivers: [{ name: "e2e.example.com", nodeID: "node" }] } })),
  ],
  "[sig-storage] CSIStorageCapacity should support CSIStorageCapacities API operations [Conformance]": [
    operations(CSIStorageCapacity, () => ({ storageClassName: "fast", capacity: "1Gi" })),
  ],
  "[sig-storage] PersistentVolumes CSI Conformance should apply changes to a pv/pvc status [Conformance]": [
    operations(PersistentVolume, volume, {
      status: [
        { reason: "E2E patchStatus", message: "Patched by a test" },
        { reason: "E2E updateStatus", message: "Updated by a test" },
      ],
    }),
    operations(PersistentVolumeClaim, claim, { status: conditions }),
  ],
  "[sig-storage] PersistentVolumes CSI Conformance should run through the lifecycle of a PV and a PVC [Conformance]":
    [operations(PersistentVolume, volume), operations(PersistentVolumeClaim, claim)],
  "[sig-storage] StorageClasses CSI Conformance should run through the lifecycle of a StorageClass [Conformance]":
    [operations(StorageClass, () => ({ provisioner: "e2e.example.com" }))],
  "[sig-storage] VolumeAttachment Conformance should apply changes to a volumeattachment status [Conformance]":
    [
      operations(VolumeAttachment, attachment, {
        status: [{ attached: true }, { attached: false }],
      }),
    ],
  "[sig-storage] VolumeAttachment Conformance should run through the lifecycle of a VolumeAttachment [Conformance]":
    [operations(VolumeAttachment, attachment)],
  "[sig-storage] VolumeAttributesClass [FeatureGate:VolumeAttributesClass] should run through the lifecycle of a VolumeAttributesClass [Conformance]":
    [operations(VolumeAttributesClass, () => ({ driverName: "e2e.example.com", parameters: { iops: "1" } }))],
};

function volume(): Record<string, unknown> {
  return {
    spec: {
      accessModes: ["ReadWriteOnce"],
      capacity: { storage: "1Gi" },
      csi: { driver: "e2e.example.com", volumeHandle: "handle" },
      persistentVolumeReclaimPolicy: "Retain",
      storageClassName: "of-volumes",
    },
  };
}

function claim(): Record<string, unknown> {
  return {
    spec: {
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: "1Gi" } },
      storageClassName: "of-claims",
    },
  };
}

function attachment(): Record<string, unknown> {
  return {
    spec: { attacher: "e2e.example.com", nodeName: "node", source: { persistentVolumeName: "volume" } },
  };
}

for (const [codename, kinds] of Object.entries(BEHAVIOURS)) {
  behaviour(codename, async (world) => {
    for (const operations of kinds) await operationsWork(world, operations);
  });
}
