/**
 * What nodes may read for the sake of their network. A node's process has no rights but those of a kubelet; proxy,
 * NetworkPolicy, DNS and overlay look at the whole cluster.
 */
import { ClusterRole } from "../api/rbac/cluster-role.ts";
import { ClusterRoleBinding } from "../api/rbac/cluster-role-binding.ts";
import type { Client } from "../client/client.ts";

const NAME = "kybern:node-network";
const MANAGER = "kybern";
const READ = ["get", "list", "watch"];

/** Makes or corrects them. For one who may do anything. */
export async function allowNodesToReadNetwork(client: Client): Promise<void> {
  const rules = [
    { apiGroups: [""], resources: ["namespaces", "nodes", "pods", "services"], verbs: READ },
    { apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: READ },
    { apiGroups: ["networking.k8s.io"], resources: ["networkpolicies", "servicecidrs"], verbs: READ },
  ];
  const subjects = [{ kind: "Group", apiGroup: "rbac.authorization.k8s.io", name: "system:nodes" }];
  const roleRef = { apiGroup: "rbac.authorization.k8s.io", kind: "ClusterRole", name: NAME };
  const options = { fieldManager: MANAGER, force: true };
  await client.resource(ClusterRole).apply({ metadata: { name: NAME }, rules }, options);
  await client.resource(ClusterRoleBinding).apply({ metadata: { name: NAME }, subjects, roleRef }, options);
}
