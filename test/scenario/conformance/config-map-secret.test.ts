import assert from "node:assert/strict";
import { ConfigMap } from "../../../src/api/core/config-map.ts";
import { Secret } from "../../../src/api/core/secret.ts";
import type { KubeObject } from "../../../src/api/object.ts";
import type { Resource } from "../../../src/api/resource.ts";
import { behaviour, maybe, type World } from "./behaviour.ts";

const encoded = (text: string): string => Buffer.from(text).toString("base64");

behaviour(
  "[sig-node] ConfigMap should update ConfigMap successfully [NodeConformance] [Conformance]",
  async ({ client, namespace }) => {
    const maps = client.resource(ConfigMap, namespace);
    const made = await maps.create({ metadata: { name: "settings" }, data: { "data-1": "value-1" } });
    await maps.update({ ...made, data: { "data-1": "value-2", "data-2": "value-3" } });
    assert.deepEqual((await maps.get("settings")).data, { "data-1": "value-2", "data-2": "value-3" });
  },
);

behaviour(
  "[sig-node] ConfigMap should fail to create ConfigMap with empty key [Conformance]",
  async ({ client, namespace }) => {
    const map = { metadata: { name: "settings" }, data: { "": "value-1" } };
    await assert.rejects(client.resource(ConfigMap, namespace).create(map), { reason: "Invalid" });
  },
);

behaviour(
  "[sig-node] Secrets should fail to create secret due to empty secret key [Conformance]",
  async ({ client, namespace }) => {
    const secret = { metadata: { name: "secret" }, data: { "": encoded("value-1") } };
    await assert.rejects(client.resource(Secret, namespace).create(secret), { reason: "Invalid" });
  },
);

behaviour("[sig-storage] ConfigMap should be immutable if `immutable` field is set [Conformance]", (world) =>
  staysAsItIs(world, ConfigMap, (text) => text),
);

behaviour("[sig-storage] Secrets should be immutable if `immutable` field is set [Conformance]", (world) =>
  staysAsItIs(world, Secret, encoded),
);

interface Data extends KubeObject {
  data?: Record<string, string>;
  immutable?: boolean;
}

async function staysAsItIs<T extends Data>(
  { client, namespace }: World,
  kind: Resource<T>,
  form: (text: string) => string,
): Promise<void> {
  const objects = client.resource<Data>(kind as never, namespace);
  await objects.create({ metadata: { name: "fixed" }, data: { key: form("value") } });
  const change = async (fields: Partial<Data>): Promise<Data> =>
    objects.update({ ...(await objects.get("fixed")), ...fields });
  await change({ data: { key: form("other") } });
  await change({ immutable: true });
  await assert.rejects(change({ data: { key: form("another") } }), { reason: "Invalid" });
  await assert.rejects(change({ immutable: false }), { reason: "Invalid" });
  const { metadata } = await objects.get("fixed");
  const labelled = await change({ metadata: { ...metadata, labels: { label: "one" } } });
  assert.equal(labelled.metadata.labels?.label, "one");
  assert.equal(labelled.data?.key, form("other"));
  await objects.delete("fixed");
  assert.equal(await maybe(objects, "fixed"), undefined);
}
