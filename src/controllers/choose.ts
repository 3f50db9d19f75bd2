/** Which controllers a list as in upstream's --controllers means. */
import type { Controller } from "./runtime/controller.ts";

export class UnknownController extends Error {}

/** Names that upstream's flag still takes from before controllers were named alike: kubeadm gives some. */
export const ALIASES: ReadonlyMap<string, string> = new Map([
  ["attachdetach", "persistentvolume-attach-detach-controller"],
  ["bootstrapsigner", "bootstrap-signer-controller"],
  ["cloud-node", "cloud-node-controller"],
  ["cloud-node-lifecycle", "cloud-node-lifecycle-controller"],
  ["clusterrole-aggregation", "clusterrole-aggregation-controller"],
  ["cronjob", "cronjob-controller"],
  ["csrapproving", "certificatesigningrequest-approving-controller"],
  ["csrcleaner", "certificatesigningrequest-cleaner-controller"],
  ["csrsigning", "certificatesigningrequest-signing-controller"],
  ["daemonset", "daemonset-controller"],
  ["deployment", "deployment-controller"],
  ["disruption", "disruption-controller"],
  ["endpoint", "endpoints-controller"],
  ["endpointslice", "endpointslice-controller"],
  ["endpointslicemirroring", "endpointslice-mirroring-controller"],
  ["ephemeral-volume", "ephemeral-volume-controller"],
  ["garbagecollector", "garbage-collector-controller"],
  ["horizontalpodautoscaling", "horizontal-pod-autoscaler-controller"],
  ["job", "job-controller"],
  ["legacy-service-account-token-cleaner", "legacy-serviceaccount-token-cleaner-controller"],
  ["namespace", "namespace-controller"],
  ["nodeipam", "node-ipam-controller"],
  ["nodelifecycle", "node-lifecycle-controller"],
  ["persistentvolume-binder", "persistentvolume-binder-controller"],
  ["persistentvolume-expander", "persistentvolume-expander-controller"],
  ["podgc", "pod-garbage-collector-controller"],
  ["pv-protection", "persistentvolume-protection-controller"],
  ["pvc-protection", "persistentvolumeclaim-protection-controller"],
  ["replicaset", "replicaset-controller"],
  ["replicationcontroller", "replicationcontroller-controller"],
  ["resource-claim-controller", "resourceclaim-controller"],
  ["resourcequota", "resourcequota-controller"],
  ["root-ca-cert-publisher", "root-ca-certificate-publisher-controller"],
  ["route", "node-route-controller"],
  ["service", "service-lb-controller"],
  ["serviceaccount", "serviceaccount-controller"],
  ["serviceaccount-token", "serviceaccount-token-controller"],
  ["statefulset", "statefulset-controller"],
  ["tokencleaner", "token-cleaner-controller"],
  ["ttl", "ttl-controller"],
  ["ttl-after-finished", "ttl-after-finished-controller"],
]);

/** `*`: all that are on by default; `name`: that one too; `-name`: not that one, which counts more than the others. */
export function chosenControllers(all: readonly Controller[], choice: readonly string[]): Controller[] {
  const known = new Set(all.map(({ name }) => name));
  const on = new Set<string>();
  const off = new Set<string>();
  for (const word of choice) {
    const given = word.startsWith("-") ? word.slice(1) : word;
    const name = ALIASES.get(given) ?? given;
    if (name !== "*" && !known.has(name)) throw new UnknownController(`there is no controller ${given}`);
    (word.startsWith("-") ? off : on).add(name);
  }
  return all.filter(({ name, offByDefault }) => {
    if (off.has(name)) return false;
    return on.has(name) || (on.has("*") && !offByDefault);
  });
}
