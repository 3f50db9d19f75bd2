import { ServiceAccount } from "../api/core/service-account.ts";
import type { KubeObject } from "../api/object.ts";
import type { RandomPort } from "../api/ports.ts";
import type { Container, PodSpec, Volume } from "../api/schema/core.v1.generated.ts";
import { deepFreeze } from "../machinery/json/deep-freeze.ts";
import { type AdmissionRequest, defineAdmission } from "./plugin.ts";
import { refused } from "./refusal.ts";

const MOUNT_PATH = "/var/run/secrets/kubernetes.io/serviceaccount";
const MIRROR = "kubernetes.io/config.mirror";
const VOLUME_PREFIX = "kube-api-access-";
const TOKEN_SECONDS = 3607;
const ENFORCE_MOUNTABLE = "kubernetes.io/enforce-mountable-secrets";

interface Pod extends KubeObject {
  spec?: PodSpec;
}

/** Runs every pod as a service account, and gives its containers a token of it. */
export const serviceAccount = defineAdmission({
  name: "ServiceAccount",
  summary: "Sets the service account of pods, mounts its token and adds its image pull secrets.",
  on: [
    ["pods", ["CREATE"]],
    ["pods/ephemeralcontainers", ["UPDATE"]],
  ],
  start({ reader, random }) {
    function accountOf(request: AdmissionRequest<KubeObject>, spec: PodSpec): ServiceAccount {
      const name = spec.serviceAccountName ?? "";
      const account = reader.get(ServiceAccount, request.namespace, name);
      if (account) return account;
      throw refused(
        request,
        `error looking up service account ${request.namespace}/${name}: serviceaccount ${JSON.stringify(name)} not found`,
      );
    }
    return {
      mutate(request) {
        const pod = request.object as Pod | undefined;
        if (!pod?.spec || request.subresource !== "") return;
        const { spec } = pod;
        if (isMirror(pod)) return;
        if (!spec.serviceAccountName) {
          spec.serviceAccountName = "default";
          spec.serviceAccount = "default";
        }
        const account = accountOf(request, spec);
        if (shouldMount(account, spec)) mountToken(spec, random);
        if (!spec.imagePullSecrets?.length && account.imagePullSecrets?.length) {
          spec.imagePullSecrets = account.imagePullSecrets.map(({ name }) => ({ name }));
        }
      },
      validate(request) {
        const pod = request.object as Pod | undefined;
        if (!pod?.spec) return;
        if (request.subresource === "" && isMirror(pod)) return checkMirror(request, pod.spec);
        const account = reader.get(ServiceAccount, request.namespace, pod.spec.serviceAccountName ?? "");
        if (!account) {
          if (request.subresource === "") accountOf(request, pod.spec);
          return;
        }
        if (account.metadata.annotations?.[ENFORCE_MOUNTABLE] === "true") {
          checkSecrets(request, account, pod.spec, request.subresource === "ephemeralcontainers");
        }
      },
    };
  },
});

function isMirror({ metadata }: KubeObject): boolean {
  return metadata.annotations !== undefined && Object.hasOwn(metadata.annotations, MIRROR);
}

/** The pod's word goes before the account's; without either the token is mounted. */
function shouldMount(account: ServiceAccount, spec: PodSpec): boolean {
  return spec.automountServiceAccountToken ?? account.automountServiceAccountToken ?? true;
}

function mountToken(spec: PodSpec, random: RandomPort): void {
  let name = "";
  let found = false;
  for (const volume of spec.volumes ?? []) {
    if (volume.name.startsWith(VOLUME_PREFIX)) {
      name = volume.name;
      found = true;
      break;
    }
  }
  if (!found) name = freshName(spec.volumes ?? [], random);
  let mounted = false;
  for (const containers of [spec.initContainers, spec.containers]) {
    for (const container of containers ?? []) if (mountIn(container, name)) mounted = true;
  }
  if (mounted && !found) spec.volumes = [...(spec.volumes ?? []), { name, projected: PROJECTED }];
}

function freshName(volumes: readonly Volume[], random: RandomPort): string {
  let name: string;
  do name = VOLUME_PREFIX + random.suffix(5);
  while (volumes.some((volume) => volume.name === name));
  return name;
}

/** A container that mounts something of its own there keeps it. */
function mountIn(container: Container, name: string): boolean {
  if (container.volumeMounts?.some(({ mountPath }) => mountPath === MOUNT_PATH)) return false;
  const mount = { name, readOnly: true, mountPath: MOUNT_PATH };
  container.volumeMounts = [...(container.volumeMounts ?? []), mount];
  return true;
}

/** The same for every pod, which all share it: there may be very many. */
const PROJECTED: Volume["projected"] = deepFreeze({
  defaultMode: 0o644,
  sources: [
    { serviceAccountToken: { expirationSeconds: TOKEN_SECONDS, path: "token" } },
    { configMap: { items: [{ key: "ca.crt", path: "ca.crt" }], name: "kube-root-ca.crt" } },
    {
      downwardAPI: {
        items: [{ fieldRef: { apiVersion: "v1", fieldPath: "metadata.namespace" }, path: "namespace" }],
      },
    },
  ],
});

/** A mirror pod shows what a kubelet runs by itself, which cannot have anything of the API server's. */
function checkMirror(request: AdmissionRequest, spec: PodSpec): void {
  if (spec.serviceAccountName) throw refused(request, "a mirror pod may not reference service accounts");
  if (secretNames(spec, false).length > 0) throw refused(request, "a mirror pod may not reference secrets");
  for (const { projected } of spec.volumes ?? []) {
    if (projected?.sources?.some((source) => source.serviceAccountToken)) {
      throw refused(request, "a mirror pod may not use ServiceAccountToken volume projections");
    }
  }
}

type Reference = readonly [secret: string, why: (account: string) => string];

function secretNames(spec: PodSpec, onlyEphemeral: boolean): Reference[] {
  const found: Reference[] = [];
  const kinds = [
    [onlyEphemeral ? undefined : spec.initContainers, "Init container"],
    [onlyEphemeral ? undefined : spec.containers, "Container"],
    [spec.ephemeralContainers, "Ephemeral container"],
  ] as const;
  if (!onlyEphemeral) {
    for (const volume of spec.volumes ?? []) {
      for (const secret of volumeSecrets(volume)) {
        found.push([
          secret,
          (account) =>
            `volume with secret.secretName=${JSON.stringify(secret)} is not allowed because service account ${account} does not reference that secret`,
        ]);
      }
    }
  }
  for (const [containers, kind] of kinds) {
    for (const { name, env, envFrom } of containers ?? []) {
      for (const variable of env ?? []) {
        const secret = variable.valueFrom?.secretKeyRef?.name;
        if (secret === undefined) continue;
        found.push([
          secret,
          (account) =>
            `${kind} ${name} with envVar ${variable.name} referencing secret.secretName=${JSON.stringify(secret)} is not allowed because service account ${account} does not reference that secret`,
        ]);
      }
      for (const { secretRef } of envFrom ?? []) {
        if (secretRef?.name === undefined) continue;
        const secret = secretRef.name;
        found.push([
          secret,
          (account) =>
            `${kind} ${name} with envFrom referencing secret.secretName=${JSON.stringify(secret)} is not allowed because service account ${account} does not reference that secret`,
        ]);
      }
    }
  }
  return found;
}

function volumeSecrets({ secret, projected }: Volume): string[] {
  const named = (projected?.sources ?? []).map((source) => source.secret?.name);
  return [secret?.secretName, ...named].filter((name) => name !== undefined);
}

function checkSecrets(
  request: AdmissionRequest,
  account: ServiceAccount,
  spec: PodSpec,
  onlyEphemeral: boolean,
): void {
  const allowed = new Set(account.secrets?.map(({ name }) => name));
  const who = account.metadata.name ?? "";
  for (const [secret, why] of secretNames(spec, onlyEphemeral)) {
    if (!allowed.has(secret)) throw refused(request, why(who));
  }
  if (onlyEphemeral) return;
  const pulls = new Set(account.imagePullSecrets?.map(({ name }) => name));
  for (const { name = "" } of spec.imagePullSecrets ?? []) {
    if (!pulls.has(name)) {
      throw refused(
        request,
        `imagePullSecrets[].name=${JSON.stringify(name)} is not allowed because service account ${who} does not reference that imagePullSecret`,
      );
    }
  }
}
