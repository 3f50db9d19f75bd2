/**
 * Makes the resource claims of pods from templates, reserves claims for pods that have a node without the scheduler,
 * and takes back what pods no longer use.
 *
 * Keys are `pod:`, `claim:` and `template:`, each with `namespace/name`.
 */
import { Pod } from "../../api/core/pods.ts";
import {
  canBeReserved,
  isMadeFor,
  isReservedForPod,
  POD_CLAIM_ANNOTATION,
  podClaimOf,
  reservedForPod,
  resourceClaimKeysOf,
} from "../../api/resource/pod-claims.ts";
import { ResourceClaim } from "../../api/resource/resource-claim.ts";
import { ResourceClaimTemplate } from "../../api/resource/resource-claim-template.ts";
import type { PodResourceClaim } from "../../api/schema/core.v1.generated.ts";
import type { ResourceClaimConsumerReference } from "../../api/schema/resource.v1.generated.ts";
import { keyOf, splitKey } from "../../client/informer/object-store.ts";
import { isNamespaceTerminating, isReason } from "../../client/status.ts";
import type { WorkResult } from "../../client/work-queue/work-queue.ts";
import { deepEqual } from "../../machinery/json/equal.ts";
import { controllerOf } from "../../machinery/meta/owner.ts";
import { type ControllerContext, defineController, input, type Listers } from "../runtime/controller.ts";
import { claimFromTemplate } from "./claim-from-template.ts";
import { finalizersAfter, isPodDone, releasedClaim } from "./release-claim.ts";

type Inputs = { pods: Pod; claims: ResourceClaim; templates: ResourceClaimTemplate };

const POD = "pod:";
const CLAIM = "claim:";
const TEMPLATE = "template:";
const FIELD_MANAGER = "ResourceClaimController";
/** Milliseconds until what lost to another writer is tried again. */
const LOST = 20;

export const resourceClaimController = defineController<Inputs>({
  name: "resourceclaim-controller",
  account: "resource-claim-controller",
  eventSource: "resource_claim",
  queue: "resource_claim",
  workers: 50,
  inputs: {
    pods: input(Pod, ({ key, now, was }) => podKeys(key, now, was), undefined, {
      resourceClaims: resourceClaimKeysOf,
      resourceClaimTemplates: ({ metadata, spec }) => {
        const names = (spec?.resourceClaims ?? []).map((entry) => entry.resourceClaimTemplateName);
        return names.filter((name) => name !== undefined).map((name) => `${metadata.namespace}/${name}`);
      },
    }),
    claims: input(ResourceClaim, ({ key }) => [`${CLAIM}${key}`], undefined, {
      controllerUID: (claim) => {
        const uid = controllerOf(claim)?.uid;
        return uid === undefined ? [] : [uid];
      },
    }),
    templates: input(ResourceClaimTemplate, ({ key, now, was }) =>
      now && !was ? [`${TEMPLATE}${key}`] : [],
    ),
  },
  start,
});

function podKeys(key: string, now: Pod | undefined, was: Pod | undefined): readonly string[] {
  const pod = (now ?? was)!;
  if (!pod.spec?.resourceClaims && !pod.status?.extendedResourceClaimStatus) return [];
  const done = now === undefined || isPodDone(now);
  if (was && now && was.metadata.uid !== now.metadata.uid)
    return [`${POD}${key}`, ...claimsOf(was), ...claimsOf(now)];
  if (was && now && done === isPodDone(was) && was.spec?.nodeName === now.spec?.nodeName) {
    const told = deepEqual(was.status?.resourceClaimStatuses, now.status?.resourceClaimStatuses);
    return told ? [] : [`${POD}${key}`];
  }
  return done ? [`${POD}${key}`, ...claimsOf(pod)] : [`${POD}${key}`];
}

function claimsOf(pod: Pod): string[] {
  return resourceClaimKeysOf(pod).map((claim) => `${CLAIM}${claim}`);
}

function start(context: ControllerContext, listers: Listers<Inputs>) {
  const keeper = new ClaimKeeper(context, listers);
  return async (key: string): Promise<WorkResult> => {
    try {
      if (key.startsWith(POD)) await keeper.pod(key.slice(POD.length));
      else if (key.startsWith(CLAIM)) await keeper.claim(key.slice(CLAIM.length));
      else keeper.template(key.slice(TEMPLATE.length));
    } catch (error) {
      if (isReason(error, "Conflict")) return { after: LOST };
      if (!isReason(error, "NotFound") && !isNamespaceTerminating(error)) throw error;
    }
    return undefined;
  };
}

class ClaimKeeper {
  private readonly context: ControllerContext;
  private readonly listers: Listers<Inputs>;

  constructor(context: ControllerContext, listers: Listers<Inputs>) {
    this.context = context;
    this.listers = listers;
  }

  template(key: string): void {
    for (const pod of this.listers.pods.by("resourceClaimTemplates", key)) this.lookAt(pod);
  }

  async pod(key: string): Promise<void> {
    const { namespace, name } = splitKey(key);
    const pod = this.listers.pods.get(namespace, name);
    if (!pod) return;
    const made = this.listers.claims.by("controllerUID", pod.metadata.uid ?? "");
    if (isPodDone(pod)) for (const claim of made) this.context.again(`${CLAIM}${keyOf(claim)}`);
    if (pod.metadata.deletionTimestamp !== undefined || isPodDone(pod)) return;
    if (await this.makeClaims(pod)) return;
    // Elsewhere the scheduler reserves as it chooses the node.
    if (pod.spec?.nodeName) await this.reserve(pod);
  }

  /** Whether the pod's status had to be written. */
  private async makeClaims(pod: Pod): Promise<boolean> {
    const { client, events } = this.context;
    const known = pod.status?.resourceClaimStatuses ?? [];
    const statuses = new Map(known.map((status) => [status.name, status]));
    let changed = false;
    for (const entry of pod.spec?.resourceClaims ?? []) {
      try {
        const name = await this.makeClaim(pod, entry);
        if (name === undefined || statuses.get(entry.name)?.resourceClaimName === name) continue;
        statuses.set(entry.name, { name: entry.name, resourceClaimName: name });
        changed = true;
      } catch (error) {
        const why = error instanceof Error ? error.message : String(error);
        const note = `PodResourceClaim ${entry.name}: ${why}`;
        events.record(pod, "Warning", "FailedResourceClaimCreation", note);
        // The template's coming is told.
        if (!(error instanceof TemplateMissing)) throw error;
      }
    }
    if (!changed) return false;
    const status = { resourceClaimStatuses: [...statuses.values()] };
    await client
      .resource(Pod, pod.metadata.namespace)
      .apply(
        { metadata: { name: pod.metadata.name ?? "", namespace: pod.metadata.namespace }, status },
        { subresource: "status", fieldManager: FIELD_MANAGER, force: true },
      );
    return true;
  }

  /** The name of the claim made for the entry; undefined where it needs none of its own. */
  private async makeClaim(pod: Pod, entry: PodResourceClaim): Promise<string | undefined> {
    const { claims, templates } = this.listers;
    const { namespace = "", uid = "" } = pod.metadata;
    const templateName = entry.resourceClaimTemplateName;
    const known = podClaimOf(pod, entry);
    if (templateName === undefined || known === "none") return undefined;
    if (typeof known === "object") {
      const claim = claims.get(namespace, known.name);
      if (claim && isMadeFor(claim, pod)) return known.name;
    }
    // One may have been made before, and the pod not told.
    const made = claims
      .by("controllerUID", uid)
      .find(({ metadata }) => metadata.annotations?.[POD_CLAIM_ANNOTATION] === entry.name);
    if (made) return made.metadata.name;
    const template = templates.get(namespace, templateName);
    if (!template) throw new TemplateMissing(templateName);
    const claim = claimFromTemplate(pod, entry, template);
    try {
      return (await this.context.client.resource(ResourceClaim, namespace).create(claim)).metadata.name;
    } catch (error) {
      if (isNamespaceTerminating(error)) throw error;
      throw new Error(`create ResourceClaim : ${error instanceof Error ? error.message : error}`, {
        cause: error,
      });
    }
  }

  private async reserve(pod: Pod): Promise<void> {
    const { namespace = "" } = pod.metadata;
    for (const entry of pod.spec?.resourceClaims ?? []) {
      const known = podClaimOf(pod, entry);
      if (typeof known !== "object") continue;
      const claim = this.listers.claims.get(namespace, known.name);
      if (!claim?.status?.allocation || (known.generated && !isMadeFor(claim, pod))) continue;
      if (isReservedForPod(claim, pod) || !canBeReserved(claim)) continue;
      await this.context.client.resource(ResourceClaim, namespace).updateStatus(reservedForPod(claim, pod));
    }
  }

  async claim(key: string): Promise<void> {
    const { claims, pods } = this.listers;
    const { namespace, name } = splitKey(key);
    const claim = claims.get(namespace, name);
    for (const pod of pods.by("resourceClaims", key)) {
      const waits = pod.spec?.nodeName && claim?.status?.allocation && !isReservedForPod(claim, pod);
      if (!claim || waits) this.lookAt(pod);
    }
    if (!claim) return;
    const released = await this.release(claim);
    const finalizers = finalizersAfter(released ?? claim, released !== undefined);
    const client = this.context.client.resource(ResourceClaim, namespace);
    if (finalizers) {
      const current = released ?? claim;
      await client.update({ ...current, metadata: { ...current.metadata, finalizers } });
    }
    if ((released ?? claim).status?.reservedFor?.length || claim.metadata.deletionTimestamp) return;
    const owner = controllerOf(claim);
    const pod = owner?.kind === "Pod" ? pods.get(namespace, owner.name) : undefined;
    // One whose pod is not known is left to the garbage collector.
    if (!pod || (pod.metadata.uid === owner?.uid && !isPodDone(pod))) return;
    await client.delete(name, { preconditions: { uid: claim.metadata.uid } });
  }

  /** Returns the claim as it was written; undefined where all its users are still there. */
  private async release(claim: ResourceClaim): Promise<ResourceClaim | undefined> {
    const users = claim.status?.reservedFor ?? [];
    const present = await Promise.all(users.map((user) => this.isUser(claim, user)));
    const next = releasedClaim(claim, (user) => present[users.indexOf(user)]!);
    return next && this.context.client.resource(ResourceClaim, claim.metadata.namespace).updateStatus(next);
  }

  /** A pod that is not in the picture may not be there yet: the scheduler reserves for pods it knows of. */
  private async isUser(
    { metadata: { namespace = "" } }: ResourceClaim,
    { apiGroup, resource, name, uid }: ResourceClaimConsumerReference,
  ): Promise<boolean> {
    if (apiGroup || resource !== "pods") return true;
    const known = this.listers.pods.get(namespace, name);
    if (known) return known.metadata.uid === uid && !isPodDone(known);
    try {
      return (await this.context.client.resource(Pod, namespace).get(name)).metadata.uid === uid;
    } catch (error) {
      if (isReason(error, "NotFound")) return false;
      throw error;
    }
  }

  private lookAt(pod: Pod): void {
    this.context.again(`${POD}${keyOf(pod)}`);
  }
}

class TemplateMissing extends Error {
  constructor(name: string) {
    super(`resource claim template "${name}": resourceclaimtemplate.resource.k8s.io "${name}" not found`);
  }
}
