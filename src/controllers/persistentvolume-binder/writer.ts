/** Carries out what was decided; every write stands on the objects that the decision saw. */
import { PersistentVolume } from "../../api/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import type { ControllerContext } from "../runtime/controller.ts";
import { boundClaim, claimAsking, claimInPhase } from "./claim-changes.ts";
import type { ClaimDecision } from "./decide-claim.ts";
import { boundVolume, unboundVolume, type VolumeDecision } from "./decide-volume.ts";

export class Writer {
  private readonly context: ControllerContext;

  constructor(context: ControllerContext) {
    this.context = context;
  }

  async claim(claim: PersistentVolumeClaim, decision: ClaimDecision): Promise<void> {
    const { client, events } = this.context;
    const claims = client.resource(PersistentVolumeClaim, claim.metadata.namespace);
    switch (decision.act) {
      case "bind":
        return this.bind(claim, decision.volume);
      case "setClass":
        await claims.update({ ...claim, spec: { ...claim.spec, storageClassName: decision.name } });
        return;
      case "askProvisioner":
        await claims.update(claimAsking(claim, decision.name));
        return;
      case "phase": {
        const { phase, tell } = decision;
        const changed = claimInPhase(claim, phase);
        if (changed) await claims.updateStatus(changed);
        // A loss is told once; what a claim waits for, whenever it is looked for.
        if (tell && (phase === "Pending" || claim.status?.phase !== phase)) {
          events.record(claim, tell.type, tell.reason, tell.note);
        }
      }
    }
  }

  /** The volume first: once it names the claim nobody else gets it, and the claim gets no other. */
  private async bind(claim: PersistentVolumeClaim, volume: PersistentVolume): Promise<void> {
    const { client } = this.context;
    const reserved = boundVolume(volume, claim);
    const owned = reserved ? await client.resource(PersistentVolume).update(reserved) : volume;
    await this.setPhase(owned, "Bound");
    const claims = client.resource(PersistentVolumeClaim, claim.metadata.namespace);
    const named = boundClaim(claim, owned);
    const bound = named ? await claims.update(named) : claim;
    const changed = claimInPhase(bound, "Bound", owned);
    if (changed) await claims.updateStatus(changed);
  }

  async volume(volume: PersistentVolume, decision: VolumeDecision): Promise<void> {
    const { client, events } = this.context;
    switch (decision.act) {
      case "phase":
        return this.setPhase(volume, decision.phase);
      case "fail": {
        const { reason, message } = decision;
        if (volume.status?.phase === "Failed") return;
        await this.setPhase(volume, "Failed", message);
        events.record(volume, "Warning", reason, message);
        return;
      }
      case "unbind":
        await this.setPhase(
          await client.resource(PersistentVolume).update(unboundVolume(volume)),
          "Available",
        );
        return;
      case "tellModes":
        this.tellModes(volume);
    }
  }

  async setFinalizers(volume: PersistentVolume, finalizers: string[]): Promise<void> {
    const metadata = { ...volume.metadata, finalizers };
    await this.context.client.resource(PersistentVolume).update({ ...volume, metadata });
  }

  private async setPhase(volume: PersistentVolume, phase: string, message?: string): Promise<void> {
    const { status = {} } = volume;
    // What others say of a volume in its phase is left alone.
    if (status.phase === phase) return;
    const { message: _, ...rest } = status;
    const next = { ...rest, phase, ...(message !== undefined && { message }) };
    await this.context.client.resource(PersistentVolume).updateStatus({ ...volume, status: next });
  }

  private tellModes(volume: PersistentVolume): void {
    const { claimRef } = volume.spec;
    if (!claimRef) return;
    const { events } = this.context;
    const claim = `requested PersistentVolumeClaim "${claimRef.name}" due to incompatible volumeMode.`;
    events.record(volume, "Warning", "VolumeMismatch", `Cannot bind PersistentVolume to ${claim}`);
    const note = `Cannot bind PersistentVolume "${volume.metadata.name}" to ${claim}`;
    events.record(claimRef, "Warning", "VolumeMismatch", note);
  }
}
