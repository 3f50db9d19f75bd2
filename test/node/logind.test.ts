/** systemd-logind over a real message bus. */
import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { DBusError } from "../../src/host/dbus/values.ts";
import { openLogind, removeDelay } from "../../src/host/logind/logind.ts";
import { startFakeLogind } from "./harness/fake-logind.ts";
import { cannotRunDBus as skip } from "./harness/machine.ts";

test("logind tells of shutdowns, and allows longer delays by its configuration", { skip }, async (t) => {
  await using fake = await startFakeLogind();
  const directory = await mkdtemp(join(tmpdir(), "kyl-"));
  t.after(() => rm(directory, { recursive: true }));
  const said: boolean[] = [];
  const { promise: both, resolve } = Promise.withResolvers<void>();
  const prepareForShutdown = (active: boolean): void => {
    if (said.push(active) === 2) resolve();
  };
  const logind = await openLogind({
    ...{ prepareForShutdown, owner: "/data", directory, address: fake.address },
  });
  t.after(() => logind.close());
  fake.state.delaySeconds = 5;
  assert.equal(await logind.longestDelay(), 5000);
  assert.equal(await logind.isPreparingForShutdown(), false);
  await logind.allowDelay(45_000);
  assert.deepEqual(fake.state.kills, [["systemd-logind.service", "all", 1]]);
  assert.match(
    await readFile(join(directory, "99-kubelet.conf"), "utf8"),
    /^# Kubelet logind override\n.*\n\[Login\]\nInhibitDelayMaxSec=45\n$/,
  );
  fake.prepareForShutdown(true);
  fake.prepareForShutdown(false);
  await both;
  assert.deepEqual(said, [true, false]);
  await removeDelay("/other", directory);
  assert.deepEqual(await readdir(directory), ["99-kubelet.conf"]);
  await removeDelay("/data", directory);
  assert.deepEqual(await readdir(directory), []);
});

test("logind is gone when another one comes, or the bus goes", { skip }, async (t) => {
  const fake = await startFakeLogind();
  t.after(() => fake[Symbol.asyncDispose]());
  const options = { prepareForShutdown: () => {}, owner: "/data", address: fake.address };
  const [first, second] = [await openLogind(options), await openLogind(options)];
  await fake.restart();
  await Promise.all([first.gone, second.gone]);
  first.close();
  second.close();
  const third = await openLogind(options);
  await fake[Symbol.asyncDispose]();
  await third.gone;
  await assert.rejects(third.longestDelay(), DBusError);
  await assert.rejects(openLogind(options), { code: "ENOENT" });
});
