import type { Facts } from "../facts.ts";

export const metaV1: Facts = {
  id: "meta.v1",
  group: "",
  deletable: false,
  messages: `
  APIGroup@: 1 name, 2 versions, 3 preferredVersion, 4 serverAddressByClientCIDRs
  APIGroupList@: 1 groups
  APIResource: 1 name, 2 namespaced, 3 kind, 4 verbs Verbs, 5 shortNames, 6 singularName, 7 categories,
    8 group, 9 version, 10 storageVersionHash
  APIResourceList@: 1 groupVersion, 2 resources
  APIVersions@: 1 versions, 2 serverAddressByClientCIDRs
  ApplyOptions@: 1 dryRun [string], 2 force boolean, 3 fieldManager string
  Condition: 1 type, 2 status, 3 observedGeneration, 4 lastTransitionTime, 5 reason, 6 message
  CreateOptions@: 1 dryRun [string], 3 fieldManager string, 4 fieldValidation string
  DeleteOptions@*: 1 gracePeriodSeconds, 2 preconditions, 3 orphanDependents, 4 propagationPolicy,
    5 dryRun, 6 ignoreStoreReadErrorWithClusterBreakingPotential
  FieldSelectorRequirement: 1 key, 2 operator, 3 values
  GetOptions@: 1 resourceVersion string
  GroupKind: 1 group string, 2 kind string
  GroupResource: 1 group, 2 resource
  GroupVersionForDiscovery: 1 groupVersion, 2 version
  GroupVersionKind: 1 group string, 2 version string, 3 kind string
  GroupVersionResource: 1 group string, 2 version string, 3 resource string
  LabelSelector: 1 matchLabels, 2 matchExpressions
  LabelSelectorRequirement: 1 key, 2 operator, 3 values
  List@: 1 metadata ListMeta, 2 items [RawExtension]
  ListMeta: 1 selfLink, 2 resourceVersion, 3 continue, 4 remainingItemCount, 5 shardInfo
  ListOptions@: 1 labelSelector string, 2 fieldSelector string, 3 watch boolean, 4 resourceVersion string,
    5 timeoutSeconds int64, 7 limit int64, 8 continue string, 9 allowWatchBookmarks boolean,
    10 resourceVersionMatch string, 11 sendInitialEvents boolean, 15 shardSelector string
  ManagedFieldsEntry: 1 manager, 2 operation, 3 apiVersion, 4 time, 6 fieldsType, 7 fieldsV1 FieldsV1,
    8 subresource
  ObjectMeta: 1 name, 2 generateName, 3 namespace, 4 selfLink, 5 uid, 6 resourceVersion, 7 generation,
    8 creationTimestamp, 9 deletionTimestamp, 10 deletionGracePeriodSeconds, 11 labels, 12 annotations,
    13 ownerReferences, 14 finalizers, 17 managedFields
  OwnerReference: 1 kind, 3 name, 4 uid, 5 apiVersion, 6 controller, 7 blockOwnerDeletion
  PartialObjectMetadata@meta.k8s.io/v1: 1 metadata ObjectMeta
  PartialObjectMetadataList@meta.k8s.io/v1: 1 metadata ListMeta, 2 items [PartialObjectMetadata]
  Patch:
  PatchOptions@: 1 dryRun [string], 2 force boolean, 3 fieldManager string, 4 fieldValidation string
  Preconditions: 1 uid, 2 resourceVersion
  RootPaths: 1 paths [string]
  ServerAddressByClientCIDR: 1 clientCIDR, 2 serverAddress
  ShardInfo: 1 selector
  Status@: 1 metadata, 2 status, 3 message, 4 reason, 5 details, 6 code
  StatusCause: 1 reason, 2 message, 3 field
  StatusDetails: 1 name, 2 group, 3 kind, 4 causes, 5 retryAfterSeconds, 6 uid
  Table@meta.k8s.io/v1: - metadata ListMeta, - columnDefinitions [TableColumnDefinition],
    - rows [TableRow]
  TableColumnDefinition: - name string, - type string, - format string, - description string,
    - priority int32
  TableOptions@meta.k8s.io/v1: 1 includeObject string
  TableRow: - cells [any], - conditions [TableRowCondition], - object RawExtension
  TableRowCondition: - type string, - status string, - reason string, - message string
  UpdateOptions@: 1 dryRun [string], 2 fieldManager string, 3 fieldValidation string
  WatchEvent@*: 1 type, 2 object RawExtension
  `,
  merging: `
  APIGroup: serverAddressByClientCIDRs atomic, versions atomic
  APIGroupList: groups atomic
  APIResource: categories atomic, shortNames atomic
  APIResourceList: resources atomic
  APIVersions: serverAddressByClientCIDRs atomic, versions atomic
  DeleteOptions: dryRun atomic
  FieldSelectorRequirement: values atomic
  LabelSelector: matchExpressions atomic
  LabelSelectorRequirement: values atomic
  ObjectMeta: finalizers set merge, managedFields atomic, ownerReferences map(uid) merge(uid)
  StatusDetails: causes atomic
  `,
  atomic: `
  LabelSelector, OwnerReference
  `,
  enums: `
  LabelSelectorRequirement: operator DoesNotExist|Exists|In|NotIn
  ManagedFieldsEntry: operation Apply|Update
  `,
  pointers: `
  DeleteOptions: gracePeriodSeconds, ignoreStoreReadErrorWithClusterBreakingPotential, orphanDependents,
    propagationPolicy
  ListMeta: remainingItemCount
  ListOptions: sendInitialEvents, timeoutSeconds
  ObjectMeta: deletionGracePeriodSeconds
  OwnerReference: blockOwnerDeletion, controller
  PatchOptions: force
  Preconditions: resourceVersion, uid
  `,
};
