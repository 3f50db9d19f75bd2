/** Whether a pod is to end, how soon, and what is told of the reason. */

import type { Finding } from "../../api/core/pod/node-conditions.ts";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import type { PodEviction } from "../ports.ts";

const USUAL_GRACE = 30;

interface Ending {
  graceSeconds: number;
  /** Told in the status; absent where the containers' own ends tell all. */
  why?: { reason: string; message: string };
  conditions: readonly Finding[];
}

export class PodEnding {
  #ending: Ending | undefined;
  #rejected = false;

  get isOn(): boolean {
    return this.#ending !== undefined;
  }

  get graceSeconds(): number {
    return Math.max(1, this.#ending?.graceSeconds ?? USUAL_GRACE);
  }

  get why(): { reason: string; message: string } | undefined {
    return this.#ending?.why;
  }

  get conditions(): readonly Finding[] {
    return this.#ending?.conditions ?? [];
  }

  /** The first reason stands; the shorter grace counts. */
  begin(graceSeconds: number, why?: Ending["why"], conditions: readonly Finding[] = []): void {
    const known = this.#ending;
    if (!known) this.#ending = { graceSeconds, ...(why ? { why } : {}), conditions };
    else known.graceSeconds = Math.min(known.graceSeconds, graceSeconds);
  }

  /** Nothing of the pod ever ran, nor will. */
  reject(reason: string, message: string): void {
    this.#rejected = true;
    this.begin(0, { reason, message: `Pod was rejected: ${message}` });
  }

  get isRejected(): boolean {
    return this.#rejected;
  }

  evict({ reason, message, disruption, disruptionMessage = message, graceSeconds }: PodEviction): void {
    const told = { type: "DisruptionTarget", status: true, message: disruptionMessage };
    this.begin(graceSeconds, { reason, message }, disruption ? [{ ...told, reason: disruption }] : []);
  }
}

/** What the pod wants for itself. */
export function ownGrace({ spec }: Pod): number {
  return spec?.terminationGracePeriodSeconds ?? USUAL_GRACE;
}

/** When the pod must end, by its status' startTime; undefined where it may run for ever. */
export function activeDeadline({ spec, status }: Pod): number | undefined {
  if (spec?.activeDeadlineSeconds === undefined || !status?.startTime) return undefined;
  return Date.parse(status.startTime) + spec.activeDeadlineSeconds * 1000;
}
