/** The default roles of system namespaces, and who has them. The notation is read by role-text.ts. */
export interface NamespaceRole {
  namespace: string;
  name: string;
  rules: string;
  /** By default the role's own. */
  bindingName?: string;
  subjects: readonly string[];
}

export const NAMESPACE_ROLES: readonly NamespaceRole[] = [
  {
    namespace: "kube-public",
    name: "system:controller:bootstrap-signer",
    rules: `
      get,list,watch configmaps
      update configmaps#cluster-info
      create,patch,update events@core,events.k8s.io
    `,
    subjects: ["ServiceAccount kube-system/bootstrap-signer"],
  },
  {
    namespace: "kube-system",
    name: "extension-apiserver-authentication-reader",
    rules: `
      get,list,watch configmaps#extension-apiserver-authentication
    `,
    bindingName: "system::extension-apiserver-authentication-reader",
    subjects: ["User system:kube-controller-manager", "User system:kube-scheduler"],
  },
  {
    namespace: "kube-system",
    name: "system::leader-locking-kube-controller-manager",
    rules: `
      create,get,list,update,watch leases@coordination.k8s.io
      create,get,list,update,watch leasecandidates@coordination.k8s.io
    `,
    subjects: [
      "User system:kube-controller-manager",
      "ServiceAccount kube-system/kube-controller-manager",
      "ServiceAccount kube-system/leader-election-controller",
    ],
  },
  {
    namespace: "kube-system",
    name: "system::leader-locking-kube-scheduler",
    rules: `
      create,get,list,update,watch leases@coordination.k8s.io
      create,get,list,update,watch leasecandidates@coordination.k8s.io
    `,
    subjects: ["User system:kube-scheduler", "ServiceAccount kube-system/kube-scheduler"],
  },
  {
    namespace: "kube-system",
    name: "system:controller:bootstrap-signer",
    rules: `
      get,list,watch secrets
    `,
    subjects: ["ServiceAccount kube-system/bootstrap-signer"],
  },
  {
    namespace: "kube-system",
    name: "system:controller:cloud-provider",
    rules: `
      create,get,list,watch configmaps
    `,
    subjects: ["ServiceAccount kube-system/cloud-provider"],
  },
  {
    namespace: "kube-system",
    name: "system:controller:token-cleaner",
    rules: `
      delete,get,list,watch secrets
      create,patch,update events@core,events.k8s.io
    `,
    subjects: ["ServiceAccount kube-system/token-cleaner"],
  },
];
