import assert from "node:assert/strict";
import { test } from "node:test";
import type { OwnerReference } from "../../api/object.ts";
import type { DiscoveredKind } from "../../client/discovery.ts";
import { blockers, decide, isSettled } from "./decide.ts";
import { Graph, type Item, type Known } from "./graph.ts";

const MAP: DiscoveredKind = {
  group: "",
  version: "v1",
  kind: "ConfigMap",
  plural: "configmaps",
  scope: "Namespaced",
  verbs: [],
};

interface Facts {
  owners?: (string | [owner: string, blocks: boolean])[];
  finalizers?: string[];
  deleted?: boolean;
  namespace?: string;
}

function owner(given: string | [string, boolean]): OwnerReference {
  const [name, blockOwnerDeletion] = typeof given === "string" ? [given, undefined] : given;
  return { apiVersion: "v1", kind: "ConfigMap", name, uid: name, blockOwnerDeletion };
}

function object(
  name: string,
  { owners = [], finalizers, deleted, namespace = "default" }: Facts = {},
): Known {
  const deletionTimestamp = deleted ? "2030-01-01T00:00:00Z" : undefined;
  const ownerReferences = owners.map(owner);
  return { metadata: { name, namespace, uid: name, ownerReferences, finalizers, deletionTimestamp } };
}

function graphOf(objects: Record<string, Facts>): Graph {
  const graph = new Graph();
  for (const [name, facts] of Object.entries(objects)) graph.enter(MAP, object(name, facts));
  return graph;
}

const FOREGROUND = { finalizers: ["foregroundDeletion"], deleted: true };
const itemOf = (graph: Graph, name: string): Item => graph.get(name)!;

test("a graph keeps nothing of what has no owner and waits for nobody", () => {
  const graph = graphOf({ plain: {}, held: { finalizers: ["example.com/x"], deleted: true } });
  assert.equal(graph.size, 0);
});

test("a graph tells an object whose owners are new or other, and no other change of it", () => {
  const graph = new Graph();
  assert.deepEqual(graph.enter(MAP, object("a", { owners: ["x"] })), ["a"]);
  assert.deepEqual(graph.enter(MAP, object("a", { owners: ["x"], finalizers: ["f"] })), []);
  assert.deepEqual(graph.enter(MAP, object("a", { owners: ["x", "y"] })), ["a"]);
  assert.deepEqual(graph.enter(MAP, object("a", { owners: [["x", true], "y"] })), ["a"]);
  assert.deepEqual(graph.enter(MAP, object("a")), []);
  assert.equal(graph.size, 0);
  assert.deepEqual(graph.dependentsOf("x"), []);
});

test("a graph wakes the dependents of what goes or begins to wait, and the owner that waits for what goes", () => {
  const graph = graphOf({ a: { owners: ["x"] }, b: { owners: ["x"] } });
  assert.deepEqual(graph.enter(MAP, object("x", FOREGROUND)), ["x", "a", "b"]);
  assert.deepEqual(graph.enter(MAP, object("x", FOREGROUND)), []);
  assert.deepEqual(graph.leave("a"), ["x"]);
  assert.deepEqual(graph.enter(MAP, object("b")), ["x"]);
  assert.deepEqual(graph.leave("x"), []);
  assert.equal(graph.size, 0);
});

test("a graph wakes the owner that waits when a dependent no longer blocks it", () => {
  const graph = graphOf({ x: FOREGROUND, a: { owners: [["x", true]] } });
  assert.deepEqual(
    blockers(graph, itemOf(graph, "x")).map(({ uid }) => uid),
    ["a"],
  );
  assert.deepEqual(graph.enter(MAP, object("a", { owners: [["x", false]] })), ["a", "x"]);
  assert.deepEqual(blockers(graph, itemOf(graph, "x")), []);
});

test("a dependent of another namespace blocks no owner", () => {
  const graph = graphOf({ x: FOREGROUND, a: { owners: [["x", true]], namespace: "away" } });
  assert.deepEqual(blockers(graph, itemOf(graph, "x")), []);
});

test("an object is kept while any owner stays, and rid of the others", () => {
  const graph = graphOf({ a: { owners: ["x", "y", "z"] } });
  const item = itemOf(graph, "a");
  assert.deepEqual(decide(graph, item, ["present", "present", "present"]), { do: "keep" });
  assert.deepEqual(decide(graph, item, ["absent", "present", "waiting"]), {
    do: "disown",
    owners: [owner("y")],
  });
});

test("an object is kept where an owner cannot be told to be absent", () => {
  const graph = graphOf({ a: { owners: ["x", "y"] } });
  assert.deepEqual(decide(graph, itemOf(graph, "a"), ["unknown", "absent"]), { do: "keep" });
});

test("an object without owners left goes, and its finalizers say what becomes of its dependents", () => {
  const cases: [string[], string][] = [
    [[], "Background"],
    [["orphan"], "Orphan"],
    [["foregroundDeletion"], "Foreground"],
  ];
  for (const [finalizers, policy] of cases) {
    const graph = graphOf({ a: { owners: ["x"], finalizers }, b: { owners: ["a"] } });
    assert.deepEqual(decide(graph, itemOf(graph, "a"), ["absent"]), { do: "delete", policy, unblock: false });
  }
});

test("an object whose owner waits goes in the foreground when it has dependents itself", () => {
  const graph = graphOf({ x: FOREGROUND, a: { owners: ["x"] }, b: { owners: ["a"] } });
  const deletion = { do: "delete", unblock: false };
  assert.deepEqual(decide(graph, itemOf(graph, "a"), ["waiting"]), { ...deletion, policy: "Foreground" });
  assert.deepEqual(decide(graph, itemOf(graph, "b"), ["waiting"]), { ...deletion, policy: "Background" });
});

test("an object that closes a circle of those that wait unblocks its owners first", () => {
  const graph = graphOf({ x: { ...FOREGROUND, owners: [["a", true]] }, a: { owners: [["x", true]] } });
  const deletion = { do: "delete", policy: "Foreground", unblock: true };
  assert.deepEqual(decide(graph, itemOf(graph, "a"), ["waiting"]), deletion);
});

test("what is on its way out is settled, unless it waits for its dependents", () => {
  const graph = graphOf({ a: { owners: ["x"], deleted: true }, b: { owners: ["x"], ...FOREGROUND } });
  assert.ok(isSettled(itemOf(graph, "a")));
  assert.ok(!isSettled(itemOf(graph, "b")));
});
