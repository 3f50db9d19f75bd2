/** The admission plugins in upstream's order. `ADMISSION` is what a server runs with. */
import { certificateSubjectRestriction } from "./certificate-subject-restriction.ts";
import { certificateApproval, certificateSigning } from "./certificates.ts";
import { defaultIngressClass } from "./default-ingress-class.ts";
import { defaultStorageClass } from "./default-storage-class.ts";
import { defaultTolerationSeconds } from "./default-toleration-seconds.ts";
import { denyServiceExternalIPs } from "./deny-service-external-ips.ts";
import { limitRanger } from "./limit-ranger.ts";
import { namespaceLifecycle } from "./namespace-lifecycle.ts";
import { nodeRestriction } from "./node-restriction.ts";
import { ownerReferencesPermissionEnforcement } from "./owner-references-permission-enforcement.ts";
import { persistentVolumeClaimResize } from "./persistent-volume-claim-resize.ts";
import type { AdmissionDeclaration } from "./plugin.ts";
import { podSecurity } from "./pod-security/pod-security.ts";
import { podTopologyLabels } from "./pod-topology-labels.ts";
import { priority } from "./priority.ts";
import { resourceQuota } from "./resource-quota.ts";
import { runtimeClass } from "./runtime-class.ts";
import { serviceAccount } from "./service-account.ts";
import { storageObjectInUseProtection } from "./storage-object-in-use-protection.ts";
import { taintNodesByCondition } from "./taint-nodes-by-condition.ts";

export const ADMISSION: readonly AdmissionDeclaration[] = [
  namespaceLifecycle,
  limitRanger,
  serviceAccount,
  nodeRestriction,
  taintNodesByCondition,
  podSecurity,
  priority,
  defaultTolerationSeconds,
  defaultStorageClass,
  storageObjectInUseProtection,
  persistentVolumeClaimResize,
  runtimeClass,
  certificateApproval,
  certificateSigning,
  certificateSubjectRestriction,
  defaultIngressClass,
  denyServiceExternalIPs,
  podTopologyLabels,
  resourceQuota,
];

/** Plugins that a server runs with only where its configuration asks for them, in front of PersistentVolumeClaimResize. */
export const OPTIONAL_ADMISSION: readonly AdmissionDeclaration[] = [ownerReferencesPermissionEnforcement];

/** What an operator changes of the default plugins, by their names. */
export interface AdmissionChoice {
  enable: readonly string[];
  disable: readonly string[];
}

export const ADMISSION_NAMES: readonly string[] = [...ADMISSION, ...OPTIONAL_ADMISSION].map(
  ({ name }) => name,
);

/** The plugins to run with, in their order; the names are known ones. */
export function chosenAdmission({ enable, disable }: AdmissionChoice): readonly AdmissionDeclaration[] {
  const before = ADMISSION.findIndex(({ name }) => name === "PersistentVolumeClaimResize");
  const all = [...ADMISSION.slice(0, before), ...OPTIONAL_ADMISSION, ...ADMISSION.slice(before)];
  const on = (declaration: AdmissionDeclaration): boolean =>
    ADMISSION.includes(declaration) || enable.includes(declaration.name);
  return all.filter((declaration) => on(declaration) && !disable.includes(declaration.name));
}
