import assert from "node:assert/strict";
import { mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { openSysctls } from "./sysctls.ts";

async function kernel(t: TestContext) {
  const root = await mkdtemp(join(tmpdir(), "kybern-sysctls-"));
  t.after(() => rm(root, { recursive: true }));
  await mkdir(join(root, "sys/net/conf/eth0.5"), { recursive: true });
  await writeFile(join(root, "sys/net/conf/eth0.5/rp_filter"), "1\n");
  await writeFile(join(root, "sys/net/ip_forward"), "0\n");
  const record = join(root, "run/record.json");
  return { root, record, open: () => openSysctls(record, join(root, "sys")) };
}

const RP_FILTER = ["net", "conf", "eth0.5", "rp_filter"];
const FORWARD = ["net", "ip_forward"];

test("sysctls are read and set by names that may have dots, and put back by another life of the process", async (t) => {
  const { root, open } = await kernel(t);
  const sysctls = open();
  assert.equal(await sysctls.read(RP_FILTER), "1");
  assert.equal(await sysctls.read(["net", "nothing"]), undefined);
  await sysctls.set(RP_FILTER, "2");
  await sysctls.set(RP_FILTER, "0");
  await sysctls.set(FORWARD, "1");
  assert.equal(await sysctls.read(RP_FILTER), "0");
  await rm(join(root, "sys/net/ip_forward"));
  await open().restore();
  assert.equal(await sysctls.read(RP_FILTER), "1");
  assert.equal(await sysctls.read(FORWARD), undefined);
  await sysctls.set(RP_FILTER, "2");
  await open().restore();
  assert.equal(await sysctls.read(RP_FILTER), "1");
});

test("sysctls that are set at once are all put back", async (t) => {
  const { open } = await kernel(t);
  const sysctls = open();
  await Promise.all([sysctls.set(RP_FILTER, "2"), sysctls.set(FORWARD, "1")]);
  await open().restore();
  assert.deepEqual([await sysctls.read(RP_FILTER), await sysctls.read(FORWARD)], ["1", "0"]);
});

test("a sysctl that is as it should be is neither written nor recorded", async (t) => {
  const { root, record, open } = await kernel(t);
  const path = join(root, "sys/net/ip_forward");
  const before = (await stat(path, { bigint: true })).mtimeNs;
  await open().set(FORWARD, "0");
  assert.equal((await stat(path, { bigint: true })).mtimeNs, before);
  await assert.rejects(readFile(record), { code: "ENOENT" });
});
