import assert from "node:assert/strict";
import test from "node:test";
import type { Image } from "../runtime/cri/images.ts";
import {
  bytesToFree,
  chooseToFree,
  chooseTooOld,
  type GarbageSettings,
  type ImageUse,
  seeImages,
} from "./image-garbage.ts";

const GARBAGE: GarbageSettings = {
  highThresholdPercent: 85,
  lowThresholdPercent: 80,
  minimumAgeMs: 120_000,
  maximumAgeMs: 0,
};

function image(id: string, more: Partial<Image> = {}): Image {
  return {
    id,
    repoTags: [`${id}:1`],
    repoDigests: [],
    size: 100,
    uid: undefined,
    username: "",
    spec: undefined,
    pinned: false,
    ...more,
  };
}

function use(id: string, more: Partial<ImageUse> = {}): ImageUse {
  return { id, size: 100, pinned: false, firstSeen: 0, lastUsed: 0, inUse: false, ...more };
}

const ids = (images: readonly ImageUse[]): string[] => images.map(({ id }) => id);

test("bytesToFree is nothing below the upper threshold, and leads to the lower above it", () => {
  assert.equal(bytesToFree({ capacity: 1000, available: 160 }, GARBAGE), 0);
  assert.equal(bytesToFree({ capacity: 1000, available: 150 }, GARBAGE), 50);
  assert.equal(bytesToFree({ capacity: 1000, available: 0 }, GARBAGE), 200);
});

test("chooseToFree takes what was unused for longest, and never what is in use, pinned or new", () => {
  const images = [
    use("used", { inUse: true }),
    use("pinned", { pinned: true }),
    use("new", { firstSeen: 950 }),
    use("late", { lastUsed: 300 }),
    use("early", { lastUsed: 200 }),
    use("never"),
  ];
  assert.deepEqual(ids(chooseToFree(images, 1e9, 1000, 100)), ["never", "early", "late"]);
  assert.deepEqual(ids(chooseToFree(images, 150, 1000, 100)), ["never", "early"]);
  assert.deepEqual(ids(chooseToFree(images, 0, 1000, 100)), []);
});

test("chooseTooOld takes what nobody used for longer than allowed since the kubelet began", () => {
  const images = [use("old", { lastUsed: 100 }), use("recent", { lastUsed: 4900 }), use("unknown")];
  assert.deepEqual(ids(chooseTooOld(images, 5000, 0, 1000)), ["old", "unknown"]);
  assert.deepEqual(ids(chooseTooOld(images, 5000, 4500, 1000)), []);
  assert.deepEqual(ids(chooseTooOld(images, 5000, 0, 0)), []);
});

test("seeImages remembers when images were first seen and last used", () => {
  const first = seeImages(new Map(), [image("a"), image("b")], new Set(["a:1"]), 10, true);
  assert.deepEqual(first.get("a"), use("a", { lastUsed: 10, inUse: true }));
  assert.deepEqual(first.get("b"), use("b"));
  const second = seeImages(first, [image("a"), image("c")], new Set(["c"]), 20, false);
  assert.deepEqual(second.get("a"), use("a", { lastUsed: 10 }));
  assert.deepEqual(second.get("c"), use("c", { firstSeen: 20, lastUsed: 20, inUse: true }));
  assert.equal(second.size, 2);
});
