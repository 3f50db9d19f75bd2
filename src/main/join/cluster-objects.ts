/** What a cluster has for machines that join: kubeadm's objects by kubeadm's names, and what nodes here may see. */
import { ConfigMap } from "../../api/core/config-map.ts";
import { ClusterRoleBinding } from "../../api/rbac/cluster-role-binding.ts";
import { Role } from "../../api/rbac/role.ts";
import { RoleBinding } from "../../api/rbac/role-binding.ts";
import type { Client } from "../../client/client.ts";
import { allowNodesToReadNetwork } from "../../network/node-access.ts";

export const PUBLIC = "kube-public";
export const CLUSTER_INFO = "cluster-info";
/** What nodes are to know of the cluster beside its address. */
export const CLUSTER_CONFIG = "kybern-config";
/** The group of machines that join. */
export const JOINING = "system:bootstrappers:kubeadm:default-node-token";

/** Kept as JSON in the ConfigMap. */
export interface ClusterConfig {
  clusterCIDRs: string[];
  serviceCIDRs: string[];
  dnsDomain: string;
}

const RBAC = "rbac.authorization.k8s.io";
const APPLY = { fieldManager: "kybern", force: true };

/** As an administrator. Any number of times. */
export async function installJoining(
  client: Client,
  cluster: { server: string; ca: string; config: ClusterConfig },
): Promise<void> {
  const maps = client.resource(ConfigMap, PUBLIC);
  await Promise.all([
    maps.apply({ metadata: { name: CLUSTER_INFO }, data: { kubeconfig: publicKubeconfig(cluster) } }, APPLY),
    maps.apply(
      { metadata: { name: CLUSTER_CONFIG }, data: { cluster: JSON.stringify(cluster.config) } },
      APPLY,
    ),
    mayRead(client, "kubeadm:bootstrap-signer-clusterinfo", CLUSTER_INFO, [
      { kind: "User", name: "system:anonymous" },
    ]),
    mayRead(client, "kybern:node-config", CLUSTER_CONFIG, [
      { kind: "Group", name: JOINING },
      { kind: "Group", name: "system:nodes" },
    ]),
    allowNodesToReadNetwork(client),
    ...BINDINGS.map(([name, role, group]) =>
      client.resource(ClusterRoleBinding).apply(
        {
          metadata: { name },
          roleRef: { apiGroup: RBAC, kind: "ClusterRole", name: role },
          subjects: [{ apiGroup: RBAC, kind: "Group", name: group }],
        },
        APPLY,
      ),
    ),
  ]);
}

const CERTIFICATES = "system:certificates.k8s.io:certificatesigningrequests";
const BINDINGS = [
  ["kubeadm:kubelet-bootstrap", "system:node-bootstrapper", JOINING],
  ["kubeadm:node-autoapprove-bootstrap", `${CERTIFICATES}:nodeclient`, JOINING],
  ["kubeadm:node-autoapprove-certificate-rotation", `${CERTIFICATES}:selfnodeclient`, "system:nodes"],
] as const;

async function mayRead(
  client: Client,
  name: string,
  map: string,
  subjects: { kind: string; name: string }[],
): Promise<void> {
  const rules = [{ apiGroups: [""], resources: ["configmaps"], resourceNames: [map], verbs: ["get"] }];
  await client.resource(Role, PUBLIC).apply({ metadata: { name }, rules }, APPLY);
  await client.resource(RoleBinding, PUBLIC).apply(
    {
      metadata: { name },
      roleRef: { apiGroup: RBAC, kind: "Role", name },
      subjects: subjects.map((subject) => ({ apiGroup: RBAC, ...subject })),
    },
    APPLY,
  );
}

/** Whom to trust and where, and nobody's credentials. */
function publicKubeconfig({ server, ca }: { server: string; ca: string }): string {
  return JSON.stringify({
    apiVersion: "v1",
    kind: "Config",
    preferences: {},
    clusters: [
      { name: "", cluster: { "certificate-authority-data": Buffer.from(ca).toString("base64"), server } },
    ],
    contexts: null,
    users: null,
    "current-context": "",
  });
}
