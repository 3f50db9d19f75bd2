/** Extenders as users have them: programs outside, over HTTPS, that know the scheduler by its certificate. */
import assert from "node:assert/strict";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import type { TLSSocket } from "node:tls";
import { issueCertificate, makeAuthority, validity } from "../../src/cluster/pki/certificate.ts";
import { type Cluster, type KubeObject, Node, Pod, startCluster } from "../../src/testing/index.ts";

interface Asked {
  path: string;
  caller: string;
  body: Record<string, unknown>;
}

type Answer = (body: Record<string, unknown>) => unknown;

const base64 = (text: string): string => Buffer.from(text).toString("base64");

/** An extender that takes only callers with a certificate of its own authority. */
async function startExtender(answers: Record<string, Answer>) {
  const now = new Date();
  const authority = makeAuthority("extender-ca", now);
  const serving = issueCertificate(authority, {
    subject: { commonName: "extender" },
    usage: "server",
    ...validity(now, 1),
    dnsNames: ["extender.example"],
  });
  const client = issueCertificate(authority, {
    subject: { commonName: "the-scheduler" },
    usage: "client",
    ...validity(now, 1),
  });
  const asked: Asked[] = [];
  const options = {
    cert: serving.certificate,
    key: serving.key,
    ca: authority.certificate,
    requestCert: true,
    rejectUnauthorized: true,
  };
  const server = createServer(options, (request, answer) => {
    let text = "";
    request.on("data", (part) => {
      text += part;
    });
    request.on("end", async () => {
      const path = request.url ?? "";
      const body = JSON.parse(text) as Record<string, unknown>;
      const { CN } = (request.socket as TLSSocket).getPeerCertificate().subject;
      asked.push({ path, caller: String(CN), body });
      const given = await answers[path.slice(1)]?.(body);
      answer.writeHead(given === undefined ? 500 : 200).end(JSON.stringify(given ?? {}));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const tlsConfig = [
    "serverName: extender.example",
    `caData: ${base64(authority.certificate)}`,
    `certData: ${base64(client.certificate)}`,
    `keyData: ${base64(client.key)}`,
  ].join(", ");
  return {
    asked,
    /** A KubeSchedulerConfiguration with this extender. */
    configuration: (verbs: string, tls = tlsConfig): string => `
apiVersion: kubescheduler.config.k8s.io/v1
kind: KubeSchedulerConfiguration
extenders:
- {urlPrefix: "https://127.0.0.1:${port}", enableHTTPS: true, tlsConfig: {${tls}}, ${verbs}}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function addNode({ client }: Cluster, name: string): Promise<void> {
  const allocatable = { cpu: "2", memory: "4Gi", pods: "10" };
  await client.resource(Node).create({ metadata: { name }, spec: {}, status: { allocatable } });
}

function createPod({ client }: Cluster, name: string, priority: number, cpu = "2"): Promise<Pod> {
  const resources = { requests: { cpu } };
  const priorityClassName = priority > 0 ? "high" : undefined;
  return client.resource(Pod, "default").create({
    metadata: { name },
    spec: { priorityClassName, containers: [{ name: "main", image: "main:1", resources }] },
  });
}

async function highPriority({ client }: Cluster): Promise<void> {
  const classes = {
    group: "scheduling.k8s.io",
    version: "v1",
    kind: "PriorityClass",
    plural: "priorityclasses",
    scope: "Cluster",
  } as const;
  await client.resource(classes).create({ metadata: { name: "high" }, value: 1000 } as unknown as KubeObject);
}

/** The pod as soon as this holds of it. */
async function podWhen({ client }: Cluster, name: string, is: (pod: Pod) => boolean): Promise<Pod> {
  const options = { fieldSelector: `metadata.name=${name}`, resourceVersion: "0" };
  for await (const { object } of client.resource(Pod, "default").watch(options))
    if (is(object)) return object;
  throw new Error("the watch ended");
}

const hasNode = ({ spec }: Pod): boolean => spec?.nodeName !== undefined;
const message = ({ status }: Pod): string | undefined =>
  status?.conditions?.find(({ type }) => type === "PodScheduled")?.message;

test("an extender filters, scores and binds over HTTPS, and knows the scheduler by its certificate", async () => {
  let running: Cluster | undefined;
  await using extender = await startExtender({
    filter: ({ Nodes }) => {
      const { items } = Nodes as { items: Node[] };
      const keep = items.filter(({ metadata }) => metadata.name !== "bad");
      return { Nodes: { items: keep }, FailedNodes: { bad: "not this one" } };
    },
    rank: ({ Nodes }) =>
      (Nodes as { items: Node[] }).items.map(({ metadata }) => ({
        Host: metadata.name,
        Score: metadata.name === "best" ? 10 : 0,
      })),
    bind: async ({ PodName, PodNamespace, PodUID, Node: node }) => {
      const path = `/api/v1/namespaces/${PodNamespace}/pods/${PodName}/binding`;
      const target = { apiVersion: "v1", kind: "Node", name: node };
      const body = { apiVersion: "v1", kind: "Binding", metadata: { name: PodName, uid: PodUID }, target };
      await running!.client.request({ method: "POST", path, body: JSON.stringify(body) });
      return {};
    },
  });
  const verbs = "filterVerb: filter, prioritizeVerb: rank, bindVerb: bind, weight: 100";
  // A real clock: the extender's answers come in real time.
  await using cluster = await startCluster({ scheduler: extender.configuration(verbs) });
  running = cluster;
  for (const name of ["bad", "best", "middling"]) await addNode(cluster, name);
  await createPod(cluster, "chosen", 0);
  assert.equal((await podWhen(cluster, "chosen", hasNode)).spec?.nodeName, "best");
  assert.deepEqual(
    extender.asked.map(({ path, caller }) => [path, caller]),
    ["/filter", "/rank", "/bind"].map((path) => [path, "the-scheduler"]),
  );
});

test("a scheduler without the extender's authority does not talk to it", async () => {
  await using extender = await startExtender({ filter: () => ({ Nodes: { items: [] } }) });
  const stranger = makeAuthority("stranger", new Date());
  const tls = `serverName: extender.example, caData: ${base64(stranger.certificate)}`;
  await using cluster = await startCluster({
    scheduler: extender.configuration("filterVerb: filter", tls),
  });
  await addNode(cluster, "only");
  await createPod(cluster, "waiting", 0);
  const waiting = await podWhen(cluster, "waiting", (pod) => message(pod) !== undefined);
  const { reason } = waiting.status!.conditions!.find(({ type }) => type === "PodScheduled")!;
  assert.equal(reason, "SchedulerError");
  assert.match(message(waiting)!, /certificate|self-signed/);
  assert.deepEqual(extender.asked, []);
});

for (const nodeCacheCapable of [true, false]) {
  const told = nodeCacheCapable ? "uids" : "whole pods";
  test(`an extender that is told ${told} of victims decides which node is left for a pod`, async () => {
    const spared = new Set<string>();
    await using extender = await startExtender({
      preempt: ({ NodeNameToVictims, NodeNameToMetaVictims }) => {
        const kept = new Map<string, unknown>();
        const victims = (NodeNameToVictims ?? NodeNameToMetaVictims) as Record<
          string,
          { Pods: (Pod & { UID: string })[]; NumPDBViolations: number }
        >;
        for (const [node, { Pods, NumPDBViolations }] of Object.entries(victims)) {
          if (spared.has(node)) continue;
          kept.set(node, {
            Pods: Pods.map(({ UID, metadata }) => ({ UID: UID ?? metadata.uid })),
            NumPDBViolations,
          });
        }
        return { NodeNameToMetaVictims: Object.fromEntries(kept) };
      },
    });
    const verbs = `preemptVerb: preempt, nodeCacheCapable: ${nodeCacheCapable}`;
    await using cluster = await startCluster({ scheduler: extender.configuration(verbs) });
    await highPriority(cluster);
    for (const name of ["n1", "n2", "n3"]) await addNode(cluster, name);
    const nodeOf = new Map<string, string>();
    for (const name of ["low1", "low2", "low3"]) {
      await createPod(cluster, name, 0);
      nodeOf.set(name, (await podWhen(cluster, name, hasNode)).spec!.nodeName!);
    }
    for (const name of ["low1", "low2", "low3"]) if (name !== "low2") spared.add(nodeOf.get(name)!);
    await createPod(cluster, "urgent", 1000);
    const urgent = await podWhen(cluster, "urgent", ({ status }) => status?.nominatedNodeName !== undefined);
    assert.equal(urgent.status?.nominatedNodeName, nodeOf.get("low2"));
    const [first] = extender.asked;
    const named = nodeCacheCapable ? "NodeNameToMetaVictims" : "NodeNameToVictims";
    assert.deepEqual(Object.keys(first!.body[named] as object).sort(), ["n1", "n2", "n3"]);
    assert.equal(first!.body[nodeCacheCapable ? "NodeNameToVictims" : "NodeNameToMetaVictims"], null);

    for (const name of nodeOf.values()) spared.add(name);
    await createPod(cluster, "hopeless", 1000);
    const hopeless = await podWhen(cluster, "hopeless", (pod) => message(pod) !== undefined);
    assert.match(message(hopeless)!, /, preemption: no candidate node for preemption$/);
  });
}

test("a pod does not get a node that an extender refuses, though it fits there beside pods of less priority", async () => {
  await using extender = await startExtender({
    filter: () => ({ NodeNames: [], FailedNodes: { only: "not this one" } }),
  });
  const verbs = "filterVerb: filter, nodeCacheCapable: true, managedResources: [{name: cpu}]";
  await using cluster = await startCluster({ scheduler: extender.configuration(verbs) });
  await highPriority(cluster);
  await addNode(cluster, "only");
  await cluster.client.resource(Pod, "default").create({
    metadata: { name: "low" },
    spec: { containers: [{ name: "main", image: "main:1" }] },
  });
  await podWhen(cluster, "low", hasNode);
  await createPod(cluster, "refused", 1000, "1");
  const refused = await podWhen(cluster, "refused", (pod) => message(pod) !== undefined);
  assert.equal(
    message(refused),
    '0/1 nodes are available: 1 not this one. preemption: expected at least one victim pod on node "only"',
  );
  assert.equal(refused.status?.nominatedNodeName, undefined);
});

test("extenders are asked about the node that a pod is nominated to", async () => {
  await using extender = await startExtender({
    filter: ({ Pod: pod, NodeNames }) => {
      const refuse = (pod as Pod).metadata.name === "urgent";
      return { NodeNames: refuse ? [] : NodeNames, FailedNodes: refuse ? { only: "not this one" } : {} };
    },
  });
  const verbs = "filterVerb: filter, nodeCacheCapable: true";
  await using cluster = await startCluster({ scheduler: extender.configuration(verbs) });
  await highPriority(cluster);
  await addNode(cluster, "only");
  await createPod(cluster, "low", 0);
  await podWhen(cluster, "low", hasNode);
  await createPod(cluster, "urgent", 1000);
  await podWhen(cluster, "urgent", ({ status }) => status?.nominatedNodeName === "only");
  await cluster.client.resource(Pod, "default").delete("low", { gracePeriodSeconds: 0 });
  const refused = await podWhen(
    cluster,
    "urgent",
    (pod) => hasNode(pod) || (message(pod)?.includes("not this one") ?? false),
  );
  assert.equal(refused.spec?.nodeName, undefined);
});
