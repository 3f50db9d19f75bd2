/** What the cluster has of the provisioner: its class, and what its two halves may do. */
import type { KubeObject } from "../../api/object.ts";
import { ClusterRole } from "../../api/rbac/cluster-role.ts";
import { ClusterRoleBinding } from "../../api/rbac/cluster-role-binding.ts";
import { StorageClass } from "../../api/storage/storage-class.ts";
import type { Client } from "../../client/client.ts";
import { isReason } from "../../client/status.ts";
import { ACCOUNT, PROVISIONER, STORAGE_CLASS } from "./names.ts";

const RBAC = { apiGroup: "rbac.authorization.k8s.io" };
const ROLE = "kybern:local-path-provisioner";
const NODE_ROLE = "kybern:local-path-provisioner:node";
const READ = ["get", "list", "watch"];
const FIELD_MANAGER = "kybern";

const RULES = [
  { apiGroups: [""], resources: ["persistentvolumes"], verbs: [...READ, "create", "delete", "patch"] },
  { apiGroups: [""], resources: ["persistentvolumeclaims"], verbs: [...READ, "patch"] },
  { apiGroups: [""], resources: ["persistentvolumeclaims/status"], verbs: ["patch"] },
  { apiGroups: [""], resources: ["nodes"], verbs: READ },
  { apiGroups: ["storage.k8s.io"], resources: ["storageclasses"], verbs: READ },
  { apiGroups: [""], resources: ["events"], verbs: ["create", "patch"] },
];

/** Nodes see volumes go, and remove their directories. */
const NODE_RULES = [{ apiGroups: [""], resources: ["persistentvolumes"], verbs: READ }];

/** As an administrator. What users changed of the class, or that they took it away, is theirs: it is made once. */
export async function installLocalPathProvisioner(client: Client): Promise<void> {
  const labels = { "app.kubernetes.io/name": ACCOUNT, "app.kubernetes.io/managed-by": "kybern" };
  const roles = [
    {
      name: ROLE,
      rules: RULES,
      subject: { kind: "ServiceAccount", namespace: "kube-system", name: ACCOUNT },
    },
    { name: NODE_ROLE, rules: NODE_RULES, subject: { ...RBAC, kind: "Group", name: "system:nodes" } },
  ];
  const apply = { fieldManager: FIELD_MANAGER, force: true };
  for (const { name, rules, subject } of roles) {
    const metadata = { name, labels };
    const roleRef = { ...RBAC, kind: "ClusterRole", name };
    await client.resource(ClusterRole).apply({ metadata, rules }, apply);
    await client.resource(ClusterRoleBinding).apply({ metadata, roleRef, subjects: [subject] }, apply);
  }
  await unlessThere(
    client.resource(StorageClass).create({
      metadata: {
        name: STORAGE_CLASS,
        labels,
        annotations: { "storageclass.kubernetes.io/is-default-class": "true" },
      },
      provisioner: PROVISIONER,
      reclaimPolicy: "Delete",
      volumeBindingMode: "WaitForFirstConsumer",
      allowVolumeExpansion: true,
    }),
  );
}

async function unlessThere(made: Promise<KubeObject>): Promise<void> {
  try {
    await made;
  } catch (error) {
    if (!isReason(error, "AlreadyExists")) throw error;
  }
}
