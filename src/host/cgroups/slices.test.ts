import assert from "node:assert/strict";
import { test } from "node:test";
import { sliceProperties, systemdSlices } from "./slices.ts";

test("sliceProperties says limits, and that there are none, in systemd's words", () => {
  assert.deepEqual(
    sliceProperties({ cpuWeight: 40, cpuQuota: 25_500, cpuPeriod: 100_000, memory: 1024, tasks: 9 }),
    ["CPUWeight=40", "CPUQuotaPeriodSec=100000us", "CPUQuota=26%", "MemoryMax=1024", "TasksMax=9"],
  );
  assert.deepEqual(sliceProperties({ cpuQuota: -1, cpuPeriod: 100_000, memory: -1, tasks: -1 }), [
    "CPUQuotaPeriodSec=100000us",
    "CPUQuota=",
    "MemoryMax=infinity",
    "TasksMax=infinity",
  ]);
});

test("systemd slices are limited before they start", async () => {
  const ran: string[] = [];
  const slices = systemdSlices(async (command, args) => {
    ran.push([command, ...args].join(" "));
    return "";
  });
  await slices.ensure("kubepods.slice", { memory: 5 });
  await slices.ensure("kubepods-besteffort.slice", {});
  await slices.stop("kubepods.slice");
  assert.deepEqual(ran, [
    "systemctl set-property --runtime kubepods.slice MemoryMax=5",
    "systemctl start kubepods.slice",
    "systemctl start kubepods-besteffort.slice",
    "systemctl stop kubepods.slice",
    "systemctl revert kubepods.slice",
  ]);
});
