import assert from "node:assert/strict";
import test from "node:test";
import { fromSharedDirectory } from "./overlay-options.ts";

test("fromSharedDirectory tells lower directories from the one that all are in", () => {
  assert.deepEqual(fromSharedDirectory(["index=off", "lowerdir=/a/b/12/fs:/a/b/1/fs:/a/b/2/fs"]), {
    options: ["index=off", "lowerdir=12/fs:1/fs:2/fs"],
    cwd: "/a/b",
  });
  assert.deepEqual(fromSharedDirectory(["lowerdir=/a/fs:/b/fs"]), {
    options: ["lowerdir=a/fs:b/fs"],
    cwd: "/",
  });
  assert.deepEqual(fromSharedDirectory(["lowerdir=/a/b:/a/b/c"]), { options: ["lowerdir=b:b/c"], cwd: "/a" });
  assert.deepEqual(fromSharedDirectory(["lowerdir=/a/b:/a/bc/d"]), {
    options: ["lowerdir=b:bc/d"],
    cwd: "/a",
  });
});

test("fromSharedDirectory leaves what it does not understand", () => {
  for (const options of [["ro"], ["lowerdir=a:b"], ["lowerdir=/a\\:b:/c"], []]) {
    assert.deepEqual(fromSharedDirectory(options), { options });
  }
});
