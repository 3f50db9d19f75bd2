import assert from "node:assert/strict";
import { ConfigMap } from "../../../src/api/core/config-map.ts";
import { Namespace } from "../../../src/api/core/namespace.ts";
import { Pod } from "../../../src/api/core/pods.ts";
import { Service } from "../../../src/api/core/services.ts";
import { behaviour, makeNamespace, maybe, names } from "./behaviour.ts";

const SPEC = { containers: [{ name: "main", image: "web:1" }] };

behaviour(
  "[sig-api-machinery] Namespaces [Serial] should apply a finalizer to a Namespace [Conformance]",
  async ({ client, namespace }) => {
    const namespaces = client.resource(Namespace);
    const made = await namespaces.get(namespace);
    const finalizers = [...(made.spec?.finalizers ?? []), "e2e.example.com/fakeFinalizer"];
    const held = await namespaces.update(
      { ...made, spec: { ...made.spec, finalizers } },
      { subresource: "finalize" },
    );
    assert.deepEqual(held.spec?.finalizers, ["kubernetes", "e2e.example.com/fakeFinalizer"]);
    const freed = await namespaces.update(
      { ...held, spec: { finalizers: ["kubernetes"] } },
      { subresource: "finalize" },
    );
    assert.deepEqual(freed.spec?.finalizers, ["kubernetes"]);
  },
);

behaviour(
  "[sig-api-machinery] Namespaces [Serial] should apply an update to a Namespace [Conformance]",
  async ({ client, namespace }) => {
    const namespaces = client.resource(Namespace);
    const made = await namespaces.get(namespace);
    const labels = { ...made.metadata.labels, updated: "yes" };
    await namespaces.update({ ...made, metadata: { ...made.metadata, labels } });
    assert.equal((await namespaces.get(namespace)).metadata.labels?.updated, "yes");
  },
);

behaviour(
  "[sig-api-machinery] Namespaces [Serial] should patch a Namespace [Conformance]",
  async ({ client, namespace }) => {
    const namespaces = client.resource(Namespace);
    await namespaces.patch(namespace, { metadata: { labels: { patched: "yes" } } }, { type: "strategic" });
    assert.equal((await namespaces.get(namespace)).metadata.labels?.patched, "yes");
  },
);

behaviour(
  "[sig-api-machinery] Namespaces [Serial] should apply changes to a namespace status [Conformance]",
  async ({ client, namespace }) => {
    const namespaces = client.resource(Namespace);
    const read = await namespaces.getSubresource<Namespace>(namespace, "status");
    assert.equal(read.status?.phase, "Active");
    const condition = { type: "StatusPatch", status: "True", reason: "E2E", message: "Patched by a test" };
    const patched = await namespaces.patch(
      namespace,
      { metadata: { annotations: { patched: "yes" } }, status: { conditions: [condition] } },
      { type: "merge", subresource: "status" },
    );
    assert.equal(patched.metadata.annotations?.patched, "yes");
    const found = patched.status?.conditions?.find(({ type }) => type === "StatusPatch");
    assert.equal(found?.message, "Patched by a test");
    const conditions = [
      ...(patched.status?.conditions ?? []),
      { ...condition, type: "StatusUpdate", message: "Updated by a test" },
    ];
    const updated = await namespaces.updateStatus({ ...patched, status: { ...patched.status, conditions } });
    assert.deepEqual(
      updated.status?.conditions?.map(({ type }) => type),
      ["StatusPatch", "StatusUpdate"],
    );
    assert.equal(updated.status?.phase, "Active");
  },
);

behaviour(
  "[sig-api-machinery] Namespaces [Serial] should ensure that all pods are removed when a namespace is deleted [Conformance]",
  async ({ client, until }) => {
    await makeNamespace(client, until, "doomed");
    await client.resource(Pod, "doomed").create({ metadata: { name: "web" }, spec: SPEC });
    await client.resource(Namespace).delete("doomed");
    await until(async () => (await maybe(client.resource(Namespace), "doomed")) === undefined);
    await makeNamespace(client, until, "doomed");
    assert.deepEqual(await names(client.resource(Pod, "doomed")), []);
  },
);

behaviour(
  "[sig-api-machinery] Namespaces [Serial] should ensure that all services are removed when a namespace is deleted [Conformance]",
  async ({ client, until }) => {
    await makeNamespace(client, until, "doomed");
    const spec = { selector: { app: "web" }, ports: [{ port: 80 }] };
    await client.resource(Service, "doomed").create({ metadata: { name: "web" }, spec });
    await client.resource(Namespace).delete("doomed");
    await until(async () => (await maybe(client.resource(Namespace), "doomed")) === undefined);
    await makeNamespace(client, until, "doomed");
    assert.deepEqual(await names(client.resource(Service, "doomed")), []);
  },
);

behaviour(
  "[sig-api-machinery] OrderedNamespaceDeletion namespace deletion should delete pod first [Conformance]",
  async ({ client, until }) => {
    await makeNamespace(client, until, "doomed");
    const pods = client.resource(Pod, "doomed");
    await pods.create({ metadata: { name: "web", finalizers: ["example.com/keep"] }, spec: SPEC });
    await client.resource(ConfigMap, "doomed").create({ metadata: { name: "settings" } });
    await client.resource(Namespace).delete("doomed");
    await until(async () => (await pods.get("web")).metadata.deletionTimestamp !== undefined);
    await until(async () => {
      const { status } = await client.resource(Namespace).get("doomed");
      return (
        status?.conditions?.some(
          ({ type, status }) => type === "NamespaceContentRemaining" && status === "True",
        ) ?? false
      );
    });
    assert.ok(await maybe(client.resource(ConfigMap, "doomed"), "settings"));
    await pods.patch("web", { metadata: { finalizers: null } }, { type: "merge" });
    await until(async () => (await maybe(client.resource(Namespace), "doomed")) === undefined);
  },
);
