import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../../api/core/pods.ts";
import type { ChangeHandler } from "../../../client/informer/informer.ts";
import { ObjectStore } from "../../../client/informer/object-store.ts";
import { PodInfo } from "../../framework/pod-info.ts";
import { nodeNamed, podNamed, TestNodes } from "../../testing/cluster.ts";
import { BegunPreemptions } from "./begun-preemptions.ts";

const LEAVING = "2026-01-01T00:00:00Z";

/** Pods that are there, and what the informer shows of them. */
function setUp(...pods: Pod[]) {
  const lister = new ObjectStore<Pod>();
  let tell: ChangeHandler<Pod> = () => {};
  const keyOf = ({ metadata }: Pod): string => `${metadata.namespace}/${metadata.name}`;
  for (const pod of pods) lister.set(keyOf(pod), pod);
  const reconsidered: string[] = [];
  const begun = new BegunPreemptions({
    pods: {
      lister,
      subscribe(handler) {
        tell = handler;
        return () => {};
      },
    },
    nodes: new TestNodes([nodeNamed("a")], pods),
    reconsider: (uid) => void reconsidered.push(uid),
  });
  return {
    begun,
    reconsidered,
    shows: (now: Pod) => tell({ key: keyOf(now), now, was: lister.set(keyOf(now), now) }),
    gone: (was: Pod) => tell({ key: keyOf(was), was: lister.delete(keyOf(was)) }),
  };
}

const victim = (name: string): Pod => podNamed(name, { nodeName: "a" });
const infos = (...pods: Pod[]): PodInfo[] => pods.map((pod) => new PodInfo(pod));
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const never = new Promise<void>(() => {});

test("a preemptor is kept out until each of its victims is seen to terminate, to end or to be gone", () => {
  const [one, two, three] = [victim("one"), victim("two"), victim("three")];
  const { begun, reconsidered, shows, gone } = setUp(one, two, three);
  begun.begin("p", "a", infos(one, two, three), never);
  assert.equal(begun.keepsOut("p"), true);
  shows({ ...one, metadata: { ...one.metadata, labels: { changed: "" } } });
  gone(one);
  shows({ ...two, metadata: { ...two.metadata, deletionTimestamp: LEAVING } });
  assert.deepEqual([begun.keepsOut("p"), reconsidered], [true, []]);
  shows({ ...three, status: { phase: "Failed" } });
  assert.deepEqual([begun.keepsOut("p"), reconsidered], [false, ["p"]]);
});

test("a preemptor that nobody refused the queue is not told when its victims have left", () => {
  const one = victim("one");
  const { begun, reconsidered, gone } = setUp(one);
  begun.begin("p", "a", infos(one), never);
  gone(one);
  assert.deepEqual([begun.keepsOut("p"), reconsidered], [false, []]);
});

test("a preemptor does not wait for victims that left before it was begun, nor for others of their names", () => {
  const [gone, leaving, replaced, left] = ["gone", "leaving", "replaced", "left"].map(victim) as [
    Pod,
    Pod,
    Pod,
    Pod,
  ];
  const { begun, reconsidered, shows } = setUp(
    { ...leaving, metadata: { ...leaving.metadata, deletionTimestamp: LEAVING } },
    victim("replaced"),
    left,
  );
  begun.begin("p", "a", infos(gone, leaving, replaced), never);
  assert.equal(begun.keepsOut("p"), false);
  begun.begin("q", "a", infos(left), never);
  assert.equal(begun.keepsOut("q"), true);
  shows(victim("left"));
  assert.deepEqual(reconsidered, ["q"]);
});

test("two preemptors of one victim are both let in when it leaves, but for one that was forgotten", () => {
  const one = victim("one");
  const { begun, reconsidered, gone } = setUp(one);
  for (const uid of ["p", "q", "r"]) begun.begin(uid, "a", infos(one), never);
  for (const uid of ["p", "q", "r"]) assert.equal(begun.keepsOut(uid), true);
  begun.forget("q");
  gone(one);
  assert.deepEqual(reconsidered, ["p", "r"]);
});

test("a preemptor whose evictions failed is let in and may preempt anew", async () => {
  const one = victim("one");
  const { begun, reconsidered, gone } = setUp(one);
  begun.begin("p", "a", infos(one), Promise.reject(new Error("refused")));
  assert.equal(begun.keepsOut("p"), true);
  await settled();
  assert.deepEqual([begun.keepsOut("p"), reconsidered, begun.get("p")?.failed], [false, ["p"], true]);
  gone(one);
  assert.deepEqual(reconsidered, ["p"]);
});

test("preemptions whose pods were deleted while they waited are swept when there are many", () => {
  const [one, other] = [victim("one"), victim("other")];
  const { begun } = setUp(one, other);
  begun.begin("waits", "a", infos(one), never);
  for (let i = 0; i < 1000; i++) begun.begin(`deleted-${i}`, "gone", infos(other), never);
  assert.equal(begun.get("deleted-0"), undefined);
  assert.equal(begun.keepsOut("waits"), true);
});
