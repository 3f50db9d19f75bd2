/** What every kind of the API can have done to it, as the suite asks of many of them. */
import assert from "node:assert/strict";
import type { KubeObject } from "../../../src/api/object.ts";
import type { ResourceKind } from "../../../src/client/resource-client.ts";
import { maybe, names, type World } from "./behaviour.ts";

export interface Operations {
  kind: ResourceKind;
  /** What an object has besides its metadata; `at` counts those made. */
  make(at: number): Record<string, unknown>;
  /** Names that are no free choice, as those of addresses. */
  nameOf?: (at: number) => string;
  /** A field of the status, and two values of it. */
  status?: readonly [before: Record<string, unknown>, after: Record<string, unknown>];
}

const SELECTOR = "operations=yes";

/** Discovered, created, read, listed, watched, patched, updated, and deleted alone and together. */
export async function operationsWork(
  world: World,
  { kind, make, nameOf, status }: Operations,
): Promise<void> {
  await isDiscovered(world, kind);
  const { client, namespace, until } = world;
  const all = client.resource(kind);
  const objects = kind.scope === "Namespaced" ? client.resource(kind, namespace) : all;
  const { metadata } = await objects.list({ labelSelector: SELECTOR });
  const wanted = [0, 1, 2].map((at) => nameOf?.(at) ?? `operations-${at}`);
  for (const [at, name] of wanted.entries()) {
    const made = await objects.create({ metadata: { name, labels: { operations: "yes" } }, ...make(at) });
    assert.equal((await objects.get(name)).metadata.uid, made.metadata.uid);
  }
  assert.deepEqual(await names(objects, SELECTOR), [...wanted].sort());
  assert.deepEqual(await names(all, SELECTOR), [...wanted].sort());
  const [first, second, third] = wanted as [string, string, string];
  const annotation = async (name: string): Promise<string | undefined> =>
    (await objects.get(name)).metadata.annotations?.changed;
  await objects.patch(first, { metadata: { annotations: { changed: "patched" } } }, { type: "merge" });
  assert.equal(await annotation(first), "patched");
  await update(
    () => objects.get(second),
    (now) => {
      const annotations = { ...now.metadata.annotations, changed: "updated" };
      return objects.update({ ...now, metadata: { ...now.metadata, annotations } });
    },
  );
  assert.equal(await annotation(second), "updated");
  if (status) await statusWorks(world, kind, first, status);
  await objects.delete(first);
  await until(async () => (await maybe(objects, first)) === undefined);
  await objects.deleteCollection({ labelSelector: SELECTOR });
  await until(async () => (await names(objects, SELECTOR)).length === 0);
  const expected = new Set([first, second, third].flatMap((name) => [`ADDED ${name}`, `DELETED ${name}`]));
  expected.add(`MODIFIED ${first}`).add(`MODIFIED ${second}`);
  const { resourceVersion } = metadata;
  for await (const { type, object } of objects.watch({ labelSelector: SELECTOR, resourceVersion })) {
    expected.delete(`${type} ${object.metadata.name}`);
    if (expected.size === 0) break;
  }
}

async function isDiscovered({ client }: World, { group, version, plural }: ResourceKind): Promise<void> {
  const read = async (path: string): Promise<Record<string, unknown>> =>
    JSON.parse(Buffer.from((await client.request({ method: "GET", path })).body).toString());
  const groupVersion = group === "" ? version : `${group}/${version}`;
  if (group !== "") {
    const { groups } = (await read("/apis")) as { groups: { name: string }[] };
    assert.ok(groups.some(({ name }) => name === group));
    const { versions } = (await read(`/apis/${group}`)) as { versions: { groupVersion: string }[] };
    assert.ok(versions.some((one) => one.groupVersion === groupVersion));
  }
  const path = group === "" ? `/api/${version}` : `/apis/${groupVersion}`;
  const { resources } = (await read(path)) as { resources: { name: string; verbs: string[] }[] };
  const verbs = resources.find(({ name }) => name === plural)?.verbs ?? [];
  const needed = ["create", "delete", "deletecollection", "get", "list", "patch", "update", "watch"];
  assert.deepEqual([...verbs].sort(), needed);
}

/** The status as it is read, patched and replaced. */
async function statusWorks(
  { client, namespace }: World,
  kind: ResourceKind,
  name: string,
  [before, after]: NonNullable<Operations["status"]>,
): Promise<void> {
  type Told = KubeObject & { status?: Record<string, unknown> };
  const objects = client.resource<Told>(kind, kind.scope === "Namespaced" ? namespace : "");
  const told = async (): Promise<unknown> => {
    const { status = {} } = await objects.getSubresource<Told>(name, "status");
    return Object.fromEntries(Object.keys(before).map((field) => [field, ownOf(status[field])]));
  };
  await objects.patch(name, { status: before }, { type: "merge", subresource: "status" });
  assert.deepEqual(await told(), before);
  await update(
    () => objects.get(name),
    (now) => objects.updateStatus({ ...now, status: { ...now.status, ...after } }),
  );
  assert.deepEqual(await told(), { ...before, ...after });
}

/** Conditions that a test set: a controller may have set others meanwhile. */
function ownOf(value: unknown): unknown {
  return Array.isArray(value) ? value.filter((one) => (one as { reason?: string }).reason === "E2E") : value;
}

/** Again where a controller was faster. */
async function update<T>(read: () => Promise<T>, write: (now: T) => Promise<unknown>): Promise<void> {
  for (let done = false; !done; ) {
    done = await write(await read()).then(
      () => true,
      (error) => {
        assert.equal(error.reason, "Conflict");
        return false;
      },
    );
  }
}
