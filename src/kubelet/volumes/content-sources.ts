/** Gathers what volumes of the API's contents show: of ConfigMaps, Secrets, the pod itself and tokens. */
import { ConfigMap } from "../../api/core/config-map.ts";
import { Secret } from "../../api/core/secret.ts";
import type { Pod, Volume, VolumeProjection } from "../../api/schema/core.v1.generated.ts";
import type { PodObjects } from "../objects/pod-objects.ts";
import { configMapPayload, downwardPayload, type Payload, secretPayload } from "./payload.ts";
import { commonUser, fsGroupOf } from "./pod-volume-use.ts";
import type { ServiceAccountTokens } from "./service-account-tokens.ts";
import { VolumeError } from "./volume-plugin.ts";

export interface ContentPorts {
  objects: PodObjects;
  tokens: ServiceAccountTokens;
  /** Of the node, for limits that containers do not have. */
  allocatable(): Readonly<Record<string, string>>;
}

export interface Contents {
  payload: Payload;
  /** When they are to be gathered again, though nothing changed. */
  renewAt?: number;
}

const DEFAULT_MODE = 0o644;
const DEFAULT_TOKEN_SECONDS = 3600;
/** Of tokens in pods whose containers run as one user, or that have a group for their volumes. */
const OWN_MODE = 0o600;

/** Throws VolumeError for what is missing and not optional. */
export async function gather(ports: ContentPorts, pod: Pod, volume: Volume): Promise<Contents> {
  const { configMap, secret, downwardAPI, projected } = volume;
  if (configMap) {
    const { name, items, optional, defaultMode: mode = DEFAULT_MODE } = configMap;
    return { payload: await ofConfigMap(ports, pod, { name, items, optional, mode }) };
  }
  if (secret) {
    const { secretName: name, items, optional, defaultMode: mode = DEFAULT_MODE } = secret;
    return { payload: await ofSecret(ports, pod, { name, items, optional, mode }) };
  }
  if (downwardAPI) {
    const { items = [], defaultMode = DEFAULT_MODE } = downwardAPI;
    return { payload: downwardPayload(pod, items, defaultMode, ports.allocatable()) };
  }
  const mode = projected?.defaultMode ?? DEFAULT_MODE;
  const parts = await Promise.allSettled(
    (projected?.sources ?? []).map((source) => ofSource(ports, pod, source, mode)),
  );
  const failures = parts.flatMap((part) => (part.status === "rejected" ? [messageOf(part.reason)] : []));
  if (failures.length > 0) {
    throw new VolumeError(failures.length === 1 ? failures[0]! : `[${failures.join(", ")}]`);
  }
  const contents: Contents = { payload: new Map() };
  for (const part of parts) {
    if (part.status === "rejected") continue;
    for (const [path, file] of part.value.payload) contents.payload.set(path, file);
    const { renewAt } = part.value;
    if (renewAt !== undefined) contents.renewAt = Math.min(contents.renewAt ?? renewAt, renewAt);
  }
  return contents;
}

interface Keys extends Pick<NonNullable<Volume["configMap"]>, "name" | "items" | "optional"> {
  mode: number;
}

async function ofConfigMap({ objects }: ContentPorts, pod: Pod, keys: Keys): Promise<Payload> {
  const { namespace = "", uid = "" } = pod.metadata;
  const { name = "", optional } = keys;
  const found = await objects.get(uid, ConfigMap, namespace, name);
  if (found) return configMapPayload(found, keys);
  if (optional) return new Map();
  throw new VolumeError(`configmap ${JSON.stringify(name)} not found`);
}

async function ofSecret({ objects }: ContentPorts, pod: Pod, keys: Keys): Promise<Payload> {
  const { namespace = "", uid = "" } = pod.metadata;
  const { name = "", optional } = keys;
  const found = await objects.get(uid, Secret, namespace, name);
  if (found) return secretPayload(found, keys);
  if (optional) return new Map();
  throw new VolumeError(`secret ${JSON.stringify(name)} not found`);
}

async function ofSource(
  ports: ContentPorts,
  pod: Pod,
  source: VolumeProjection,
  mode: number,
): Promise<Contents> {
  const { configMap, secret, downwardAPI, serviceAccountToken } = source;
  if (configMap) return { payload: await ofConfigMap(ports, pod, { ...configMap, mode }) };
  if (secret) return { payload: await ofSecret(ports, pod, { ...secret, mode }) };
  if (downwardAPI) {
    return { payload: downwardPayload(pod, downwardAPI.items ?? [], mode, ports.allocatable()) };
  }
  if (serviceAccountToken) {
    const { audience, path, expirationSeconds = DEFAULT_TOKEN_SECONDS } = serviceAccountToken;
    const { token, renewAt } = await ports.tokens.get(pod, { audience, expirationSeconds });
    const user = commonUser(pod);
    const isOwn = user !== undefined || fsGroupOf(pod) !== undefined;
    const file = { data: Buffer.from(token), mode: isOwn ? OWN_MODE : mode, user };
    return { payload: new Map([[path, file]]), renewAt };
  }
  const kind = source.clusterTrustBundle ? "ClusterTrustBundle" : "PodCertificate";
  throw new VolumeError(`${kind} projection is not supported: the API server does not serve what it needs`);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
