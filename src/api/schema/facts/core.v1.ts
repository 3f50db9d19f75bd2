import type { Facts } from "../facts.ts";

export const coreV1: Facts = {
  id: "core.v1",
  group: "",
  messages: `
  AWSElasticBlockStoreVolumeSource: 1 volumeID, 2 fsType, 3 partition, 4 readOnly
  Affinity: 1 nodeAffinity, 2 podAffinity, 3 podAntiAffinity
  AppArmorProfile: 1 type, 2 localhostProfile
  AttachedVolume: 1 name, 2 devicePath
  AzureDiskVolumeSource: 1 diskName, 2 diskURI, 3 cachingMode, 4 fsType, 5 readOnly, 6 kind
  AzureFilePersistentVolumeSource: 1 secretName, 2 shareName, 3 readOnly, 4 secretNamespace
  AzureFileVolumeSource: 1 secretName, 2 shareName, 3 readOnly
  Binding@: 1 metadata, 2 target
  CSIPersistentVolumeSource: 1 driver, 2 volumeHandle, 3 readOnly, 4 fsType, 5 volumeAttributes,
    6 controllerPublishSecretRef, 7 nodeStageSecretRef, 8 nodePublishSecretRef,
    9 controllerExpandSecretRef, 10 nodeExpandSecretRef
  CSIVolumeSource: 1 driver, 2 readOnly, 3 fsType, 4 volumeAttributes, 5 nodePublishSecretRef
  Capabilities: 1 add, 2 drop
  CephFSPersistentVolumeSource: 1 monitors, 2 path, 3 user, 4 secretFile, 5 secretRef, 6 readOnly
  CephFSVolumeSource: 1 monitors, 2 path, 3 user, 4 secretFile, 5 secretRef, 6 readOnly
  CinderPersistentVolumeSource: 1 volumeID, 2 fsType, 3 readOnly, 4 secretRef
  CinderVolumeSource: 1 volumeID, 2 fsType, 3 readOnly, 4 secretRef
  ClientIPConfig: 1 timeoutSeconds
  ClusterTrustBundleProjection: 1 name, 2 signerName, 3 labelSelector, 4 path, 5 optional
  ComponentCondition: 1 type, 2 status, 3 message, 4 error
  ComponentStatus@: 1 metadata, 2 conditions
  ComponentStatusList@: 1 metadata, 2 items
  ConfigMap@: 1 metadata, 2 data, 3 binaryData, 4 immutable
  ConfigMapEnvSource: 1/1 name, 2 optional
  ConfigMapKeySelector: 1/1 name, 2 key, 3 optional
  ConfigMapList@: 1 metadata, 2 items
  ConfigMapNodeConfigSource: 1 namespace, 2 name, 3 uid, 4 resourceVersion, 5 kubeletConfigKey
  ConfigMapProjection: 1/1 name, 2 items, 4 optional
  ConfigMapVolumeSource: 1/1 name, 2 items, 3 defaultMode, 4 optional
  Container: 1 name, 2 image, 3 command, 4 args, 5 workingDir, 6 ports, 7 env, 8 resources,
    9 volumeMounts, 10 livenessProbe, 11 readinessProbe, 12 lifecycle, 13 terminationMessagePath,
    14 imagePullPolicy, 15 securityContext, 16 stdin, 17 stdinOnce, 18 tty, 19 envFrom,
    20 terminationMessagePolicy, 21 volumeDevices, 22 startupProbe, 23 resizePolicy, 24 restartPolicy,
    25 restartPolicyRules
  ContainerExtendedResourceRequest: 1 containerName, 2 resourceName, 3 requestName
  ContainerImage: 1 names, 2 sizeBytes
  ContainerPort: 1 name, 2 hostPort, 3 containerPort, 4 protocol, 5 hostIP
  ContainerResizePolicy: 1 resourceName, 2 restartPolicy
  ContainerRestartRule: 1 action, 2 exitCodes
  ContainerRestartRuleOnExitCodes: 1 operator, 2 values
  ContainerState: 1 waiting, 2 running, 3 terminated
  ContainerStateRunning: 1 startedAt
  ContainerStateTerminated: 1 exitCode, 2 signal, 3 reason, 4 message, 5 startedAt, 6 finishedAt,
    7 containerID
  ContainerStateWaiting: 1 reason, 2 message
  ContainerStatus: 1 name, 2 state, 3 lastState, 4 ready, 5 restartCount, 6 image, 7 imageID,
    8 containerID, 9 started, 10 allocatedResources {Quantity}, 11 resources, 12 volumeMounts, 13 user,
    14 allocatedResourcesStatus, 15 stopSignal
  ContainerUser: 1 linux
  DaemonEndpoint: 1 Port
  DownwardAPIProjection: 1 items
  DownwardAPIVolumeFile: 1 path, 2 fieldRef, 3 resourceFieldRef, 4 mode
  DownwardAPIVolumeSource: 1 items, 2 defaultMode
  EmptyDirVolumeSource: 1 medium, 2 sizeLimit Quantity
  EndpointAddress: 1 ip, 2 targetRef, 3 hostname, 4 nodeName
  EndpointPort: 1 name, 2 port, 3 protocol, 4 appProtocol
  EndpointSubset: 1 addresses, 2 notReadyAddresses, 3 ports
  Endpoints@: 1 metadata, 2 subsets
  EndpointsList@: 1 metadata, 2 items
  EnvFromSource: 1 prefix, 2 configMapRef, 3 secretRef
  EnvVar: 1 name, 2 value, 3 valueFrom
  EnvVarSource: 1 fieldRef, 2 resourceFieldRef, 3 configMapKeyRef, 4 secretKeyRef, 5 fileKeyRef
  EphemeralContainer: 1/1 name, 1/2 image, 1/3 command, 1/4 args, 1/5 workingDir, 1/6 ports, 1/7 env,
    1/8 resources, 1/9 volumeMounts, 1/10 livenessProbe, 1/11 readinessProbe, 1/12 lifecycle,
    1/13 terminationMessagePath, 1/14 imagePullPolicy, 1/15 securityContext, 1/16 stdin, 1/17 stdinOnce,
    1/18 tty, 1/19 envFrom, 1/20 terminationMessagePolicy, 1/21 volumeDevices, 1/22 startupProbe,
    1/23 resizePolicy, 1/24 restartPolicy, 1/25 restartPolicyRules, 2 targetContainerName
  EphemeralVolumeSource: 1 volumeClaimTemplate
  Event@: 1 metadata, 2 involvedObject, 3 reason, 4 message, 5 source, 6 firstTimestamp, 7 lastTimestamp,
    8 count, 9 type, 10 eventTime, 11 series, 12 action, 13 related, 14 reportingComponent,
    15 reportingInstance
  EventList@: 1 metadata, 2 items
  EventSeries: 1 count, 2 lastObservedTime
  EventSource: 1 component, 2 host
  ExecAction: 1 command
  FCVolumeSource: 1 targetWWNs, 2 lun, 3 fsType, 4 readOnly, 5 wwids
  FileKeySelector: 1 volumeName, 2 path, 3 key, 4 optional
  FlexPersistentVolumeSource: 1 driver, 2 fsType, 3 secretRef, 4 readOnly, 5 options
  FlexVolumeSource: 1 driver, 2 fsType, 3 secretRef, 4 readOnly, 5 options
  FlockerVolumeSource: 1 datasetName, 2 datasetUUID
  GCEPersistentDiskVolumeSource: 1 pdName, 2 fsType, 3 partition, 4 readOnly
  GRPCAction: 1 port, 2 service
  GitRepoVolumeSource: 1 repository, 2 revision, 3 directory
  GlusterfsPersistentVolumeSource: 1 endpoints, 2 path, 3 readOnly, 4 endpointsNamespace
  GlusterfsVolumeSource: 1 endpoints, 2 path, 3 readOnly
  HTTPGetAction: 1 path, 2 port, 3 host, 4 scheme, 5 httpHeaders
  HTTPHeader: 1 name, 2 value
  HostAlias: 1 ip, 2 hostnames
  HostIP: 1 ip
  HostPathVolumeSource: 1 path, 2 type
  ISCSIPersistentVolumeSource: 1 targetPortal, 2 iqn, 3 lun, 4 iscsiInterface, 5 fsType, 6 readOnly,
    7 portals, 8 chapAuthDiscovery, 10 secretRef, 11 chapAuthSession, 12 initiatorName
  ISCSIVolumeSource: 1 targetPortal, 2 iqn, 3 lun, 4 iscsiInterface, 5 fsType, 6 readOnly, 7 portals,
    8 chapAuthDiscovery, 10 secretRef, 11 chapAuthSession, 12 initiatorName
  ImageVolumeSource: 1 reference, 2 pullPolicy
  ImageVolumeStatus: 1 imageRef
  KeyToPath: 1 key, 2 path, 3 mode
  Lifecycle: 1 postStart, 2 preStop, 3 stopSignal
  LifecycleHandler: 1 exec, 2 httpGet, 3 tcpSocket, 4 sleep
  LimitRange@: 1 metadata, 2 spec
  LimitRangeItem: 1 type, 2 max {Quantity}, 3 min {Quantity}, 4 default {Quantity},
    5 defaultRequest {Quantity}, 6 maxLimitRequestRatio {Quantity}
  LimitRangeList@: 1 metadata, 2 items
  LimitRangeSpec: 1 limits
  LinuxContainerUser: 1 uid, 2 gid, 3 supplementalGroups
  List@: 1 metadata meta.v1.ListMeta, 2 items [RawExtension]
  LoadBalancerIngress: 1 ip, 2 hostname, 3 ipMode, 4 ports
  LoadBalancerStatus: 1 ingress
  LocalObjectReference: 1 name
  LocalVolumeSource: 1 path, 2 fsType
  ModifyVolumeStatus: 1 targetVolumeAttributesClassName, 2 status
  NFSVolumeSource: 1 server, 2 path, 3 readOnly
  Namespace@: 1 metadata, 2 spec, 3 status
  NamespaceCondition: 1 type, 2 status, 4 lastTransitionTime, 5 reason, 6 message
  NamespaceList@: 1 metadata, 2 items
  NamespaceSpec: 1 finalizers
  NamespaceStatus: 1 phase, 2 conditions
  Node@: 1 metadata, 2 spec, 3 status
  NodeAddress: 1 type, 2 address
  NodeAffinity: 1 requiredDuringSchedulingIgnoredDuringExecution,
    2 preferredDuringSchedulingIgnoredDuringExecution
  NodeAllocatableResourceClaimStatus: 1 resourceClaimName, 2 containers, 3 resources {Quantity}
  NodeCondition: 1 type, 2 status, 3 lastHeartbeatTime, 4 lastTransitionTime, 5 reason, 6 message
  NodeConfigSource: 2 configMap
  NodeConfigStatus: 1 assigned, 2 active, 3 lastKnownGood, 4 error
  NodeDaemonEndpoints: 1 kubeletEndpoint
  NodeFeatures: 1 supplementalGroupsPolicy
  NodeList@: 1 metadata, 2 items
  NodeProxyOptions@: 1 path string
  NodeRuntimeHandler: 1 name, 2 features
  NodeRuntimeHandlerFeatures: 1 recursiveReadOnlyMounts, 2 userNamespaces
  NodeSelector: 1 nodeSelectorTerms
  NodeSelectorRequirement: 1 key, 2 operator, 3 values
  NodeSelectorTerm: 1 matchExpressions, 2 matchFields
  NodeSpec: 1 podCIDR, 2 externalID, 3 providerID, 4 unschedulable, 5 taints, 6 configSource, 7 podCIDRs
  NodeStatus: 1 capacity {Quantity}, 2 allocatable {Quantity}, 3 phase, 4 conditions, 5 addresses,
    6 daemonEndpoints, 7 nodeInfo, 8 images, 9 volumesInUse, 10 volumesAttached, 11 config,
    12 runtimeHandlers, 13 features, 14 declaredFeatures
  NodeSwapStatus: 1 capacity
  NodeSystemInfo: 1 machineID, 2 systemUUID, 3 bootID, 4 kernelVersion, 5 osImage,
    6 containerRuntimeVersion, 7 kubeletVersion, 8 kubeProxyVersion, 9 operatingSystem, 10 architecture,
    11 swap
  ObjectFieldSelector: 1 apiVersion, 2 fieldPath
  ObjectReference: 1 kind, 2 namespace, 3 name, 4 uid, 5 apiVersion, 6 resourceVersion, 7 fieldPath
  PersistentVolume@: 1 metadata, 2 spec, 3 status
  PersistentVolumeClaim@: 1 metadata, 2 spec, 3 status
  PersistentVolumeClaimCondition: 1 type, 2 status, 3 lastProbeTime, 4 lastTransitionTime, 5 reason,
    6 message
  PersistentVolumeClaimList@: 1 metadata, 2 items
  PersistentVolumeClaimSpec: 1 accessModes, 2 resources, 3 volumeName, 4 selector, 5 storageClassName,
    6 volumeMode, 7 dataSource, 8 dataSourceRef, 9 volumeAttributesClassName
  PersistentVolumeClaimStatus: 1 phase, 2 accessModes, 3 capacity {Quantity}, 4 conditions,
    5 allocatedResources {Quantity}, 7 allocatedResourceStatuses, 8 currentVolumeAttributesClassName,
    9 modifyVolumeStatus
  PersistentVolumeClaimTemplate: 1 metadata, 2 spec
  PersistentVolumeClaimVolumeSource: 1 claimName, 2 readOnly
  PersistentVolumeList@: 1 metadata, 2 items
  PersistentVolumeSpec: 1 capacity {Quantity}, 2/1 gcePersistentDisk, 2/2 awsElasticBlockStore,
    2/3 hostPath, 2/4 glusterfs, 2/5 nfs, 2/6 rbd, 2/7 iscsi, 2/8 cinder, 2/9 cephfs, 2/10 fc,
    2/11 flocker, 2/12 flexVolume, 2/13 azureFile, 2/14 vsphereVolume, 2/15 quobyte, 2/16 azureDisk,
    2/17 photonPersistentDisk, 2/18 portworxVolume, 2/19 scaleIO, 2/20 local, 2/21 storageos, 2/22 csi,
    3 accessModes, 4 claimRef, 5 persistentVolumeReclaimPolicy, 6 storageClassName, 7 mountOptions,
    8 volumeMode, 9 nodeAffinity, 10 volumeAttributesClassName
  PersistentVolumeStatus: 1 phase, 2 message, 3 reason, 4 lastPhaseTransitionTime
  PhotonPersistentDiskVolumeSource: 1 pdID, 2 fsType
  Pod@: 1 metadata, 2 spec, 3 status
  PodAffinity: 1 requiredDuringSchedulingIgnoredDuringExecution,
    2 preferredDuringSchedulingIgnoredDuringExecution
  PodAffinityTerm: 1 labelSelector, 2 namespaces, 3 topologyKey, 4 namespaceSelector, 5 matchLabelKeys,
    6 mismatchLabelKeys
  PodAntiAffinity: 1 requiredDuringSchedulingIgnoredDuringExecution,
    2 preferredDuringSchedulingIgnoredDuringExecution
  PodAttachOptions@: 1 stdin boolean, 2 stdout boolean, 3 stderr boolean, 4 tty boolean,
    5 container string
  PodCertificateProjection: 1 signerName, 2 keyType, 3 maxExpirationSeconds, 4 credentialBundlePath,
    5 keyPath, 6 certificateChainPath, 7 userAnnotations
  PodCondition: 1 type, 2 status, 3 lastProbeTime, 4 lastTransitionTime, 5 reason, 6 message,
    7 observedGeneration
  PodDNSConfig: 1 nameservers, 2 searches, 3 options
  PodDNSConfigOption: 1 name, 2 value
  PodExecOptions@: 1 stdin boolean, 2 stdout boolean, 3 stderr boolean, 4 tty boolean, 5 container string,
    6 command [string]
  PodExtendedResourceClaimStatus: 1 requestMappings, 2 resourceClaimName
  PodIP: 1 ip
  PodList@: 1 metadata, 2 items
  PodLogOptions@: 1 container string, 2 follow boolean, 3 previous boolean, 4 sinceSeconds int64,
    5 sinceTime Time, 6 timestamps boolean, 7 tailLines int64, 8 limitBytes int64,
    9 insecureSkipTLSVerifyBackend boolean, 10 stream string
  PodOS: 1 name
  PodPortForwardOptions@: 1 ports [int32]
  PodProxyOptions@: 1 path string
  PodReadinessGate: 1 conditionType
  PodResourceClaim: 1 name, 3 resourceClaimName, 4 resourceClaimTemplateName
  PodResourceClaimStatus: 1 name, 2 resourceClaimName
  PodSchedulingGate: 1 name
  PodSchedulingGroup: 1 podGroupName
  PodSecurityContext: 1 seLinuxOptions, 2 runAsUser, 3 runAsNonRoot, 4 supplementalGroups, 5 fsGroup,
    6 runAsGroup, 7 sysctls, 8 windowsOptions, 9 fsGroupChangePolicy, 10 seccompProfile,
    11 appArmorProfile, 12 supplementalGroupsPolicy, 13 seLinuxChangePolicy
  PodSpec: 1 volumes, 2 containers, 3 restartPolicy, 4 terminationGracePeriodSeconds,
    5 activeDeadlineSeconds, 6 dnsPolicy, 7 nodeSelector, 8 serviceAccountName, 9 serviceAccount,
    10 nodeName, 11 hostNetwork, 12 hostPID, 13 hostIPC, 14 securityContext, 15 imagePullSecrets,
    16 hostname, 17 subdomain, 18 affinity, 19 schedulerName, 20 initContainers,
    21 automountServiceAccountToken, 22 tolerations, 23 hostAliases, 24 priorityClassName, 25 priority,
    26 dnsConfig, 27 shareProcessNamespace, 28 readinessGates, 29 runtimeClassName, 30 enableServiceLinks,
    31 preemptionPolicy, 32 overhead {Quantity}, 33 topologySpreadConstraints, 34 ephemeralContainers,
    35 setHostnameAsFQDN, 36 os, 37 hostUsers, 38 schedulingGates, 39 resourceClaims, 40 resources,
    41 hostnameOverride, 43 schedulingGroup
  PodStatus: 1 phase, 2 conditions, 3 message, 4 reason, 5 hostIP, 6 podIP, 7 startTime,
    8 containerStatuses, 9 qosClass, 10 initContainerStatuses, 11 nominatedNodeName, 12 podIPs,
    13 ephemeralContainerStatuses, 14 resize, 15 resourceClaimStatuses, 16 hostIPs, 17 observedGeneration,
    18 extendedResourceClaimStatus, 19 allocatedResources {Quantity}, 20 resources,
    21 nodeAllocatableResourceClaimStatuses
  PodStatusResult@: 1 metadata meta.v1.ObjectMeta, 2 status PodStatus
  PodTemplate@: 1 metadata, 2 template
  PodTemplateList@: 1 metadata, 2 items
  PodTemplateSpec: 1 metadata, 2 spec
  PortStatus: 1 port, 2 protocol, 3 error
  PortworxVolumeSource: 1 volumeID, 2 fsType, 3 readOnly
  PreferredSchedulingTerm: 1 weight, 2 preference
  Probe: 1/1 exec, 1/2 httpGet, 1/3 tcpSocket, 1/4 grpc, 2 initialDelaySeconds, 3 timeoutSeconds,
    4 periodSeconds, 5 successThreshold, 6 failureThreshold, 7 terminationGracePeriodSeconds
  ProjectedVolumeSource: 1 sources, 2 defaultMode
  QuobyteVolumeSource: 1 registry, 2 volume, 3 readOnly, 4 user, 5 group, 6 tenant
  RBDPersistentVolumeSource: 1 monitors, 2 image, 3 fsType, 4 pool, 5 user, 6 keyring, 7 secretRef,
    8 readOnly
  RBDVolumeSource: 1 monitors, 2 image, 3 fsType, 4 pool, 5 user, 6 keyring, 7 secretRef, 8 readOnly
  RangeAllocation@: 1 metadata meta.v1.ObjectMeta, 2 range string, 3 data bytes
  ReplicationController@: 1 metadata, 2 spec, 3 status
  ReplicationControllerCondition: 1 type, 2 status, 3 lastTransitionTime, 4 reason, 5 message
  ReplicationControllerList@: 1 metadata, 2 items
  ReplicationControllerSpec: 1 replicas, 2 selector, 3 template, 4 minReadySeconds
  ReplicationControllerStatus: 1 replicas, 2 fullyLabeledReplicas, 3 observedGeneration, 4 readyReplicas,
    5 availableReplicas, 6 conditions
  ResourceClaim: 1 name, 2 request
  ResourceFieldSelector: 1 containerName, 2 resource, 3 divisor Quantity
  ResourceHealth: 1 resourceID, 2 health, 6 message
  ResourceQuota@: 1 metadata, 2 spec, 3 status
  ResourceQuotaList@: 1 metadata, 2 items
  ResourceQuotaSpec: 1 hard {Quantity}, 2 scopes, 3 scopeSelector
  ResourceQuotaStatus: 1 hard {Quantity}, 2 used {Quantity}
  ResourceRequirements: 1 limits {Quantity}, 2 requests {Quantity}, 3 claims
  ResourceStatus: 1 name, 2 resources
  SELinuxOptions: 1 user, 2 role, 3 type, 4 level
  ScaleIOPersistentVolumeSource: 1 gateway, 2 system, 3 secretRef, 4 sslEnabled, 5 protectionDomain,
    6 storagePool, 7 storageMode, 8 volumeName, 9 fsType, 10 readOnly
  ScaleIOVolumeSource: 1 gateway, 2 system, 3 secretRef, 4 sslEnabled, 5 protectionDomain, 6 storagePool,
    7 storageMode, 8 volumeName, 9 fsType, 10 readOnly
  ScopeSelector: 1 matchExpressions
  ScopedResourceSelectorRequirement: 1 scopeName, 2 operator, 3 values
  SeccompProfile: 1 type, 2 localhostProfile
  Secret@: 1 metadata, 2 data, 3 type, 4 stringData, 5 immutable
  SecretEnvSource: 1/1 name, 2 optional
  SecretKeySelector: 1/1 name, 2 key, 3 optional
  SecretList@: 1 metadata, 2 items
  SecretProjection: 1/1 name, 2 items, 4 optional
  SecretReference: 1 name, 2 namespace
  SecretVolumeSource: 1 secretName, 2 items, 3 defaultMode, 4 optional
  SecurityContext: 1 capabilities, 2 privileged, 3 seLinuxOptions, 4 runAsUser, 5 runAsNonRoot,
    6 readOnlyRootFilesystem, 7 allowPrivilegeEscalation, 8 runAsGroup, 9 procMount, 10 windowsOptions,
    11 seccompProfile, 12 appArmorProfile
  SerializedReference@: 1 reference ObjectReference
  Service@: 1 metadata, 2 spec, 3 status
  ServiceAccount@: 1 metadata, 2 secrets, 3 imagePullSecrets, 4 automountServiceAccountToken
  ServiceAccountList@: 1 metadata, 2 items
  ServiceAccountTokenProjection: 1 audience, 2 expirationSeconds, 3 path
  ServiceList@: 1 metadata, 2 items
  ServicePort: 1 name, 2 protocol, 3 port, 4 targetPort, 5 nodePort, 6 appProtocol
  ServiceProxyOptions@: 1 path string
  ServiceSpec: 1 ports, 2 selector, 3 clusterIP, 4 type, 5 externalIPs, 7 sessionAffinity,
    8 loadBalancerIP, 9 loadBalancerSourceRanges, 10 externalName, 11 externalTrafficPolicy,
    12 healthCheckNodePort, 13 publishNotReadyAddresses, 14 sessionAffinityConfig, 17 ipFamilyPolicy,
    18 clusterIPs, 19 ipFamilies, 20 allocateLoadBalancerNodePorts, 21 loadBalancerClass,
    22 internalTrafficPolicy, 23 trafficDistribution
  ServiceStatus: 1 loadBalancer, 2 conditions
  SessionAffinityConfig: 1 clientIP
  SleepAction: 1 seconds
  StorageOSPersistentVolumeSource: 1 volumeName, 2 volumeNamespace, 3 fsType, 4 readOnly, 5 secretRef
  StorageOSVolumeSource: 1 volumeName, 2 volumeNamespace, 3 fsType, 4 readOnly, 5 secretRef
  Sysctl: 1 name, 2 value
  TCPSocketAction: 1 port, 2 host
  Taint: 1 key, 2 value, 3 effect, 4 timeAdded
  Toleration: 1 key, 2 operator, 3 value, 4 effect, 5 tolerationSeconds
  TopologySelectorLabelRequirement: 1 key, 2 values
  TopologySelectorTerm: 1 matchLabelExpressions
  TopologySpreadConstraint: 1 maxSkew, 2 topologyKey, 3 whenUnsatisfiable, 4 labelSelector, 5 minDomains,
    6 nodeAffinityPolicy, 7 nodeTaintsPolicy, 8 matchLabelKeys
  TypedLocalObjectReference: 1 apiGroup, 2 kind, 3 name
  TypedObjectReference: 1 apiGroup, 2 kind, 3 name, 4 namespace
  Volume: 1 name, 2/1 hostPath, 2/2 emptyDir, 2/3 gcePersistentDisk, 2/4 awsElasticBlockStore,
    2/5 gitRepo, 2/6 secret, 2/7 nfs, 2/8 iscsi, 2/9 glusterfs, 2/10 persistentVolumeClaim, 2/11 rbd,
    2/12 flexVolume, 2/13 cinder, 2/14 cephfs, 2/15 flocker, 2/16 downwardAPI, 2/17 fc, 2/18 azureFile,
    2/19 configMap, 2/20 vsphereVolume, 2/21 quobyte, 2/22 azureDisk, 2/23 photonPersistentDisk,
    2/24 portworxVolume, 2/25 scaleIO, 2/26 projected, 2/27 storageos, 2/28 csi, 2/29 ephemeral,
    2/30 image
  VolumeDevice: 1 name, 2 devicePath
  VolumeMount: 1 name, 2 readOnly, 3 mountPath, 4 subPath, 5 mountPropagation, 6 subPathExpr,
    7 recursiveReadOnly
  VolumeMountStatus: 1 name, 2 mountPath, 3 readOnly, 4 recursiveReadOnly, 5 volumeStatus
  VolumeNodeAffinity: 1 required
  VolumeProjection: 1 secret, 2 downwardAPI, 3 configMap, 4 serviceAccountToken, 5 clusterTrustBundle,
    6 podCertificate
  VolumeResourceRequirements: 1 limits {Quantity}, 2 requests {Quantity}
  VolumeStatus: 1 image
  VsphereVirtualDiskVolumeSource: 1 volumePath, 2 fsType, 3 storagePolicyName, 4 storagePolicyID
  WeightedPodAffinityTerm: 1 weight, 2 podAffinityTerm
  WindowsSecurityContextOptions: 1 gmsaCredentialSpecName, 2 gmsaCredentialSpec, 3 runAsUserName,
    4 hostProcess
  `,
  merging: `
  Capabilities: add atomic, drop atomic
  CephFSPersistentVolumeSource: monitors atomic
  CephFSVolumeSource: monitors atomic
  ComponentStatus: conditions map(type) merge(type)
  ConfigMapProjection: items atomic
  ConfigMapVolumeSource: items atomic
  Container: args atomic, command atomic, env map(name) merge(name), envFrom atomic,
    ports map(containerPort,protocol) merge(containerPort), resizePolicy atomic,
    restartPolicyRules atomic, volumeDevices map(devicePath) merge(devicePath),
    volumeMounts map(mountPath) merge(mountPath)
  ContainerImage: names atomic
  ContainerRestartRuleOnExitCodes: values set
  ContainerStatus: allocatedResourcesStatus map(name) merge(name),
    volumeMounts map(mountPath) merge(mountPath)
  DownwardAPIProjection: items atomic
  DownwardAPIVolumeSource: items atomic
  EndpointSubset: addresses atomic, notReadyAddresses atomic, ports atomic
  Endpoints: subsets atomic
  EphemeralContainer: args atomic, command atomic, env map(name) merge(name), envFrom atomic,
    ports map(containerPort,protocol) merge(containerPort), resizePolicy atomic,
    restartPolicyRules atomic, volumeDevices map(devicePath) merge(devicePath),
    volumeMounts map(mountPath) merge(mountPath)
  ExecAction: command atomic
  FCVolumeSource: targetWWNs atomic, wwids atomic
  HTTPGetAction: httpHeaders atomic
  HostAlias: hostnames atomic
  ISCSIPersistentVolumeSource: portals atomic
  ISCSIVolumeSource: portals atomic
  LimitRangeSpec: limits atomic
  LinuxContainerUser: supplementalGroups atomic
  LoadBalancerIngress: ports atomic
  LoadBalancerStatus: ingress atomic
  NamespaceSpec: finalizers atomic
  NamespaceStatus: conditions map(type) merge(type)
  NodeAffinity: preferredDuringSchedulingIgnoredDuringExecution atomic
  NodeAllocatableResourceClaimStatus: containers set
  NodeSelector: nodeSelectorTerms atomic
  NodeSelectorRequirement: values atomic
  NodeSelectorTerm: matchExpressions atomic, matchFields atomic
  NodeSpec: podCIDRs set merge, taints atomic
  NodeStatus: addresses map(type) merge(type), conditions map(type) merge(type), declaredFeatures atomic,
    images atomic, runtimeHandlers atomic, volumesAttached atomic, volumesInUse atomic
  PersistentVolumeClaimSpec: accessModes atomic
  PersistentVolumeClaimStatus: accessModes atomic, allocatedResourceStatuses granular,
    conditions map(type) merge(type)
  PersistentVolumeSpec: accessModes atomic, claimRef granular, mountOptions atomic
  PodAffinity: preferredDuringSchedulingIgnoredDuringExecution atomic,
    requiredDuringSchedulingIgnoredDuringExecution atomic
  PodAffinityTerm: matchLabelKeys atomic, mismatchLabelKeys atomic, namespaces atomic
  PodAntiAffinity: preferredDuringSchedulingIgnoredDuringExecution atomic,
    requiredDuringSchedulingIgnoredDuringExecution atomic
  PodDNSConfig: nameservers atomic, options atomic, searches atomic
  PodExtendedResourceClaimStatus: requestMappings atomic
  PodSecurityContext: supplementalGroups atomic, sysctls atomic
  PodSpec: containers map(name) merge(name), ephemeralContainers map(name) merge(name),
    hostAliases map(ip) merge(ip), imagePullSecrets map(name) merge(name),
    initContainers map(name) merge(name), nodeSelector atomic, readinessGates atomic,
    resourceClaims map(name) merge(name) retainKeys, schedulingGates map(name) merge(name),
    tolerations atomic, topologySpreadConstraints map(topologyKey,whenUnsatisfiable) merge(topologyKey),
    volumes map(name) merge(name) retainKeys
  PodStatus: conditions map(type) merge(type), containerStatuses atomic,
    ephemeralContainerStatuses atomic, hostIPs atomic merge(ip), initContainerStatuses atomic,
    nodeAllocatableResourceClaimStatuses atomic, podIPs map(ip) merge(ip),
    resourceClaimStatuses map(name) merge(name) retainKeys
  ProjectedVolumeSource: sources atomic
  RBDPersistentVolumeSource: monitors atomic
  RBDVolumeSource: monitors atomic
  ReplicationControllerSpec: selector atomic
  ReplicationControllerStatus: conditions map(type) merge(type)
  ResourceQuotaSpec: scopes atomic
  ResourceRequirements: claims map(name)
  ResourceStatus: resources map(resourceID)
  ScopeSelector: matchExpressions atomic
  ScopedResourceSelectorRequirement: values atomic
  SecretProjection: items atomic
  SecretVolumeSource: items atomic
  ServiceAccount: imagePullSecrets atomic, secrets map(name) merge(name)
  ServiceSpec: clusterIPs atomic, externalIPs atomic, ipFamilies atomic, loadBalancerSourceRanges atomic,
    ports map(port,protocol) merge(port), selector atomic
  ServiceStatus: conditions map(type) merge(type)
  TopologySelectorLabelRequirement: values atomic
  TopologySelectorTerm: matchLabelExpressions atomic
  TopologySpreadConstraint: matchLabelKeys atomic
  `,
  atomic: `
  ConfigMapKeySelector, EndpointAddress, EndpointPort, FileKeySelector, LocalObjectReference,
    NodeSelector, NodeSelectorTerm, ObjectFieldSelector, ObjectReference, ResourceFieldSelector,
    ScopeSelector, SecretKeySelector, SecretReference, TopologySelectorTerm, TypedLocalObjectReference
  `,
  enums: `
  AppArmorProfile: type Localhost|RuntimeDefault|Unconfined
  AzureDiskVolumeSource: cachingMode None|ReadOnly|ReadWrite, kind Dedicated|Managed|Shared
  Container: imagePullPolicy Always|IfNotPresent|Never, terminationMessagePolicy FallbackToLogsOnError|File
  ContainerPort: protocol SCTP|TCP|UDP
  ContainerRestartRule: action Restart|RestartAllContainers
  ContainerRestartRuleOnExitCodes: operator In|NotIn
  EndpointPort: protocol SCTP|TCP|UDP
  EphemeralContainer: imagePullPolicy Always|IfNotPresent|Never,
    terminationMessagePolicy FallbackToLogsOnError|File
  HTTPGetAction: scheme HTTP|HTTPS
  NamespaceStatus: phase Active|Terminating
  NodeSelectorRequirement: operator DoesNotExist|Exists|Gt|In|Lt|NotIn
  PersistentVolumeClaimSpec: volumeMode Block|Filesystem
  PersistentVolumeClaimStatus: phase Bound|Lost|Pending
  PersistentVolumeSpec: persistentVolumeReclaimPolicy Delete|Recycle|Retain, volumeMode Block|Filesystem
  PersistentVolumeStatus: phase Available|Bound|Failed|Pending|Released
  PodSecurityContext: fsGroupChangePolicy Always|OnRootMismatch, seLinuxChangePolicy MountOption|Recursive,
    supplementalGroupsPolicy Merge|Strict
  PodSpec: dnsPolicy ClusterFirst|ClusterFirstWithHostNet|Default|None, preemptionPolicy Never|PreemptLowerPriority,
    restartPolicy Always|Never|OnFailure
  PodStatus: phase Failed|Pending|Running|Succeeded|Unknown, qosClass BestEffort|Burstable|Guaranteed
  ResourceQuotaSpec: scopes BestEffort|CrossNamespacePodAffinity|NotBestEffort|NotTerminating|PriorityClass|Terminating|VolumeAttributesClass
  ScopedResourceSelectorRequirement: operator DoesNotExist|Exists|In|NotIn
  SeccompProfile: type Localhost|RuntimeDefault|Unconfined
  SecurityContext: procMount Default|Unmasked
  ServicePort: protocol SCTP|TCP|UDP
  ServiceSpec: externalTrafficPolicy Cluster|Local, internalTrafficPolicy Cluster|Local,
    ipFamilyPolicy PreferDualStack|RequireDualStack|SingleStack, sessionAffinity ClientIP|None,
    type ClusterIP|ExternalName|LoadBalancer|NodePort
  Taint: effect NoExecute|NoSchedule|PreferNoSchedule
  Toleration: effect NoExecute|NoSchedule|PreferNoSchedule, operator Equal|Exists|Gt|Lt
  TopologySpreadConstraint: nodeAffinityPolicy Honor|Ignore, nodeTaintsPolicy Honor|Ignore,
    whenUnsatisfiable DoNotSchedule|ScheduleAnyway
  VolumeMount: mountPropagation Bidirectional|HostToContainer|None, recursiveReadOnly Disabled|Enabled|IfPossible
  `,
  defaults: `
  ContainerPort: protocol TCP
  ServicePort: protocol TCP
  `,
  pointers: `
  AppArmorProfile: localhostProfile
  AzureDiskVolumeSource: cachingMode, fsType, kind, readOnly
  AzureFilePersistentVolumeSource: secretNamespace
  CSIVolumeSource: fsType, readOnly
  ClientIPConfig: timeoutSeconds
  ClusterTrustBundleProjection: name, optional, signerName
  ConfigMap: immutable
  ConfigMapEnvSource: optional
  ConfigMapKeySelector: optional
  ConfigMapProjection: optional
  ConfigMapVolumeSource: defaultMode, optional
  Container: restartPolicy
  ContainerStatus: started, stopSignal
  DownwardAPIVolumeFile: mode
  DownwardAPIVolumeSource: defaultMode
  EmptyDirVolumeSource: sizeLimit
  EndpointAddress: nodeName
  EndpointPort: appProtocol
  EphemeralContainer: restartPolicy
  FCVolumeSource: lun
  FileKeySelector: optional
  GRPCAction: service
  GlusterfsPersistentVolumeSource: endpointsNamespace
  HostPathVolumeSource: type
  ISCSIPersistentVolumeSource: initiatorName
  ISCSIVolumeSource: initiatorName
  KeyToPath: mode
  Lifecycle: stopSignal
  LoadBalancerIngress: ipMode
  LocalVolumeSource: fsType
  NodeConfigStatus: error
  NodeFeatures: supplementalGroupsPolicy
  NodeRuntimeHandlerFeatures: recursiveReadOnlyMounts, userNamespaces
  NodeSwapStatus: capacity
  NodeSystemInfo: bootID
  PersistentVolumeClaimSpec: storageClassName, volumeAttributesClassName, volumeMode
  PersistentVolumeClaimStatus: currentVolumeAttributesClassName
  PersistentVolumeSpec: volumeAttributesClassName, volumeMode
  PodCertificateProjection: maxExpirationSeconds
  PodDNSConfigOption: value
  PodLogOptions: limitBytes, sinceSeconds, stream, tailLines
  PodOS: name
  PodResourceClaim: resourceClaimName, resourceClaimTemplateName
  PodResourceClaimStatus: resourceClaimName
  PodSecurityContext: fsGroup, fsGroupChangePolicy, runAsGroup, runAsNonRoot, runAsUser,
    seLinuxChangePolicy, supplementalGroupsPolicy
  PodSpec: activeDeadlineSeconds, automountServiceAccountToken, enableServiceLinks, hostUsers,
    hostnameOverride, preemptionPolicy, priority, runtimeClassName, setHostnameAsFQDN,
    shareProcessNamespace, terminationGracePeriodSeconds
  PortStatus: error
  Probe: terminationGracePeriodSeconds
  ProjectedVolumeSource: defaultMode
  RBDPersistentVolumeSource: fsType
  ReplicationControllerSpec: replicas
  SeccompProfile: localhostProfile
  Secret: immutable
  SecretEnvSource: optional
  SecretKeySelector: optional
  SecretProjection: optional
  SecretVolumeSource: defaultMode, optional
  SecurityContext: allowPrivilegeEscalation, privileged, procMount, readOnlyRootFilesystem, runAsGroup,
    runAsNonRoot, runAsUser
  ServiceAccount: automountServiceAccountToken
  ServiceAccountTokenProjection: expirationSeconds
  ServicePort: appProtocol
  ServiceSpec: allocateLoadBalancerNodePorts, internalTrafficPolicy, ipFamilyPolicy, loadBalancerClass,
    trafficDistribution
  TCPSocketAction: host
  Toleration: tolerationSeconds
  TopologySpreadConstraint: minDomains, nodeAffinityPolicy, nodeTaintsPolicy
  TypedLocalObjectReference: apiGroup
  TypedObjectReference: apiGroup, namespace
  VolumeMount: mountPropagation, recursiveReadOnly
  VolumeMountStatus: recursiveReadOnly
  WindowsSecurityContextOptions: gmsaCredentialSpec, gmsaCredentialSpecName, hostProcess, runAsUserName
  `,
  keptEmpty: `
  ContainerImage: names
  ProjectedVolumeSource: sources
  `,
};
