/** The credentials that a pod has for an image. */
import { createHash } from "node:crypto";
import { Secret } from "../../api/core/secret.ts";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import type { EventRecorder } from "../../client/events/event-recorder.ts";
import type { PodObjects } from "../objects/pod-objects.ts";
import { repositoryOf } from "./image-reference.ts";
import { credentialsFor, type KeyringEntry, keyringOfSecret } from "./keyring.ts";
import type { SecretCredentials } from "./pull-records.ts";

export interface PodCredentialsOptions {
  objects: PodObjects;
  events: EventRecorder;
  settings: { keyring?: readonly KeyringEntry[] };
}

/** Of a keyring, and the secret that it is of. */
export type PodCredentials = KeyringEntry & { secret?: SecretCredentials };

/** Those of the pod's pull secrets and of the node that fit the image, the pod's first. */
export async function podCredentials(
  { objects, events, settings }: PodCredentialsOptions,
  pod: Pod,
  image: string,
): Promise<PodCredentials[]> {
  const { namespace = "", uid = "" } = pod.metadata ?? {};
  const names = (pod.spec?.imagePullSecrets ?? []).flatMap(({ name }) => (name ? [name] : []));
  const found = await Promise.all(
    names.map((name) => objects.get(uid, Secret, namespace, name).catch(() => undefined)),
  );
  const keyring: PodCredentials[] = [];
  const missing: string[] = [];
  for (const [i, secret] of found.entries()) {
    if (secret) keyring.push(...fromSecret(secret));
    else missing.push(names[i]!);
  }
  if (missing.length > 0) {
    const note = `Unable to retrieve some image pull secrets (${missing.join(", ")}); attempting to pull the image may not succeed.`;
    events.record(
      { kind: "Pod", apiVersion: "v1", namespace, name: pod.metadata?.name, uid },
      "Warning",
      "FailedToRetrieveImagePullSecret",
      note,
    );
  }
  const repository = repositoryOf(image);
  return [...credentialsFor(keyring, repository), ...credentialsFor(settings.keyring ?? [], repository)];
}

function fromSecret(secret: Secret): PodCredentials[] {
  const { uid = "", namespace = "", name = "" } = secret.metadata;
  let entries: KeyringEntry[];
  try {
    entries = keyringOfSecret(secret);
  } catch {
    // What it holds was not written for Docker; the registry will tell that credentials are missing.
    return [];
  }
  return entries.map((entry) => {
    const credentialHash = createHash("sha256").update(JSON.stringify(entry.credentials)).digest("hex");
    return { ...entry, secret: { uid, namespace, name, credentialHash } };
  });
}
