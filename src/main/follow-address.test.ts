import assert from "node:assert/strict";
import test from "node:test";
import { VirtualClock } from "../base/clock.ts";
import { followAddress } from "./follow-address.ts";

test("followAddress tells an address that stays, and no moment without one", async () => {
  const clock = new VirtualClock();
  let address: string | undefined = "192.0.2.1";
  let told: string | undefined;
  const watch = followAddress(() => address, clock);
  void watch.changed.then((now) => {
    told = now;
  });
  const look = async (now: string | undefined): Promise<void> => {
    address = now;
    clock.advance(10_000);
    await Promise.resolve();
  };
  for (const now of ["192.0.2.1", undefined, "192.0.2.9", undefined, "192.0.2.1"]) await look(now);
  assert.equal(told, undefined);
  await look("192.0.2.7");
  assert.equal(told, undefined);
  await look("192.0.2.7");
  assert.equal(told, "192.0.2.7");
  assert.equal(clock.pending, 0);
});

test("followAddress tells the first address of a machine that had none", async () => {
  const clock = new VirtualClock();
  let address: string | undefined;
  const watch = followAddress(() => address, clock);
  clock.advance(10_000);
  address = "192.0.2.1";
  clock.advance(20_000);
  assert.equal(await watch.changed, "192.0.2.1");
  assert.equal(clock.pending, 0);
});
