/** What the behaviours of several kinds of workloads have in common. */
import assert from "node:assert/strict";
import { isPodReady } from "../../../src/api/core/pod/state.ts";
import { Pod } from "../../../src/api/core/pods.ts";
import type { KubeObject } from "../../../src/api/object.ts";
import type { Resource } from "../../../src/api/resource.ts";
import type { ResourceKind } from "../../../src/client/resource-client.ts";
import { controllerOf } from "../../../src/machinery/meta/owner.ts";
import { names, type World } from "./behaviour.ts";

/** Nodes that take and run what behaviours make. */
export const NODES = { nodes: 2 };

export function templateOf(app: string, image = "web:1", labels: Record<string, string> = {}) {
  return { metadata: { labels: { app, ...labels } }, spec: { containers: [{ name: "main", image }] } };
}

/** A workload as most behaviours want it. */
export function workloadOf(name: string, replicas: number, more: object = {}) {
  const selector = { matchLabels: { app: name } };
  return {
    metadata: { name, labels: { app: name } },
    spec: { replicas, selector, template: templateOf(name), ...more },
  };
}

export async function podsOf({ client, namespace }: World, app: string): Promise<Pod[]> {
  return (await client.resource(Pod, namespace).list({ labelSelector: `app=${app}` })).items;
}

/** Lets time pass until exactly so many pods of the application are there and all of them are ready. */
export async function untilReady(world: World, app: string, count: number): Promise<Pod[]> {
  let pods: Pod[] = [];
  await world.until(async () => {
    pods = await podsOf(world, app);
    return pods.length === count && pods.every((pod) => isPodReady(pod) && !pod.metadata.deletionTimestamp);
  });
  return pods;
}

export async function relabel({ client, namespace }: World, pod: Pod, app: string): Promise<void> {
  const patch = { metadata: { labels: { app } } };
  await client.resource(Pod, namespace).patch(pod.metadata.name!, patch, { type: "strategic" });
}

export function ownerOf(pod: Pod): string | undefined {
  return controllerOf(pod)?.name;
}

interface Scale extends KubeObject {
  spec?: { replicas?: number };
}

/** Reads, replaces and patches the scale of `name`, which has one replica now. */
export async function scaleWorks<T extends KubeObject & { spec?: { replicas?: number } }>(
  { client, namespace }: World,
  resource: Resource<T>,
  name: string,
): Promise<void> {
  const objects = client.resource(resource, namespace);
  const replicas = async (): Promise<number | undefined> => (await objects.get(name)).spec?.replicas;
  const scale = await objects.getSubresource<Scale>(name, "scale");
  assert.equal(scale.kind, "Scale");
  assert.equal(scale.spec?.replicas, 1);
  await objects.update({ ...scale, spec: { replicas: 2 } } as never, { subresource: "scale" });
  assert.equal(await replicas(), 2);
  await objects.patch(name, { spec: { replicas: 4 } }, { type: "merge", subresource: "scale" });
  assert.equal(await replicas(), 4);
}

interface Conditions extends KubeObject {
  status?: { conditions?: { type: string; status: string; reason?: string; message?: string }[] };
}

/** Reads, replaces and patches the status; each is seen by whoever reads next. */
export async function statusWorks<T extends KubeObject>(
  { client, namespace }: World,
  resource: Resource<T>,
  name: string,
): Promise<void> {
  const objects = client.resource<Conditions>(resource as ResourceKind, namespace);
  const told = async (type: string): Promise<string | undefined> =>
    (await objects.get(name)).status?.conditions?.find((condition) => condition.type === type)?.message;
  await objects.getSubresource(name, "status");
  const update = { type: "StatusUpdate", status: "True", reason: "E2E", message: "Set by a test" };
  // Its controller may write the status at the same time.
  for (let done = false; !done; ) {
    const now = await objects.get(name);
    const conditions = [...(now.status?.conditions ?? []), update];
    done = await objects.updateStatus({ ...now, status: { ...now.status, conditions } }).then(
      () => true,
      (error) => {
        assert.equal(error.reason, "Conflict");
        return false;
      },
    );
  }
  assert.equal(await told("StatusUpdate"), "Set by a test");
  const patch = {
    status: { conditions: [{ ...update, type: "StatusPatched", message: "Patched by a test" }] },
  };
  await objects.patch(name, patch, { type: "merge", subresource: "status" });
  assert.equal(await told("StatusPatched"), "Patched by a test");
}

/** What a selector finds goes together, and only that. */
export async function collectionWorks<T extends KubeObject>(
  { client, namespace, until }: World,
  resource: Resource<T>,
  labelSelector: string,
  count: number,
): Promise<void> {
  const objects = client.resource(resource, namespace);
  assert.equal((await names(objects as never, labelSelector)).length, count);
  await objects.deleteCollection({ labelSelector });
  await until(async () => (await names(objects as never, labelSelector)).length === 0);
}
