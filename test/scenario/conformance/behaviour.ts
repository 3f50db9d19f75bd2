/**
 * A behaviour of the conformance suite of Kubernetes, as a scenario: named exactly as the suite names it, and run on a
 * cluster of its own whose time passes as fast as it can. `coverage.test.ts` holds the names against the suite.
 */
import { test } from "node:test";
import { Namespace } from "../../../src/api/core/namespace.ts";
import { ServiceAccount } from "../../../src/api/core/service-account.ts";
import type { KubeObject } from "../../../src/api/object.ts";
import { VirtualClock } from "../../../src/base/clock.ts";
import type { Client } from "../../../src/client/client.ts";
import type { ResourceClient } from "../../../src/client/resource-client.ts";
import { isReason } from "../../../src/client/status.ts";
import { type ClusterOptions, startCluster, type VirtualCluster } from "../../../src/testing/index.ts";

export interface World {
  readonly client: Client;
  readonly cluster: VirtualCluster;
  /** A namespace that takes pods. */
  readonly namespace: string;
  /** Lets time pass until a condition holds. */
  until(is: () => boolean | Promise<boolean>): Promise<unknown>;
}

const NAMESPACE = "behaviour";

export function behaviour(
  codename: string,
  run: (world: World) => Promise<void>,
  options: Omit<ClusterOptions, "clock" | "listen"> = {},
): void {
  test(codename, async () => {
    await using cluster = await startCluster({ ...options, clock: new VirtualClock() });
    const { client } = cluster;
    const until: World["until"] = (is) => cluster.run({ until: is });
    await makeNamespace(client, until, NAMESPACE);
    await run({ client, cluster, namespace: NAMESPACE, until });
  });
}

export async function makeNamespace(
  client: Client,
  until: World["until"],
  name: string,
  labels?: Record<string, string>,
): Promise<void> {
  await client.resource(Namespace).create({ metadata: { name, labels } });
  await until(async () => (await maybe(client.resource(ServiceAccount, name), "default")) !== undefined);
}

/** The object, or undefined where there is none. */
export async function maybe<T extends KubeObject>(
  objects: ResourceClient<T>,
  name: string,
): Promise<T | undefined> {
  try {
    return await objects.get(name);
  } catch (error) {
    if (isReason(error, "NotFound")) return undefined;
    throw error;
  }
}

export async function names(objects: ResourceClient<KubeObject>, labelSelector?: string): Promise<string[]> {
  const { items } = await objects.list({ labelSelector });
  return items.map(({ metadata }) => metadata.name ?? "").sort();
}
