import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../api/core/pods.ts";
import { VirtualClock } from "../base/clock.ts";
import type { Client } from "../client/client.ts";
import { patchOf, StatusWriter } from "./status-writer.ts";
import { makePod } from "./testing/make.ts";

const NOW = Date.parse("2026-11-21T12:00:00Z");
const WHY = { reason: "Unschedulable", message: "0/1 nodes are available.", nominate: undefined } as const;

function waiting(lastTransitionTime: string, message: string = WHY.message, nominatedNodeName?: string): Pod {
  const condition = {
    type: "PodScheduled",
    status: "False",
    reason: "Unschedulable",
    message,
    lastTransitionTime,
    observedGeneration: 1,
  };
  return { ...makePod("web"), status: { phase: "Pending", conditions: [condition], nominatedNodeName } };
}

test("a pod's condition is written where it says something else, and its time stays while it is False", () => {
  assert.equal(patchOf(waiting("2026-11-21T11:00:00Z"), WHY, NOW), undefined);
  const condition = { type: "PodScheduled", status: "False", reason: "Unschedulable", message: WHY.message };
  const metadata = { uid: "uid-web" };
  assert.deepEqual(patchOf(makePod("web"), WHY, NOW), {
    metadata,
    status: {
      conditions: [{ ...condition, lastTransitionTime: "2026-11-21T12:00:00Z", observedGeneration: 1 }],
    },
  });
  assert.deepEqual(patchOf(waiting("2026-11-21T11:00:00Z", "another"), WHY, NOW), {
    metadata,
    status: {
      conditions: [{ ...condition, lastTransitionTime: "2026-11-21T11:00:00Z", observedGeneration: 1 }],
    },
  });
});

test("a pod's nomination is written and taken away only where it changes", () => {
  const pod = waiting("2026-11-21T11:00:00Z", WHY.message, "a");
  const metadata = { uid: "uid-web" };
  assert.equal(patchOf(pod, { ...WHY, nominate: "a" }, NOW), undefined);
  assert.deepEqual(patchOf(pod, { ...WHY, nominate: "b" }, NOW), {
    metadata,
    status: { nominatedNodeName: "b" },
  });
  assert.deepEqual(patchOf(pod, { ...WHY, nominate: "" }, NOW), {
    metadata,
    status: { nominatedNodeName: null },
  });
  assert.equal(patchOf(waiting("2026-11-21T11:00:00Z"), { ...WHY, nominate: "" }, NOW), undefined);
});

test("a writer sends a few at a time, of each pod the latest, and nothing of what was dropped", async () => {
  const sent: [string, () => void][] = [];
  const messages: string[] = [];
  const patch = (name: string, body: { status: { conditions: { message: string }[] } }) =>
    new Promise<void>((resolve) => {
      sent.push([name, resolve]);
      messages.push(body.status.conditions[0]!.message);
    });
  const client = { resource: () => ({ patch }) } as unknown as Client;
  const writer = new StatusWriter({ client, clock: new VirtualClock(NOW), failed: () => assert.fail() });
  for (const name of ["a", "b", "c", "d", "e", "f"]) writer.write(makePod(name), WHY);
  writer.write(makePod("e"), { ...WHY, message: "later" });
  writer.drop("uid-f");
  assert.deepEqual(
    sent.map(([name]) => name),
    ["a", "b", "c", "d"],
  );
  for (const [, done] of sent.splice(0)) done();
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(
    sent.map(([name]) => name),
    ["e"],
  );
  assert.equal(messages.at(-1), "later");
  sent[0]![1]();
  await writer.close();
});
