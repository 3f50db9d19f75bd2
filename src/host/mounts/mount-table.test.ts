import assert from "node:assert/strict";
import test from "node:test";
import { mountsBelow, parseMountInfo } from "./mount-table.ts";

const TEXT = `22 27 0:20 / /sys rw,nosuid shared:7 - sysfs sysfs rw
30 27 0:26 / /data/a\\040b rw - tmpfs tmpfs rw,size=1k
31 30 0:27 /sub /data/a\\040b/c ro,relatime shared:9 master:2 - ext4 /dev/sda1 rw
32 27 0:28 / /database rw - tmpfs x rw
`;

test("parseMountInfo reads targets, options and propagation", () => {
  const entries = parseMountInfo(TEXT);
  assert.equal(entries.length, 4);
  assert.deepEqual(entries[2], {
    id: 31,
    parentID: 30,
    device: "0:27",
    root: "/sub",
    target: "/data/a b/c",
    options: ["ro", "relatime"],
    propagation: ["shared:9", "master:2"],
    type: "ext4",
    source: "/dev/sda1",
    superOptions: ["rw"],
  });
});

test("mountsBelow gives those inside, the last mounted first", () => {
  const below = (path: string) => mountsBelow(parseMountInfo(TEXT), path).map(({ target }) => target);
  assert.deepEqual(below("/data"), ["/data/a b/c", "/data/a b"]);
  assert.deepEqual(below("/data/a b/c"), ["/data/a b/c"]);
  assert.deepEqual(below("/nowhere"), []);
});
