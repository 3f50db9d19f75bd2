/**
 * Going back to an earlier revision because the annotation `deprecated.deployment.rollback.to` asks for it: what is left
 * of the rollback subresource of early versions. kubectl changes the template itself.
 */
import type { Deployment } from "../../api/apps/deployment.ts";
import type { ReplicaSet } from "../../api/apps/replica-set.ts";
import {
  compareRevisions,
  copiedAnnotations,
  hasTemplateOf,
  NOT_COPIED,
  ROLLBACK_TO,
  revisionOf,
  statedRevision,
  withoutHash,
} from "./revisions.ts";

export interface Rollback {
  /** To be written: the annotation is gone, whatever comes of it. */
  deployment: Deployment;
  event: { type: "Normal" | "Warning"; reason: string; note: string };
}

/** Undefined where none is asked for. Revision 0 is the one before the last. */
export function rollbackOf(deployment: Deployment, replicaSets: readonly ReplicaSet[]): Rollback | undefined {
  const wanted = statedRevision(deployment.metadata.annotations, ROLLBACK_TO);
  if (wanted === undefined) return undefined;
  const revision = wanted === 0n ? revisionBeforeLast(replicaSets) : wanted;
  if (revision === 0n) return notFound(deployment, "Unable to find last revision.");
  const found = replicaSets.find((replicaSet) => revisionOf(replicaSet) === revision);
  if (!found) return notFound(deployment, "Unable to find the revision to rollback to.");
  const name = JSON.stringify(deployment.metadata.name);
  if (hasTemplateOf(deployment, found)) {
    const note = `The rollback revision contains the same template as current deployment ${name}`;
    const event = { type: "Warning", reason: "DeploymentRollbackTemplateUnchanged", note } as const;
    return { deployment: withoutRequest(deployment), event };
  }
  const note = `Rolled back deployment ${name} to revision ${revision}`;
  return {
    deployment: withTemplateOf(deployment, found),
    event: { type: "Normal", reason: "DeploymentRollback", note },
  };
}

function notFound(deployment: Deployment, note: string): Rollback {
  const event = { type: "Warning", reason: "DeploymentRollbackRevisionNotFound", note } as const;
  return { deployment: withoutRequest(deployment), event };
}

function revisionBeforeLast(replicaSets: readonly ReplicaSet[]): bigint {
  const [, second = 0n] = [...new Set(replicaSets.map(revisionOf))].sort((a, b) => compareRevisions(b, a));
  return second;
}

function withoutRequest(deployment: Deployment): Deployment {
  const { [ROLLBACK_TO]: _, ...annotations } = deployment.metadata.annotations ?? {};
  return { ...deployment, metadata: { ...deployment.metadata, annotations } };
}

/** The Deployment's annotations become those of that time, too. */
function withTemplateOf(deployment: Deployment, { metadata, spec }: ReplicaSet): Deployment {
  const own = Object.entries(deployment.metadata.annotations ?? {});
  const kept = Object.fromEntries(own.filter(([key]) => NOT_COPIED.has(key) && key !== ROLLBACK_TO));
  const annotations = copiedAnnotations(kept, metadata.annotations ?? {});
  const template = withoutHash(spec!.template!);
  return {
    ...deployment,
    metadata: { ...deployment.metadata, annotations },
    spec: { ...deployment.spec!, template },
  };
}
