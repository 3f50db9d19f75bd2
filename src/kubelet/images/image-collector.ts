/** Sees which images are in use, and removes others where the disk gets full. */
import { statfs } from "node:fs/promises";
import type { ObjectReference } from "../../api/schema/core.v1.generated.ts";
import type { Clock } from "../../base/clock.ts";
import type { EventRecorder } from "../../client/events/event-recorder.ts";
import type { ContainerRuntime } from "../runtime/container-runtime.ts";
import {
  bytesToFree,
  chooseToFree,
  chooseTooOld,
  type GarbageSettings,
  type ImageUse,
  seeImages,
} from "./image-garbage.ts";
import type { PullRecords } from "./pull-records.ts";

export interface ImageCollectorOptions {
  runtime: Pick<ContainerRuntime, "listImages" | "removeImage" | "imageFsInfo" | "listContainers">;
  events: EventRecorder;
  /** Which the events are about. */
  node: ObjectReference;
  clock: Clock;
  settings: { garbage: GarbageSettings };
  imagesOfVolumes(): Promise<readonly string[]>;
  /** Of the file system that holds a path; that of node:fs by default. */
  diskOf?(path: string): Promise<{ capacity: number; available: number }>;
}

/** Removes images that nobody uses. */
export class ImageCollector {
  private readonly options: ImageCollectorOptions;
  private readonly records: PullRecords;
  private readonly began: number;
  private known: Map<string, ImageUse> | undefined;

  constructor(options: ImageCollectorOptions, records: PullRecords) {
    this.options = options;
    this.records = records;
    this.began = options.clock.now();
  }

  async collect(): Promise<void> {
    const { clock, events, node, settings } = this.options;
    const images = await this.look();
    const now = clock.now();
    await this.remove(chooseTooOld(images.values(), now, this.began, settings.garbage.maximumAgeMs));
    const disk = await this.disk();
    if (disk.capacity === 0) {
      events.record(node, "Warning", "InvalidDiskCapacity", "invalid capacity 0 on image filesystem");
      throw new Error("invalid capacity 0 on image filesystem");
    }
    const bytes = bytesToFree(disk, settings.garbage);
    if (bytes <= 0) return;
    const chosen = chooseToFree(images.values(), bytes, now, settings.garbage.minimumAgeMs);
    await this.remove(chosen);
    const freed = chosen.reduce((sum, { size }) => sum + size, 0);
    if (freed >= bytes) return;
    const note = `Failed to garbage collect required amount of images. Attempted to free ${bytes} bytes, but only found ${freed} bytes eligible to free.`;
    events.record(node, "Warning", "FreeDiskSpaceFailed", note);
    throw new Error(note);
  }

  async removeUnused(): Promise<void> {
    const images = await this.look();
    await this.remove(chooseToFree(images.values(), Number.POSITIVE_INFINITY, this.options.clock.now(), 0));
  }

  private async look(): Promise<Map<string, ImageUse>> {
    const { runtime, clock, imagesOfVolumes } = this.options;
    const [{ images }, { containers }, ofVolumes] = await Promise.all([
      runtime.listImages({}),
      runtime.listContainers({}),
      imagesOfVolumes(),
    ]);
    const ofContainers = containers.flatMap((one) => [one.imageRef, one.imageId, one.image?.image ?? ""]);
    const inUse = new Set([...ofContainers, ...ofVolumes]);
    this.known = seeImages(this.known ?? new Map(), images, inUse, clock.now(), this.known === undefined);
    await this.records.keepOnly(new Set(this.known.keys()));
    return this.known;
  }

  private async remove(images: readonly ImageUse[]): Promise<void> {
    for (const { id } of images) {
      await this.options.runtime.removeImage({ image: { image: id } });
      this.known?.delete(id);
    }
  }

  private async disk(): Promise<{ capacity: number; available: number }> {
    const { runtime, diskOf = diskOfPath } = this.options;
    const { imageFilesystems } = await runtime.imageFsInfo({});
    const mountpoint = imageFilesystems[0]?.fsId?.mountpoint;
    if (!mountpoint) return { capacity: 0, available: 0 };
    return diskOf(mountpoint);
  }
}

async function diskOfPath(path: string): Promise<{ capacity: number; available: number }> {
  const { bsize, blocks, bavail } = await statfs(path);
  return { capacity: bsize * blocks, available: bsize * bavail };
}
