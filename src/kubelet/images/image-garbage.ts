/** Which images are removed. */
import type { Image } from "../runtime/cri/images.ts";

export interface GarbageSettings {
  /** Percent of the disk in use from which images are removed; 100: never. */
  highThresholdPercent: number;
  /** Until so many percent are in use. */
  lowThresholdPercent: number;
  /** Milliseconds that an image is kept since it was first seen. */
  minimumAgeMs: number;
  /** Milliseconds after which an image that nobody used is removed, however empty the disk; 0: never. */
  maximumAgeMs: number;
}

/** What is remembered of an image. */
export interface ImageUse {
  id: string;
  size: number;
  pinned: boolean;
  firstSeen: number;
  /** 0 where it was never in use. */
  lastUsed: number;
  inUse: boolean;
}

/** Brings what is remembered up to date. Images that a kubelet finds when it starts may be removed at once. */
export function seeImages(
  known: ReadonlyMap<string, ImageUse>,
  images: readonly Image[],
  inUse: ReadonlySet<string>,
  now: number,
  isFirst: boolean,
): Map<string, ImageUse> {
  const seen = new Map<string, ImageUse>();
  for (const { id, size, pinned, repoTags, repoDigests } of images) {
    const before = known.get(id);
    const isUsed = [id, ...repoTags, ...repoDigests].some((name) => inUse.has(name));
    seen.set(id, {
      id,
      size,
      pinned,
      firstSeen: before?.firstSeen ?? (isFirst ? 0 : now),
      lastUsed: isUsed ? now : (before?.lastUsed ?? 0),
      inUse: isUsed,
    });
  }
  return seen;
}

/** Those to remove so that `bytes` become free: what was not used for the longest time first. */
export function chooseToFree(
  images: Iterable<ImageUse>,
  bytes: number,
  now: number,
  minimumAgeMs: number,
): ImageUse[] {
  const candidates = [...images]
    .filter(({ inUse, pinned, firstSeen }) => !inUse && !pinned && now - firstSeen >= minimumAgeMs)
    .sort((a, b) => a.lastUsed - b.lastUsed || a.firstSeen - b.firstSeen);
  const chosen: ImageUse[] = [];
  let freed = 0;
  for (const image of candidates) {
    if (freed >= bytes) break;
    freed += image.size;
    chosen.push(image);
  }
  return chosen;
}

/** Those that nobody used for too long, as far as the kubelet was there to see it. */
export function chooseTooOld(
  images: Iterable<ImageUse>,
  now: number,
  began: number,
  maximumAgeMs: number,
): ImageUse[] {
  if (maximumAgeMs === 0 || now - began <= maximumAgeMs) return [];
  return [...images].filter(
    ({ inUse, pinned, lastUsed, firstSeen }) =>
      !inUse && !pinned && now - Math.max(lastUsed, firstSeen, began) > maximumAgeMs,
  );
}

/** How many bytes must become free; 0 below the threshold. */
export function bytesToFree(
  disk: { capacity: number; available: number },
  { highThresholdPercent, lowThresholdPercent }: GarbageSettings,
): number {
  const { capacity, available } = disk;
  const used = 100 - Math.floor((available * 100) / capacity);
  if (used < highThresholdPercent) return 0;
  return Math.floor((capacity * (100 - lowThresholdPercent)) / 100) - available;
}
