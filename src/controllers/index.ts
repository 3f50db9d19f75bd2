/** Every controller, in the order they start. */
import { clusterRoleAggregationController } from "./clusterrole-aggregation-controller.ts";
import { namespaceController } from "./namespace-controller/namespace-controller.ts";
import { nodeLifecycleController } from "./nodelifecycle/node-lifecycle-controller.ts";
import { resourceQuotaController } from "./resourcequota-controller/resourcequota-controller.ts";
import { rootCACertificatePublisher } from "./root-ca-certificate-publisher-controller.ts";
import type { Controller } from "./runtime/controller.ts";
import { serviceAccountController } from "./serviceaccount-controller.ts";
import { taintEvictionController } from "./tainteviction/taint-eviction-controller.ts";

export const controllers: readonly Controller[] = [
  serviceAccountController,
  rootCACertificatePublisher,
  namespaceController,
  resourceQuotaController,
  clusterRoleAggregationController,
  nodeLifecycleController,
  taintEvictionController,
];
