import assert from "node:assert/strict";
import test from "node:test";
import { defaultDataDir, layoutFault, layoutOf } from "./layout.ts";

test("layoutOf has the system's own directories, and upstream's of the kubelet, with the standard data directory", () => {
  const layout = layoutOf("/var/lib/kybern");
  assert.equal(layout.runDir, "/run/kybern");
  assert.equal(layout.kubelet.root, "/var/lib/kubelet");
  assert.equal(layout.kubelet.podLogs, "/var/log/pods");
  assert.equal(layout.cgroupRoot, "/");
});

test("layoutOf keeps everything below any other data directory, with a cgroup of its own", () => {
  const texts = (value: unknown): string[] =>
    typeof value === "string" ? [value] : Object.values(value as object).flatMap(texts);
  const { cgroupRoot, ...layout } = layoutOf("/srv/a");
  for (const path of texts(layout)) assert.ok(path === "/srv/a" || path.startsWith("/srv/a/"), path);
  assert.match(cgroupRoot, /^\/kybern-[0-9a-f]{8}$/);
  assert.notEqual(cgroupRoot, layoutOf("/srv/b").cgroupRoot);
});

test("layoutFault tells by how much a path is too long for sockets", () => {
  assert.equal(layoutFault(layoutOf("/srv/a")), undefined);
  assert.match(layoutFault(layoutOf(`/${"a".repeat(100)}`)) ?? "", /must be \d+ characters shorter/);
});

test("defaultDataDir is the system's for root, and the user's own for others", () => {
  assert.equal(defaultDataDir({ root: true, env: { XDG_DATA_HOME: "/x" } }), "/var/lib/kybern");
  assert.equal(defaultDataDir({ root: false, env: { XDG_DATA_HOME: "/x" } }), "/x/kybern");
  assert.match(
    defaultDataDir({ root: false, env: { XDG_DATA_HOME: "relative" } }),
    /\.local\/share\/kybern$/,
  );
});
