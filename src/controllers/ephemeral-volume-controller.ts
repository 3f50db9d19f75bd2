/** Makes the claims of pods' generic ephemeral volumes. They are the pod's own and go with it. */
import { PersistentVolumeClaim } from "../api/core/persistent-volume-claim.ts";
import { Pod } from "../api/core/pods.ts";
import type { Volume } from "../api/schema/core.v1.generated.ts";
import { claimKeysOf, ephemeralClaimName, whyNotMadeFor } from "../api/storage/binding/pod-claims.ts";
import type { Client } from "../client/client.ts";
import { keyOf, splitKey } from "../client/informer/object-store.ts";
import { isNamespaceTerminating, isReason } from "../client/status.ts";
import { controllerReference } from "../machinery/meta/owner.ts";
import { type ControllerContext, defineController, input, type Listers } from "./runtime/controller.ts";

type Inputs = { pods: Pod; claims: PersistentVolumeClaim };

/** Stands before `namespace/name` of a claim that went, in keys. */
const GONE = "claim:";

export const ephemeralVolumeController = defineController<Inputs>({
  name: "ephemeral-volume-controller",
  account: "ephemeral-volume-controller",
  eventSource: "ephemeral_volume",
  queue: "ephemeral_volume",
  workers: 5,
  inputs: {
    pods: input(
      Pod,
      ({ key, now, was }) =>
        now && now.metadata.uid !== was?.metadata.uid && hasEphemeral(now) ? [key] : [],
      undefined,
      {
        volumeClaims: claimKeysOf,
      },
    ),
    claims: input(PersistentVolumeClaim, ({ key, now }) => (now ? [] : [`${GONE}${key}`])),
  },
  start,
});

function hasEphemeral({ spec }: Pod): boolean {
  return spec?.volumes?.some(({ ephemeral }) => ephemeral !== undefined) ?? false;
}

function start({ client, events, again }: ControllerContext, { pods, claims }: Listers<Inputs>) {
  return async (key: string) => {
    if (key.startsWith(GONE)) {
      for (const pod of pods.by("volumeClaims", key.slice(GONE.length))) {
        if (hasEphemeral(pod)) again(keyOf(pod));
      }
      return undefined;
    }
    const { namespace, name } = splitKey(key);
    const pod = pods.get(namespace, name);
    if (!pod || pod.metadata.deletionTimestamp !== undefined) return undefined;
    for (const volume of pod.spec?.volumes ?? []) {
      if (!volume.ephemeral) continue;
      const claim = claims.get(namespace, ephemeralClaimName(pod, volume));
      let why = claim && whyNotMadeFor(pod, claim);
      let failure: unknown;
      if (!claim) {
        try {
          await makeClaim(client, pod, volume);
        } catch (error) {
          if (isNamespaceTerminating(error)) return undefined;
          failure = error;
          why = `create PVC ${ephemeralClaimName(pod, volume)}: ${error instanceof Error ? error.message : error}`;
        }
      }
      if (why === undefined) continue;
      events.record(pod, "Warning", "FailedBinding", `ephemeral volume ${volume.name}: ${why}`);
      // A claim in the way is waited for: its end is told. What else is in the way is not.
      if (failure !== undefined && !isReason(failure, "AlreadyExists")) throw failure;
      return undefined;
    }
    return undefined;
  };
}

async function makeClaim(client: Client, pod: Pod, volume: Volume): Promise<void> {
  const { metadata, spec } = volume.ephemeral?.volumeClaimTemplate ?? {};
  await client.resource(PersistentVolumeClaim, pod.metadata.namespace).create({
    metadata: {
      name: ephemeralClaimName(pod, volume),
      namespace: pod.metadata.namespace,
      annotations: metadata?.annotations,
      labels: metadata?.labels,
      ownerReferences: [controllerReference(pod)],
    },
    spec: spec ?? {},
  });
}
