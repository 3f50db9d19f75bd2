import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { cniDirectories, findCNI } from "./machine.ts";

test("findCNI takes the first directory that has all plugins of a node, those of CNI_PATH before the system's", async (t) => {
  const root = await mkdtemp(join(tmpdir(), "kybern-cni-"));
  t.after(() => rm(root, { recursive: true, force: true }));
  const [partly, wholly] = [await mkdtemp(join(root, "partly-")), await mkdtemp(join(root, "wholly-"))];
  await writeFile(join(partly, "ptp"), "");
  for (const name of ["ptp", "host-local", "loopback", "bandwidth"]) await writeFile(join(wholly, name), "");
  const directories = cniDirectories({ CNI_PATH: `${partly}:${wholly}:` });
  assert.deepEqual(directories.slice(0, 3), [partly, wholly, "/usr/lib/cni"]);
  assert.equal(await findCNI(directories), wholly);
  assert.equal(await findCNI([partly, join(root, "none")]), undefined);
});

test("cniDirectories are the system's alone without CNI_PATH", () => {
  assert.deepEqual(cniDirectories({}), ["/usr/lib/cni", "/opt/cni/bin", "/usr/libexec/cni"]);
});
