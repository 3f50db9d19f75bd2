/** Carries out a plan, and tells in the set's events what was done. */
import { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import { Pod } from "../../api/core/pod/pod.ts";
import type { StatefulSet } from "../../api/schema/apps.v1.generated.ts";
import type { Client } from "../../client/client.ts";
import type { EventRecorder } from "../../client/events/event-recorder.ts";
import { isNamespaceTerminating, isReason } from "../../client/status.ts";
import { slowStart } from "../workloads/slow-start.ts";
import { ownersAfter, ownersWanted } from "./claim-owners.ts";
import { claimsOf, isInRange, type NewPod, ordinalOf, repaired } from "./identity.ts";
import type { Plan, Step } from "./plan.ts";

export interface Tools {
  client: Client;
  events: EventRecorder;
  claim: (name: string) => PersistentVolumeClaim | undefined;
}

/** Takes the steps of each phase; throws the first failure, and begins no phase behind it. */
export async function takeSteps(tools: Tools, set: StatefulSet, { phases, parallel }: Plan): Promise<void> {
  for (const steps of phases) {
    if (parallel) await slowStart(steps.length, (i) => takeStep(tools, set, steps[i]!));
    else for (const step of steps) await takeStep(tools, set, step);
  }
}

async function takeStep(tools: Tools, set: StatefulSet, step: Step): Promise<void> {
  switch (step.does) {
    case "create":
      return createPod(tools, set, step.pod, step.ordinal);
    case "delete":
      return deletePod(tools, set, step.pod);
    case "repair":
      return repairPod(tools, set, step.pod);
    case "claims":
      return createClaims(tools, set, ordinalOf(step.pod), step.pod.metadata.name!);
  }
}

async function createPod(tools: Tools, set: StatefulSet, pod: NewPod, ordinal: number): Promise<void> {
  const name = pod.metadata.name!;
  try {
    await createClaims(tools, set, ordinal, name);
    await tools.client.resource(Pod, set.metadata.namespace).create(pod);
  } catch (error) {
    // The name is another's until that one goes: nothing to tell the user each time.
    if (!isReason(error, "AlreadyExists") && !isNamespaceTerminating(error))
      tell(tools, set, "create", name, error);
    throw error;
  }
  tell(tools, set, "create", name);
}

async function deletePod(tools: Tools, set: StatefulSet, { metadata }: Pod): Promise<void> {
  const { name = "", uid } = metadata;
  try {
    await tools.client.resource(Pod, set.metadata.namespace).delete(name, { preconditions: { uid } });
  } catch (error) {
    if (isReason(error, "NotFound", "Conflict")) return;
    tell(tools, set, "delete", name, error);
    throw error;
  }
  tell(tools, set, "delete", name);
}

async function repairPod(tools: Tools, set: StatefulSet, pod: Pod): Promise<void> {
  const { name = "", namespace } = pod.metadata;
  const ordinal = ordinalOf(pod);
  const isWanted = isInRange(set, ordinal);
  try {
    if (isWanted) await createClaims(tools, set, ordinal, name);
    await correctOwners(tools, set, pod, isWanted);
    const wanted = isWanted ? repaired(set, pod) : undefined;
    if (!wanted) return;
    await tools.client.resource(Pod, namespace).update(wanted);
  } catch (error) {
    if (!isReason(error, "Conflict")) tell(tools, set, "update", name, error);
    throw error;
  }
  tell(tools, set, "update", name);
}

async function correctOwners(tools: Tools, set: StatefulSet, pod: Pod, isWanted: boolean): Promise<void> {
  for (const { metadata } of claimsOf(set, ordinalOf(pod))) {
    const found = tools.claim(metadata.name ?? "");
    const owners = found && ownersAfter(found.metadata.ownerReferences, set, pod, isWanted);
    if (!owners) continue;
    const update = { ...found, metadata: { ...found.metadata, ownerReferences: owners } };
    await tools.client.resource(PersistentVolumeClaim, found.metadata.namespace).update(update);
  }
}

/** Those that are missing. Throws where one is on its way out, or cannot be made. */
async function createClaims(tools: Tools, set: StatefulSet, ordinal: number, pod: string): Promise<void> {
  const owners = ownersWanted(set, { metadata: { name: pod } }, true);
  for (const wanted of claimsOf(set, ordinal)) {
    const name = wanted.metadata.name!;
    const found = tools.claim(name);
    if (found?.metadata.deletionTimestamp !== undefined) throw new Error(`pvc ${name} is being deleted`);
    if (found) continue;
    try {
      const metadata = owners.length > 0 ? { ...wanted.metadata, ownerReferences: owners } : wanted.metadata;
      await tools.client
        .resource(PersistentVolumeClaim, wanted.metadata.namespace)
        .create({ ...wanted, metadata });
    } catch (error) {
      if (isReason(error, "AlreadyExists")) continue;
      if (!isNamespaceTerminating(error)) {
        const note = `create Claim ${name} for Pod ${pod} in StatefulSet ${set.metadata.name} failed error: ${textOf(error)}`;
        tools.events.record(set, "Warning", "FailedCreate", note);
      }
      throw error;
    }
    const note = `create Claim ${name} Pod ${pod} in StatefulSet ${set.metadata.name} success`;
    tools.events.record(set, "Normal", "SuccessfulCreate", note);
  }
}

const REASONS = { create: "Create", delete: "Delete", update: "Update" } as const;

function tell(
  { events }: Tools,
  set: StatefulSet,
  verb: keyof typeof REASONS,
  pod: string,
  error?: unknown,
): void {
  const what = `${verb} Pod ${pod} in StatefulSet ${set.metadata.name}`;
  if (error === undefined) events.record(set, "Normal", `Successful${REASONS[verb]}`, `${what} successful`);
  else events.record(set, "Warning", `Failed${REASONS[verb]}`, `${what} failed error: ${textOf(error)}`);
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
