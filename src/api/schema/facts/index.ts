import type { Facts } from "../facts.ts";
import { admissionV1 } from "./admission.v1.ts";
import { admissionV1beta1 } from "./admission.v1beta1.ts";
import { admissionregistrationV1 } from "./admissionregistration.v1.ts";
import { admissionregistrationV1alpha1 } from "./admissionregistration.v1alpha1.ts";
import { admissionregistrationV1beta1 } from "./admissionregistration.v1beta1.ts";
import { apidiscoveryV2 } from "./apidiscovery.v2.ts";
import { apidiscoveryV2beta1 } from "./apidiscovery.v2beta1.ts";
import { apiextensionsV1 } from "./apiextensions.v1.ts";
import { apiextensionsV1beta1 } from "./apiextensions.v1beta1.ts";
import { apiregistrationV1 } from "./apiregistration.v1.ts";
import { apiregistrationV1beta1 } from "./apiregistration.v1beta1.ts";
import { apiserverinternalV1alpha1 } from "./apiserverinternal.v1alpha1.ts";
import { appsV1 } from "./apps.v1.ts";
import { appsV1beta1 } from "./apps.v1beta1.ts";
import { appsV1beta2 } from "./apps.v1beta2.ts";
import { authenticationV1 } from "./authentication.v1.ts";
import { authenticationV1alpha1 } from "./authentication.v1alpha1.ts";
import { authenticationV1beta1 } from "./authentication.v1beta1.ts";
import { authorizationV1 } from "./authorization.v1.ts";
import { authorizationV1beta1 } from "./authorization.v1beta1.ts";
import { autoscalingV1 } from "./autoscaling.v1.ts";
import { autoscalingV2 } from "./autoscaling.v2.ts";
import { batchV1 } from "./batch.v1.ts";
import { batchV1beta1 } from "./batch.v1beta1.ts";
import { certificatesV1 } from "./certificates.v1.ts";
import { certificatesV1alpha1 } from "./certificates.v1alpha1.ts";
import { certificatesV1beta1 } from "./certificates.v1beta1.ts";
import { coordinationV1 } from "./coordination.v1.ts";
import { coordinationV1alpha2 } from "./coordination.v1alpha2.ts";
import { coordinationV1beta1 } from "./coordination.v1beta1.ts";
import { coreV1 } from "./core.v1.ts";
import { discoveryV1 } from "./discovery.v1.ts";
import { discoveryV1beta1 } from "./discovery.v1beta1.ts";
import { eventsV1 } from "./events.v1.ts";
import { eventsV1beta1 } from "./events.v1beta1.ts";
import { extensionsV1beta1 } from "./extensions.v1beta1.ts";
import { flowcontrolV1 } from "./flowcontrol.v1.ts";
import { flowcontrolV1beta1 } from "./flowcontrol.v1beta1.ts";
import { flowcontrolV1beta2 } from "./flowcontrol.v1beta2.ts";
import { flowcontrolV1beta3 } from "./flowcontrol.v1beta3.ts";
import { imagepolicyV1alpha1 } from "./imagepolicy.v1alpha1.ts";
import { metaV1 } from "./meta.v1.ts";
import { metricsV1beta1 } from "./metrics.v1beta1.ts";
import { networkingV1 } from "./networking.v1.ts";
import { networkingV1beta1 } from "./networking.v1beta1.ts";
import { nodeV1 } from "./node.v1.ts";
import { nodeV1alpha1 } from "./node.v1alpha1.ts";
import { nodeV1beta1 } from "./node.v1beta1.ts";
import { policyV1 } from "./policy.v1.ts";
import { policyV1beta1 } from "./policy.v1beta1.ts";
import { rbacV1 } from "./rbac.v1.ts";
import { rbacV1alpha1 } from "./rbac.v1alpha1.ts";
import { rbacV1beta1 } from "./rbac.v1beta1.ts";
import { resourceV1 } from "./resource.v1.ts";
import { resourceV1alpha3 } from "./resource.v1alpha3.ts";
import { resourceV1beta1 } from "./resource.v1beta1.ts";
import { resourceV1beta2 } from "./resource.v1beta2.ts";
import { schedulingV1 } from "./scheduling.v1.ts";
import { schedulingV1alpha2 } from "./scheduling.v1alpha2.ts";
import { schedulingV1beta1 } from "./scheduling.v1beta1.ts";
import { storageV1 } from "./storage.v1.ts";
import { storageV1alpha1 } from "./storage.v1alpha1.ts";
import { storageV1beta1 } from "./storage.v1beta1.ts";
import { storagemigrationV1beta1 } from "./storagemigration.v1beta1.ts";
import { version } from "./version.ts";

/** Every group version there is, the order of the generated files. */
export const facts: readonly Facts[] = [
  admissionV1,
  admissionV1beta1,
  admissionregistrationV1,
  admissionregistrationV1alpha1,
  admissionregistrationV1beta1,
  apidiscoveryV2,
  apidiscoveryV2beta1,
  apiextensionsV1,
  apiextensionsV1beta1,
  apiregistrationV1,
  apiregistrationV1beta1,
  apiserverinternalV1alpha1,
  appsV1,
  appsV1beta1,
  appsV1beta2,
  authenticationV1,
  authenticationV1alpha1,
  authenticationV1beta1,
  authorizationV1,
  authorizationV1beta1,
  autoscalingV1,
  autoscalingV2,
  batchV1,
  batchV1beta1,
  certificatesV1,
  certificatesV1alpha1,
  certificatesV1beta1,
  coordinationV1,
  coordinationV1alpha2,
  coordinationV1beta1,
  coreV1,
  discoveryV1,
  discoveryV1beta1,
  eventsV1,
  eventsV1beta1,
  extensionsV1beta1,
  flowcontrolV1,
  flowcontrolV1beta1,
  flowcontrolV1beta2,
  flowcontrolV1beta3,
  imagepolicyV1alpha1,
  metaV1,
  metricsV1beta1,
  networkingV1,
  networkingV1beta1,
  nodeV1,
  nodeV1alpha1,
  nodeV1beta1,
  policyV1,
  policyV1beta1,
  rbacV1,
  rbacV1alpha1,
  rbacV1beta1,
  resourceV1,
  resourceV1alpha3,
  resourceV1beta1,
  resourceV1beta2,
  schedulingV1,
  schedulingV1alpha2,
  schedulingV1beta1,
  storageV1,
  storageV1alpha1,
  storageV1beta1,
  storagemigrationV1beta1,
  version,
];
