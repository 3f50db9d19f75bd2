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

interface Sent {
  name: string;
  status: { conditions?: { message: string }[]; nominatedNodeName?: string | null };
  done: () => void;
}

function recordingWriter(latest: (pod: Pod) => Pod | undefined = (pod) => pod) {
  const sent: Sent[] = [];
  const patch = (name: string, { status }: { status: Sent["status"] }) =>
    new Promise<void>((done) => sent.push({ name, status, done }));
  const client = { resource: () => ({ patch }) } as unknown as Client;
  const writer = new StatusWriter({
    client,
    clock: new VirtualClock(NOW),
    latest,
    failed: () => assert.fail(),
  });
  const finish = async (): Promise<void> => {
    for (const { done } of sent) done();
    await writer.close();
  };
  return { writer, sent, finish };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("a writer sends in the background of each pod the latest, and nothing of what was dropped", async () => {
  const { writer, sent, finish } = recordingWriter();
  for (const name of ["a", "b", "c"]) writer.write(makePod(name), WHY);
  writer.write(makePod("b"), { ...WHY, message: "later" });
  writer.drop("uid-c");
  assert.equal(sent.length, 0);
  await turn();
  assert.deepEqual(
    sent.map(({ name, status }) => [name, status.conditions?.[0]?.message]),
    [
      ["a", WHY.message],
      ["b", "later"],
    ],
  );
  await finish();
});

test("a writer leaves pods be that have gone or got a node before their turn came", async () => {
  const gone = new Set(["b"]);
  const { writer, sent, finish } = recordingWriter((pod) =>
    gone.has(pod.metadata.name ?? "") ? undefined : pod,
  );
  for (const name of ["a", "b"]) writer.write(makePod(name), WHY);
  await turn();
  assert.deepEqual(
    sent.map(({ name }) => name),
    ["a"],
  );
  await finish();
});

test("a writer sends nominations at once, a few at a time", async () => {
  const { writer, sent, finish } = recordingWriter();
  const names = ["a", "b", "c", "d", "e", "f"];
  for (const name of names) writer.write(makePod(name), { ...WHY, nominate: "node" });
  writer.drop("uid-f");
  assert.deepEqual(
    sent.map(({ name }) => name),
    ["a", "b", "c", "d"],
  );
  for (const { done } of sent) done();
  await turn();
  assert.deepEqual(
    sent.map(({ name, status }) => [name, status.nominatedNodeName]),
    names.slice(0, 5).map((name) => [name, "node"]),
  );
  await finish();
});

test("where a pod is expected to go is told at once, and taken back though the picture of the pod does not show it", async () => {
  const { writer, sent, finish } = recordingWriter();
  const pod = makePod("web");
  void writer.expect(pod, "a");
  assert.deepEqual(sent.at(-1)?.status, { nominatedNodeName: "a" });
  await writer.expect(pod, "a");
  writer.write(pod, { ...WHY, nominate: "" });
  assert.equal(sent.at(-1)?.status.nominatedNodeName, null);
  assert.equal(sent.length, 2);
  await finish();
});
