import assert from "node:assert/strict";
import test from "node:test";
import { chainIDs } from "./stored-image.ts";

test("chainIDs names layers by all that are below them", () => {
  const layers = [
    "sha256:c8d03ddf940b117372325488abf26a48cfdc8bc7bddd67b44cb1cb5488c252cf",
    "sha256:a3634ce1c085ba81ec99b3db94945a783a183275bf0ec65a479992bbcadeb5fa",
    "sha256:0dd00f5a6aa34561f8f64b28540eb603137346aa5da492a85c0ccef036e869e0",
  ];
  // As containerd tells them.
  assert.deepEqual(chainIDs(layers), [
    "sha256:c8d03ddf940b117372325488abf26a48cfdc8bc7bddd67b44cb1cb5488c252cf",
    "sha256:3cc930a8681cd5dd18b4148ad19c25e5b6bc9d51f3464c52111e90cf27d6f100",
    "sha256:ff128b34467ebab7789f16d1adf0d3d96ddb74d387c8ea3266dac19ec0fc8702",
  ]);
  assert.deepEqual(chainIDs([]), []);
});
