/** The default cluster roles but those of controllers. The notation is read by role-text.ts. */
export const CLUSTER_ROLES: Readonly<Record<string, string>> = {
  "cluster-admin": `
    * *@*
    * *
  `,
  "system:aggregate-to-admin": `
    create localsubjectaccessreviews@authorization.k8s.io
    create,delete,deletecollection,get,list,patch,update,watch rolebindings,
      roles@rbac.authorization.k8s.io
  `,
  "system:aggregate-to-edit": `
    get,list,watch pods/attach,pods/exec,pods/portforward,pods/proxy,secrets,services/proxy
    impersonate serviceaccounts
    create,delete,deletecollection,patch,update pods,pods/attach,pods/exec,pods/portforward,pods/proxy
    create pods/eviction
    create,delete,deletecollection,patch,update configmaps,persistentvolumeclaims,replicationcontrollers,
      replicationcontrollers/scale,secrets,serviceaccounts,services,services/proxy
    create serviceaccounts/token
    create,delete,deletecollection,patch,update events@core,events.k8s.io
    create,delete,deletecollection,patch,update daemonsets,deployments,deployments/rollback,
      deployments/scale,replicasets,replicasets/scale,statefulsets,statefulsets/scale@apps
    create,delete,deletecollection,patch,update horizontalpodautoscalers@autoscaling
    create,delete,deletecollection,patch,update cronjobs,jobs@batch
    create,delete,deletecollection,patch,update daemonsets,deployments,deployments/rollback,
      deployments/scale,ingresses,networkpolicies,replicasets,replicasets/scale,
      replicationcontrollers/scale@extensions
    create,delete,deletecollection,patch,update poddisruptionbudgets@policy
    create,delete,deletecollection,patch,update ingresses,networkpolicies@networking.k8s.io
    create,delete,deletecollection,get,list,patch,update,watch leases@coordination.k8s.io
    create,delete,deletecollection,patch,update resourceclaims,resourceclaimtemplates@resource.k8s.io
  `,
  "system:aggregate-to-view": `
    get,list,watch configmaps,endpoints,persistentvolumeclaims,persistentvolumeclaims/status,pods,
      replicationcontrollers,replicationcontrollers/scale,serviceaccounts,services,services/status
    get,list,watch bindings,limitranges,namespaces/status,pods/log,pods/status,
      replicationcontrollers/status,resourcequotas,resourcequotas/status
    get,list,watch namespaces
    get,list,watch events@core,events.k8s.io
    get,list,watch endpointslices@discovery.k8s.io
    get,list,watch controllerrevisions,daemonsets,daemonsets/status,deployments,deployments/scale,
      deployments/status,replicasets,replicasets/scale,replicasets/status,statefulsets,statefulsets/scale,
      statefulsets/status@apps
    get,list,watch horizontalpodautoscalers,horizontalpodautoscalers/status@autoscaling
    get,list,watch cronjobs,cronjobs/status,jobs,jobs/status@batch
    get,list,watch daemonsets,daemonsets/status,deployments,deployments/scale,deployments/status,
      ingresses,ingresses/status,networkpolicies,replicasets,replicasets/scale,replicasets/status,
      replicationcontrollers/scale@extensions
    get,list,watch poddisruptionbudgets,poddisruptionbudgets/status@policy
    get,list,watch ingresses,ingresses/status,networkpolicies@networking.k8s.io
    get,list,watch resourceclaims,resourceclaims/status,resourceclaimtemplates@resource.k8s.io
  `,
  "system:auth-delegator": `
    create tokenreviews@authentication.k8s.io
    create subjectaccessreviews@authorization.k8s.io
  `,
  "system:basic-user": `
    create selfsubjectaccessreviews,selfsubjectrulesreviews@authorization.k8s.io
    create selfsubjectreviews@authentication.k8s.io
  `,
  "system:certificates.k8s.io:certificatesigningrequests:nodeclient": `
    create certificatesigningrequests/nodeclient@certificates.k8s.io
  `,
  "system:certificates.k8s.io:certificatesigningrequests:selfnodeclient": `
    create certificatesigningrequests/selfnodeclient@certificates.k8s.io
  `,
  "system:certificates.k8s.io:kube-apiserver-client-approver": `
    approve signers@certificates.k8s.io#kubernetes.io/kube-apiserver-client
  `,
  "system:certificates.k8s.io:kube-apiserver-client-kubelet-approver": `
    approve signers@certificates.k8s.io#kubernetes.io/kube-apiserver-client-kubelet
  `,
  "system:certificates.k8s.io:kubelet-serving-approver": `
    approve signers@certificates.k8s.io#kubernetes.io/kubelet-serving
  `,
  "system:certificates.k8s.io:legacy-unknown-approver": `
    approve signers@certificates.k8s.io#kubernetes.io/legacy-unknown
  `,
  "system:discovery": `
    get /api,/api/*,/apis,/apis/*,/healthz,/livez,/openapi,/openapi/*,/readyz,/version,/version/
  `,
  "system:heapster": `
    get,list,watch events,namespaces,nodes,pods
    get,list,watch deployments@extensions
  `,
  "system:kube-aggregator": `
    get,list,watch endpoints,services
  `,
  "system:kube-controller-manager": `
    create,patch,update events@core,events.k8s.io
    create leases@coordination.k8s.io
    get,update leases@coordination.k8s.io#kube-controller-manager
    create secrets,serviceaccounts
    delete secrets
    get configmaps,namespaces,secrets,serviceaccounts
    update secrets,serviceaccounts
    create tokenreviews@authentication.k8s.io
    create subjectaccessreviews@authorization.k8s.io
    list,watch *@*
    create serviceaccounts/token
  `,
  "system:kube-dns": `
    list,watch endpoints,services
  `,
  "system:kube-scheduler": `
    create,patch,update events@core,events.k8s.io
    create leases@coordination.k8s.io
    get,list,update,watch leases@coordination.k8s.io#kube-scheduler
    create,delete,deletecollection,get,list,patch,update,watch leasecandidates@coordination.k8s.io
    get,list,watch nodes
    delete,get,list,watch pods
    create bindings,pods/binding
    patch,update pods/status
    get,list,watch replicationcontrollers,services
    get,list,watch replicasets@apps,extensions
    get,list,watch statefulsets@apps
    get,list,watch poddisruptionbudgets@policy
    get,list,watch persistentvolumeclaims,persistentvolumes
    create tokenreviews@authentication.k8s.io
    create subjectaccessreviews@authorization.k8s.io
    get,list,watch csinodes@storage.k8s.io
    get,list,watch volumeattachments@storage.k8s.io
    get,list,watch namespaces
    get,list,watch csidrivers@storage.k8s.io
    get,list,watch csistoragecapacities@storage.k8s.io
    get,list,watch deviceclasses@resource.k8s.io
    get,list,patch,update,watch resourceclaims@resource.k8s.io
    get,list,patch,update,watch resourceclaims/status@resource.k8s.io
    update pods/finalizers
    get,list,watch resourceslices@resource.k8s.io
    create,delete resourceclaims@resource.k8s.io
    patch,update resourceclaims/binding@resource.k8s.io
  `,
  "system:kubelet-api-admin": `
    get,list,watch nodes
    proxy nodes
    * nodes/log,nodes/metrics,nodes/proxy,nodes/stats
    * nodes/configz,nodes/healthz,nodes/pods
  `,
  "system:monitoring": `
    get /flagz,/healthz,/healthz/*,/livez,/livez/*,/metrics,/metrics/slis,/readyz,/readyz/*,/statusz
    get nodes/metrics
  `,
  "system:node": `
    create tokenreviews@authentication.k8s.io
    create localsubjectaccessreviews,subjectaccessreviews@authorization.k8s.io
    get,list,watch services
    create,get,list,watch nodes
    patch,update nodes/status
    patch,update nodes
    create,patch,update events@core,events.k8s.io
    get,list,watch pods
    create,delete pods
    patch,update pods/status
    create pods/eviction
    get,list,watch configmaps,secrets
    get persistentvolumeclaims,persistentvolumes
    get endpoints
    create,get,list,watch certificatesigningrequests@certificates.k8s.io
    create,delete,get,patch,update leases@coordination.k8s.io
    get volumeattachments@storage.k8s.io
    create serviceaccounts/token
    get,patch,update persistentvolumeclaims/status
    get,list,watch csidrivers@storage.k8s.io
    create,delete,get,patch,update csinodes@storage.k8s.io
    get,list,watch runtimeclasses@node.k8s.io
    get resourceclaims@resource.k8s.io
    deletecollection resourceslices@resource.k8s.io
    get serviceaccounts
  `,
  "system:node-bootstrapper": `
    create,get,list,watch certificatesigningrequests@certificates.k8s.io
  `,
  "system:node-problem-detector": `
    get nodes
    patch nodes/status
    create,patch,update events@core,events.k8s.io
  `,
  "system:node-proxier": `
    list,watch endpoints,services
    get,list,watch nodes
    create,patch,update events@core,events.k8s.io
    list,watch servicecidrs@networking.k8s.io
    list,watch endpointslices@discovery.k8s.io
  `,
  "system:persistent-volume-provisioner": `
    create,delete,get,list,watch persistentvolumes
    get,list,update,watch persistentvolumeclaims
    get,list,watch storageclasses@storage.k8s.io
    watch events
    create,patch,update events@core,events.k8s.io
  `,
  "system:public-info-viewer": `
    get /healthz,/livez,/readyz,/version,/version/
  `,
  "system:service-account-issuer-discovery": `
    get /.well-known/openid-configuration,/.well-known/openid-configuration/,/openid/v1/jwks,
      /openid/v1/jwks/
  `,
  "system:volume-scheduler": `
    get,list,patch,update,watch persistentvolumes
    get,list,watch storageclasses@storage.k8s.io
    get,list,patch,update,watch persistentvolumeclaims
  `,
};

/** Roles whose rules are those of all roles labelled `aggregate-to-<name>`. */
export const AGGREGATED = ["admin", "edit", "view"] as const;

/** The aggregated role that takes up each of these. */
export const AGGREGATE_TO: Readonly<Record<string, (typeof AGGREGATED)[number]>> = {
  edit: "admin",
  view: "edit",
  "system:aggregate-to-admin": "admin",
  "system:aggregate-to-edit": "edit",
  "system:aggregate-to-view": "view",
};

/** Who has the cluster role of the binding's own name. */
export const CLUSTER_ROLE_SUBJECTS: Readonly<Record<string, readonly string[]>> = {
  "cluster-admin": ["Group system:masters"],
  "system:basic-user": ["Group system:authenticated"],
  "system:discovery": ["Group system:authenticated"],
  "system:kube-controller-manager": ["User system:kube-controller-manager"],
  "system:kube-dns": ["ServiceAccount kube-system/kube-dns"],
  "system:kube-scheduler": ["User system:kube-scheduler"],
  "system:monitoring": ["Group system:monitoring"],
  "system:node": [],
  "system:node-proxier": ["User system:kube-proxy"],
  "system:public-info-viewer": ["Group system:authenticated", "Group system:unauthenticated"],
  "system:service-account-issuer-discovery": ["Group system:serviceaccounts"],
  "system:volume-scheduler": ["User system:kube-scheduler"],
};
