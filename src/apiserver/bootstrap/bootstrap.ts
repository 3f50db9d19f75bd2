/**
 * What must stand before the first request is answered: system namespaces, default roles, priority classes, and the
 * `kubernetes` Service. All of it is brought about again at every start, and nothing that is there is overwritten.
 */
import { ConfigMap } from "../../api/core/config-map.ts";
import { Namespace } from "../../api/core/namespace.ts";
import type { ClusterSettings, Ports } from "../../api/ports.ts";
import { ClusterRoleBinding } from "../../api/rbac/cluster-role-binding.ts";
import { PriorityClass } from "../../api/scheduling/priority-class.ts";
import { reconcileBootstrapPolicy } from "../../auth/authorization/bootstrap-policy/reconcile.ts";
import { RBAC_KINDS } from "../../auth/open-auth.ts";
import type { Registry } from "../registry/registry.ts";
import { ensure } from "./ensure.ts";
import { bootstrapKubernetesService } from "./kubernetes-service.ts";

export interface BootstrapOptions {
  registry: Registry;
  settings: ClusterSettings;
  advertise?: () => { address: string; port: number } | undefined;
  clientCA: string;
  frontProxyCA: string;
  /** Whether this server reaches kubelets, which ask it what it may do there. */
  reachesKubelets: boolean;
}

const NAMESPACES = ["kube-system", "kube-public", "kube-node-lease", "default"];

const PRIORITY_CLASSES = [
  {
    name: "system-node-critical",
    value: 2000001000,
    description: "Used for system critical pods that must not be moved from their current node.",
  },
  {
    name: "system-cluster-critical",
    value: 2000000000,
    description:
      "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
  },
];

export async function bootstrap(options: BootstrapOptions): Promise<void> {
  const { ports } = options.registry;
  await Promise.all(
    NAMESPACES.map((name) =>
      ensure(ports, Namespace, { apiVersion: "v1", kind: "Namespace", metadata: { name } }),
    ),
  );
  const classes = PRIORITY_CLASSES.map(({ name, value, description }) =>
    ensure(ports, PriorityClass, {
      apiVersion: "scheduling.k8s.io/v1",
      kind: "PriorityClass",
      metadata: { name },
      value,
      description,
      preemptionPolicy: "PreemptLowerPriority",
    }),
  );
  await Promise.all([
    ...classes,
    reconcileBootstrapPolicy(ports, RBAC_KINDS),
    options.reachesKubelets ? bindKubeletClient(ports) : undefined,
    publishAuthentication(options),
    bootstrapKubernetesService(options),
  ]);
}

/** The user of the API server's own certificate for kubelets, as kubeadm names it. */
const KUBELET_CLIENT = "kube-apiserver-kubelet-client";

function bindKubeletClient(ports: Ports): Promise<unknown> {
  const apiGroup = "rbac.authorization.k8s.io";
  return ensure(ports, ClusterRoleBinding, {
    apiVersion: `${apiGroup}/v1`,
    kind: "ClusterRoleBinding",
    metadata: { name: `system:${KUBELET_CLIENT}` },
    roleRef: { apiGroup, kind: "ClusterRole", name: "system:kubelet-api-admin" },
    subjects: [{ apiGroup, kind: "User", name: KUBELET_CLIENT }],
  });
}

/** Where aggregated API servers read whom to trust (kube-system/extension-apiserver-authentication). */
async function publishAuthentication({ registry, clientCA, frontProxyCA }: BootstrapOptions): Promise<void> {
  const { ports } = registry;
  const data = {
    "client-ca-file": clientCA,
    "requestheader-allowed-names": '["front-proxy-client"]',
    "requestheader-client-ca-file": frontProxyCA,
    "requestheader-extra-headers-prefix": '["X-Remote-Extra-"]',
    "requestheader-group-headers": '["X-Remote-Group"]',
    "requestheader-uid-headers": '["X-Remote-Uid"]',
    "requestheader-username-headers": '["X-Remote-User"]',
  };
  const metadata = { namespace: "kube-system", name: "extension-apiserver-authentication" };
  const stored = await ensure(ports, ConfigMap, { apiVersion: "v1", kind: "ConfigMap", metadata, data });
  if (Object.entries(data).every(([key, value]) => stored.data?.[key] === value)) return;
  await ports.writer.update(ConfigMap, metadata.namespace, metadata.name, (copy) => {
    copy.data = { ...copy.data, ...data };
  });
}
