/**
 * A behaviour of the conformance suite of Kubernetes on a real node: named exactly as the suite names it, in a namespace
 * of its own. All behaviours of a file share one node. The suite's coverage test holds the names against its list.
 */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { Namespace } from "../../../src/api/core/namespace.ts";
import { Pod } from "../../../src/api/core/pods.ts";
import { ServiceAccount } from "../../../src/api/core/service-account.ts";
import type { Container, PodSpec } from "../../../src/api/schema/core.v1.generated.ts";
import type { Client } from "../../../src/client/client.ts";
import type { ResourceClient } from "../../../src/client/resource-client.ts";
import { isReason } from "../../../src/client/status.ts";
import { until } from "../../scenario/until.ts";
import { cannotRunContainers } from "../harness/machine.ts";
import { BUSYBOX, startTestNode, type TestNode } from "../harness/test-node.ts";

export interface World {
  readonly client: Client;
  readonly node: TestNode;
  /** A namespace that takes pods. */
  readonly namespace: string;
}

let node: TestNode;
let made = 0;
const skip = cannotRunContainers;

if (skip === false) {
  before(async () => {
    node = await startTestNode();
  });
  after(() => node?.[Symbol.asyncDispose]());
}

export function behaviour(codename: string, run: (world: World) => Promise<void>): void {
  test(codename, { skip }, async () => {
    const namespace = `behaviour-${made++}`;
    const { client } = node;
    await makeNamespace(client, namespace);
    try {
      await run({ client, node, namespace });
    } finally {
      await client.resource(Pod, namespace).deleteCollection({ gracePeriodSeconds: 0 });
      await client.resource(Namespace).delete(namespace);
    }
  });
}

export async function makeNamespace(client: Client, name: string): Promise<void> {
  await client.resource(Namespace).create({ metadata: { name } });
  await until(client.resource(ServiceAccount, name), "default", (account) => account !== undefined);
}

/** A container that runs a line of the shell. */
export function shell(command: string, more: Partial<Container> = {}): Container {
  return { name: "main", image: BUSYBOX, command: ["/bin/sh", "-c", command], ...more };
}

/** The spec of a pod that runs lines of the shell to their end. */
export function shellPod(
  command: string,
  spec: Partial<PodSpec> = {},
  container: Partial<Container> = {},
): PodSpec {
  return {
    restartPolicy: "Never",
    terminationGracePeriodSeconds: 0,
    containers: [shell(command, container)],
    ...spec,
  };
}

/** Runs a pod to its good end; what its first container said. */
export async function outputOf({ client, namespace }: World, spec: PodSpec, labels = {}): Promise<string> {
  const pods = client.resource(Pod, namespace);
  const { metadata } = await pods.create({
    metadata: { generateName: "output-", labels },
    spec,
  });
  const name = metadata.name!;
  const pod = await until(
    pods,
    name,
    (now) => !now || ["Succeeded", "Failed"].includes(now.status?.phase ?? ""),
  );
  const said = await logOf(client, namespace, name, spec.containers[0]!.name);
  assert.equal(pod?.status?.phase, "Succeeded", `${said}\n${JSON.stringify(pod?.status)}`);
  return said;
}

export async function logOf(
  client: Client,
  namespace: string,
  pod: string,
  container: string,
): Promise<string> {
  const path = `/api/v1/namespaces/${namespace}/pods/${pod}/log`;
  const { body } = await client.request({ method: "GET", path, query: `container=${container}` });
  return Buffer.from(body).toString();
}

/** Follows what the pod's container `main` says until the text was in it: the runtime writes that down a moment later. */
export async function untilSaid({ node, namespace }: World, pod: string, text: string): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/pods/${pod}/log?container=main&follow=true`;
  const socket = await node.openWebSocket(path, "binary.k8s.io");
  let said = "";
  while (!said.includes(text)) {
    const payload = await socket.next();
    assert.ok(payload, `it ended after ${said}`);
    said += payload;
  }
  socket.raw.destroy();
}

/** Replaces a pod by one with other fields of its spec, also where the kubelet changes its status at the same time. */
export async function updated(
  pods: ResourceClient<Pod>,
  name: string,
  subresource: string,
  change: (pod: Pod) => Partial<PodSpec>,
): Promise<void> {
  for (;;) {
    const pod = await pods.get(name);
    try {
      await pods.update({ ...pod, spec: { ...pod.spec!, ...change(pod) } }, { subresource });
      return;
    } catch (error) {
      if (!isReason(error, "Conflict")) throw error;
    }
  }
}

/** Makes a pod and waits until it is ready. */
export async function runningPod(
  { client, namespace }: World,
  name: string,
  spec: PodSpec,
  labels = {},
): Promise<Pod> {
  const pods = client.resource(Pod, namespace);
  await pods.create({ metadata: { name, labels }, spec });
  const pod = await until(pods, name, (now) => !now || isReady(now) || now.status?.phase === "Failed");
  assert.ok(pod && isReady(pod), JSON.stringify(pod?.status));
  return pod;
}

export function isReady({ status }: Pod): boolean {
  return status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True") ?? false;
}
