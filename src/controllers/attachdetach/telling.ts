/** Tells pods once of each thing that happens to the volumes they wait for. */
import type { Pod } from "../../api/core/pods.ts";
import type { VolumeAttachment } from "../../api/storage/volume-attachment.ts";
import type { EventRecorder } from "../../client/events/event-recorder.ts";
import type { Wish } from "./attachments.ts";

export class Telling {
  private readonly events: EventRecorder;
  /** By the name of an attachment: the last failure told. Those that were there before are not spoken of. */
  private readonly awaited = new Map<string, string>();

  constructor(events: EventRecorder) {
    this.events = events;
  }

  await(attachment: string): void {
    this.awaited.set(attachment, "");
  }

  progress({ metadata: { name = "" }, status }: VolumeAttachment, wish: Wish | undefined): void {
    const told = this.awaited.get(name);
    if (told === undefined) return;
    if (!wish || status?.attached) this.awaited.delete(name);
    if (!wish) return;
    const volume = JSON.stringify(wish.volume.metadata.name);
    if (status?.attached) {
      this.tell(
        wish,
        "Normal",
        "SuccessfulAttachVolume",
        `AttachVolume.Attach succeeded for volume ${volume} `,
      );
      return;
    }
    const { message } = status?.attachError ?? {};
    if (!message || message === told) return;
    this.awaited.set(name, message);
    this.tell(
      wish,
      "Warning",
      "FailedAttachVolume",
      `AttachVolume.Attach failed for volume ${volume} : ${message}`,
    );
  }

  /** `others` are the pods of other nodes that use the volume. */
  refused(wish: Wish, others: readonly Pod[]): void {
    const why = whyRefused(wish, others);
    if (this.awaited.get(wish.name) === why) return;
    this.awaited.set(wish.name, why);
    const note = `Multi-Attach error for volume "${wish.volume.metadata.name}" ${why}`;
    this.tell(wish, "Warning", "FailedAttachVolume", note);
  }

  private tell({ pods }: Wish, type: "Normal" | "Warning", reason: string, note: string): void {
    for (const pod of pods) this.events.record(pod, type, reason, note);
  }
}

function whyRefused({ pods }: Wish, others: readonly Pod[]): string {
  if (others.length === 0) {
    return "Volume is already exclusively attached to one node and can't be attached to another";
  }
  const namespace = pods[0]?.metadata.namespace;
  const near = others.filter(({ metadata }) => metadata.namespace === namespace);
  const far = others.length - near.length;
  if (near.length === 0) return `Volume is already used by ${far} pod(s) in different namespaces`;
  const names = near
    .map(({ metadata }) => metadata.name)
    .sort()
    .join(", ");
  const rest = far > 0 ? ` and ${far} pod(s) in different namespaces` : "";
  return `Volume is already used by pod(s) ${names}${rest}`;
}
