import assert from "node:assert/strict";
import { test } from "node:test";
import type { ControllerRevision, StatefulSet } from "../../../api/schema/apps.v1.generated.ts";
import type { Client } from "../../../client/client.ts";
import { StatusError } from "../../../machinery/status/status-error.ts";
import { createRevision } from "./keep-revisions.ts";
import { HASH_LABEL, newRevision } from "./revision.ts";

const owner: StatefulSet = {
  apiVersion: "apps/v1",
  kind: "StatefulSet",
  metadata: { name: "web", namespace: "ns", uid: "u" },
};
const template = { metadata: { labels: { app: "web" } }, spec: { containers: [{ name: "c", image: "a" }] } };
const draft = { owner, template, revision: 1, hashLabel: HASH_LABEL };

/** A server that has revisions already. */
function clientWith(...existing: ControllerRevision[]): Client {
  const stored = new Map(existing.map((revision) => [revision.metadata.name, revision]));
  const revisions = {
    async create(revision: ControllerRevision) {
      const { name } = revision.metadata;
      if (stored.has(name)) throw new StatusError("AlreadyExists", `${name} already exists`);
      stored.set(name, revision);
      return revision;
    },
    get: async (name: string) => stored.get(name),
  };
  return { resource: () => revisions } as unknown as Client;
}

test("a revision that is there already is taken for the one to create", async () => {
  const existing = { ...newRevision(draft, 0), revision: 7 };
  const { revision, collisions } = await createRevision(clientWith(existing), draft, 0);
  assert.equal(revision, existing);
  assert.equal(collisions, 0);
});

test("names that other data has are passed over, and counted", async () => {
  const other = (collisions: number) => ({ ...newRevision(draft, collisions), data: { other: collisions } });
  const { revision, collisions } = await createRevision(clientWith(other(0), other(1)), draft, 0);
  assert.equal(collisions, 2);
  assert.deepEqual(revision, newRevision(draft, 2));
});
