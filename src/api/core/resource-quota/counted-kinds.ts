/** Which kind of object a quota counts by which of its names. */

export interface CountedKind {
  group: string;
  plural: string;
}

const COUNT = "count/";
const STORAGE_CLASS = ".storageclass.storage.k8s.io/";
const DEVICE_CLASS = ".deviceclass.resource.k8s.io/devices";

const PODS: CountedKind = { group: "", plural: "pods" };
const CLAIMS: CountedKind = { group: "", plural: "persistentvolumeclaims" };
const SERVICES: CountedKind = { group: "", plural: "services" };
const RESOURCE_CLAIMS: CountedKind = { group: "resource.k8s.io", plural: "resourceclaims" };

const BY_NAME = new Map<string, CountedKind>([
  ...["cpu", "memory", "ephemeral-storage"].flatMap((name): [string, CountedKind][] => [
    [name, PODS],
    [`requests.${name}`, PODS],
    [`limits.${name}`, PODS],
  ]),
  ["pods", PODS],
  ["requests.storage", CLAIMS],
  ["persistentvolumeclaims", CLAIMS],
  ["services", SERVICES],
  ["services.loadbalancers", SERVICES],
  ["services.nodeports", SERVICES],
  ...["configmaps", "replicationcontrollers", "resourcequotas", "secrets"].map(
    (plural): [string, CountedKind] => [plural, { group: "", plural }],
  ),
]);

/** `count/deployments.apps` */
export function countName({ plural, group }: CountedKind): string {
  return group === "" ? COUNT + plural : `${COUNT}${plural}.${group}`;
}

/** `<class>.deviceclass.resource.k8s.io/devices` */
export function devicesName(deviceClass: string): string {
  return deviceClass + DEVICE_CLASS;
}

/** Undefined for a name that no kind is counted by: a quota on it limits nothing. */
export function countedKind(name: string): CountedKind | undefined {
  const known = BY_NAME.get(name);
  if (known) return known;
  if (name.startsWith(COUNT)) {
    const dot = name.indexOf(".");
    const plural = name.slice(COUNT.length, dot < 0 ? undefined : dot);
    return plural === "" ? undefined : { plural, group: dot < 0 ? "" : name.slice(dot + 1) };
  }
  if (name.startsWith("hugepages-") || name.startsWith("requests.hugepages-")) return PODS;
  if (name.endsWith(`${STORAGE_CLASS}requests.storage`)) return CLAIMS;
  if (name.endsWith(`${STORAGE_CLASS}persistentvolumeclaims`)) return CLAIMS;
  if (name.endsWith(DEVICE_CLASS)) return RESOURCE_CLAIMS;
  return name.startsWith("requests.") && name.includes("/") ? PODS : undefined;
}
