/** Network disks and file systems that a pod names itself. Most have no driver any more, but the API keeps them. */
import { invalidValue, notSupported, required } from "../../../machinery/field/field-error.ts";
import type { FieldPath } from "../../../machinery/field/path.ts";
import type {
  AzureDiskVolumeSource,
  ISCSIVolumeSource,
  QuobyteVolumeSource,
  Volume,
} from "../../schema/core.v1.generated.ts";
import { inRange, localDescendingPath, needs, type Rules } from "./checks.ts";

type SourceRule = (volume: Volume, at: FieldPath, rules: Rules) => void;

/** A rule that only wants some fields to be there. */
function wanting(source: keyof Volume, ...fields: string[]): [string, SourceRule] {
  return [
    source,
    (volume, at, { errors }) => {
      const value = volume[source] as unknown as Record<string, unknown>;
      for (const field of fields) {
        const given = value[field];
        needs(errors, Array.isArray(given) && given.length === 0 ? undefined : given, at, field);
      }
    },
  ];
}

/** Upstream gives the errors of a GCE disk under a name of its own. */
const PARTITION_RANGE = inRange(0, 255);

export const REMOTE_SOURCES: readonly [string, SourceRule][] = [
  [
    "gitRepo",
    ({ gitRepo }, at, { errors }) => {
      needs(errors, gitRepo?.repository, at, "repository");
      localDescendingPath(errors, gitRepo?.directory ?? "", at.child("directory"));
    },
  ],
  [
    "gcePersistentDisk",
    ({ gcePersistentDisk }, at, { errors }) => {
      const path = at.parent?.child("persistentDisk") ?? at;
      needs(errors, gcePersistentDisk?.pdName, path, "pdName");
      validatePartition(gcePersistentDisk?.partition, path, errors);
    },
  ],
  [
    "awsElasticBlockStore",
    ({ awsElasticBlockStore }, at, { errors }) => {
      needs(errors, awsElasticBlockStore?.volumeID, at, "volumeID");
      validatePartition(awsElasticBlockStore?.partition, at, errors);
    },
  ],
  [
    "nfs",
    ({ nfs }, at, { errors }) => {
      needs(errors, nfs?.server, at, "server");
      needs(errors, nfs?.path, at, "path");
      if (!nfs?.path?.startsWith("/")) {
        errors.push(invalidValue(at.child("path"), nfs?.path ?? "", "must be an absolute path"));
      }
    },
  ],
  ["iscsi", ({ iscsi, name }, at, rules) => iscsi && validateISCSI(iscsi, name, at, rules)],
  wanting("glusterfs", "endpoints", "path"),
  [
    "flocker",
    ({ flocker }, at, { errors }) => {
      const { datasetName = "", datasetUUID = "" } = flocker ?? {};
      if (!datasetName && !datasetUUID) {
        errors.push(required(at, "one of datasetName and datasetUUID is required"));
      }
      if (datasetName && datasetUUID) {
        const why = "datasetName and datasetUUID can not be specified simultaneously";
        errors.push(invalidValue(at, "resource", why));
      }
      if (datasetName.includes("/")) {
        errors.push(invalidValue(at.child("datasetName"), datasetName, "must not contain '/'"));
      }
    },
  ],
  wanting("rbd", "monitors", "image"),
  [
    "cinder",
    ({ cinder }, at, { errors }) => {
      needs(errors, cinder?.volumeID, at, "volumeID");
      if (cinder?.secretRef) needs(errors, cinder.secretRef.name, at.child("secretRef"), "name");
    },
  ],
  wanting("cephfs", "monitors"),
  ["quobyte", ({ quobyte }, at, rules) => quobyte && validateQuobyte(quobyte, at, rules)],
  [
    "fc",
    ({ fc }, at, { errors }) => {
      const { targetWWNs = [], wwids = [], lun } = fc ?? {};
      const path = at.child("targetWWNs");
      if (targetWWNs.length === 0 && wwids.length === 0) {
        errors.push(required(path, "must specify either targetWWNs or wwids, but not both"));
      }
      if (targetWWNs.length > 0 && wwids.length > 0) {
        const why = "targetWWNs and wwids can not be specified simultaneously";
        errors.push(invalidValue(path, targetWWNs, why));
      }
      if (targetWWNs.length === 0) return;
      if (lun === undefined) {
        errors.push(required(at.child("lun"), "lun is required if targetWWNs is specified"));
      } else if (lun < 0 || lun > 255) errors.push(invalidValue(at.child("lun"), lun, inRange(0, 255)));
    },
  ],
  [
    "flexVolume",
    ({ flexVolume }, at, { errors }) => {
      needs(errors, flexVolume?.driver, at, "driver");
      for (const key of Object.keys(flexVolume?.options ?? {})) {
        const domain = `.${key.split("/", 1)[0]?.toLowerCase()}`;
        if (!domain.endsWith(".kubernetes.io") && !domain.endsWith(".k8s.io")) continue;
        const why = "kubernetes.io and k8s.io namespaces are reserved";
        errors.push(invalidValue(at.child("options").key(key), key, why));
      }
    },
  ],
  wanting("azureFile", "secretName", "shareName"),
  wanting("vsphereVolume", "volumePath"),
  wanting("photonPersistentDisk", "pdID"),
  wanting("portworxVolume", "volumeID"),
  ["azureDisk", ({ azureDisk }, at, rules) => azureDisk && validateAzureDisk(azureDisk, at, rules)],
  [
    "storageos",
    ({ storageos }, at, { errors }) => {
      needs(errors, storageos?.volumeName, at, "volumeName");
      if (storageos?.secretRef) needs(errors, storageos.secretRef.name, at.child("secretRef"), "name");
    },
  ],
  wanting("scaleIO", "gateway", "system", "volumeName"),
];

function validatePartition(partition: number | undefined, at: FieldPath, errors: Rules["errors"]): void {
  if (partition !== undefined && (partition < 0 || partition > 255)) {
    errors.push(invalidValue(at.child("partition"), partition, PARTITION_RANGE));
  }
}

const ISCSI_NAMES = [
  ["iqn", /^iqn\.\d{4}-\d{2}\.([a-z0-9-]+(\.[a-z0-9-]+)*)(:[^,;*&$|\s]+)$/],
  ["eui", /^eui\.[0-9a-fA-F]{16}$/],
  ["naa", /^naa\.[0-9a-fA-F]{32}$/],
] as const;
const MAX_ISCSI_NAME = 223;

/** What is wrong with a name of an iSCSI target or initiator. */
function iscsiNameError(name: string): string | undefined {
  for (const [prefix, pattern] of ISCSI_NAMES) {
    if (!name.startsWith(prefix)) continue;
    return name.length <= MAX_ISCSI_NAME && pattern.test(name) ? undefined : "must be valid format";
  }
  return "must be valid format starting with iqn, eui, or naa";
}

function validateISCSI(iscsi: ISCSIVolumeSource, volume: string, at: FieldPath, { errors }: Rules): void {
  needs(errors, iscsi.targetPortal, at, "targetPortal");
  if (!iscsi.iqn) errors.push(required(at.child("iqn")));
  else {
    const why = iscsiNameError(iscsi.iqn);
    if (why) errors.push(invalidValue(at.child("iqn"), iscsi.iqn, why));
  }
  if (iscsi.lun < 0 || iscsi.lun > 255)
    errors.push(invalidValue(at.child("lun"), iscsi.lun, inRange(0, 255)));
  if ((iscsi.chapAuthDiscovery || iscsi.chapAuthSession) && !iscsi.secretRef) {
    errors.push(required(at.child("secretRef")));
  }
  if (iscsi.initiatorName === undefined) return;
  const why = iscsiNameError(iscsi.initiatorName);
  if (why) errors.push(invalidValue(at.child("initiatorname"), iscsi.initiatorName, why));
  if (`${volume}:${iscsi.targetPortal}`.length > 64) {
    const long =
      "Total length of <volume name>:<iscsi.targetPortal> must be under 64 characters if iscsi.initiatorName is specified.";
    errors.push(invalidValue(at.parent?.child("name") ?? at, volume, long));
  }
}

function validateQuobyte(quobyte: QuobyteVolumeSource, at: FieldPath, { errors }: Rules): void {
  const pairs = "must be a host:port pair or multiple pairs separated by commas";
  if (!quobyte.registry) errors.push(required(at.child("registry"), pairs));
  else if ((quobyte.tenant ?? "").length >= 65) {
    const why = "must be a UUID and may not exceed a length of 64 characters";
    errors.push(required(at.child("tenant"), why));
  } else {
    for (const pair of quobyte.registry.split(",")) {
      const colon = pair.lastIndexOf(":");
      if (colon < 0 || (!pair.startsWith("[") && pair.indexOf(":") !== colon)) {
        errors.push(invalidValue(at.child("registry"), quobyte.registry, pairs));
      }
    }
  }
  needs(errors, quobyte.volume, at, "volume");
}

function validateAzureDisk(disk: AzureDiskVolumeSource, at: FieldPath, { errors }: Rules): void {
  const { cachingMode, kind, diskURI = "" } = disk;
  needs(errors, disk.diskName, at, "diskName");
  needs(errors, diskURI, at, "diskURI");
  const modes = ["None", "ReadOnly", "ReadWrite"];
  if (cachingMode !== undefined && !modes.includes(cachingMode)) {
    errors.push(notSupported(at.child("cachingMode"), cachingMode, modes));
  }
  const kinds = ["Dedicated", "Managed", "Shared"];
  if (kind === undefined) return;
  if (!kinds.includes(kind)) errors.push(notSupported(at.child("kind"), kind, kinds));
  const managed = kind === "Managed";
  if (managed ? !diskURI.startsWith("/subscriptions/") : !diskURI.startsWith("https://")) {
    const form = managed
      ? "/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"
      : "https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd";
    errors.push(notSupported(at.child("diskURI"), diskURI, [form]));
  }
}
