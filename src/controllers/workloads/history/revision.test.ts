import assert from "node:assert/strict";
import { test } from "node:test";
import type { ControllerRevision, StatefulSet } from "../../../api/schema/apps.v1.generated.ts";
import type { PodTemplateSpec } from "../../../api/schema/core.v1.generated.ts";
import {
  HASH_LABEL,
  hashOf,
  inOrder,
  isRevisionOf,
  newRevision,
  nextRevision,
  outdated,
  templateOf,
} from "./revision.ts";

const owner: StatefulSet = {
  apiVersion: "apps/v1",
  kind: "StatefulSet",
  metadata: { name: "web", namespace: "ns", uid: "u", annotations: { "kubernetes.io/change-cause": "why" } },
};

function template(image: string): PodTemplateSpec {
  return { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image }] } };
}

function numbered(name: string, revision: number, creationTimestamp = "2026-01-01T00:00:00Z") {
  return {
    apiVersion: "apps/v1",
    kind: "ControllerRevision",
    metadata: { name, creationTimestamp },
    revision,
  };
}

function draft(image: string) {
  return { owner, template: template(image), revision: 3, hashLabel: HASH_LABEL };
}

test("a revision puts its template back, whole", () => {
  const revision = newRevision(draft("a"), 0);
  assert.deepEqual(revision.data, { spec: { template: { ...template("a"), $patch: "replace" } } });
  assert.deepEqual(templateOf(revision), template("a"));
  assert.equal(isRevisionOf(template("a"), revision), true);
  assert.equal(isRevisionOf(template("b"), revision), false);
});

test("a revision has its owner's name with the hash, the labels of the template and the owner's annotations", () => {
  const { metadata, revision } = newRevision(draft("a"), 0);
  const hash = metadata.labels?.[HASH_LABEL] ?? "";
  assert.match(hash, /^[b-z2-9]{1,10}$/);
  assert.equal(metadata.name, `web-${hash}`);
  assert.deepEqual(metadata.labels, { app: "web", [HASH_LABEL]: hash });
  assert.deepEqual(metadata.annotations, { "kubernetes.io/change-cause": "why" });
  assert.equal(metadata.ownerReferences?.[0]?.controller, true);
  assert.equal(revision, 3);
});

test("a revision's data is written with its keys in order, as clients compare it byte for byte", () => {
  const spec = { terminationGracePeriodSeconds: 1, containers: [{ name: "web", image: "a", env: [] }] };
  const { data } = newRevision(
    { ...draft("a"), template: { spec, metadata: { labels: { b: "2", a: "1" } } } },
    0,
  );
  assert.equal(
    JSON.stringify(data),
    '{"spec":{"template":{"$patch":"replace","metadata":{"labels":{"a":"1","b":"2"}},"spec":{"containers":[{"env":[],"image":"a","name":"web"}],"terminationGracePeriodSeconds":1}}}}',
  );
});

test("a hash is that of the data and of the collisions", () => {
  const data = { spec: 1 };
  assert.equal(hashOf(data, 0), hashOf({ spec: 1 }, 0));
  assert.notEqual(hashOf(data, 0), hashOf(data, 1));
  assert.notEqual(hashOf(data, 0), hashOf({ spec: 2 }, 0));
});

test("a revision without a template is of no template", () => {
  const odd: ControllerRevision = { ...numbered("odd", 1), data: { some: "thing" } };
  assert.equal(templateOf(odd), undefined);
  assert.equal(isRevisionOf(template("a"), odd), false);
});

test("revisions are in the order of their numbers, then of their age and name", () => {
  const ordered = inOrder([
    numbered("d", 2, "2026-01-02T00:00:00Z"),
    numbered("c", 2),
    numbered("b", 2),
    numbered("z", 1, "2026-01-03T00:00:00Z"),
  ]);
  assert.deepEqual(
    ordered.map(({ metadata }) => metadata.name),
    ["z", "b", "c", "d"],
  );
  assert.equal(nextRevision(ordered), 3);
  assert.equal(nextRevision([]), 1);
});

test("what nothing lives by and the limit does not keep is outdated, oldest first", () => {
  const ordered = ["a", "b", "c", "d"].map((name, i) => numbered(name, i + 1));
  const names = (limit: number) =>
    outdated(ordered, ({ metadata }) => metadata.name === "b", limit).map(({ metadata }) => metadata.name);
  assert.deepEqual(names(0), ["a", "c", "d"]);
  assert.deepEqual(names(2), ["a"]);
  assert.deepEqual(names(3), []);
  assert.deepEqual(names(10), []);
});
