/** Endpoints and EndpointSlices of services, with pods whose status the test says. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Endpoints } from "../../src/api/core/endpoints.ts";
import type { PodSpec, ServiceSpec } from "../../src/api/schema/core.v1.generated.ts";
import { type Cluster, EndpointSlice, Node, Pod, Service, startCluster } from "../../src/testing/index.ts";
import { until } from "./until.ts";
import { untilAll } from "./until-all.ts";

const LIMIT = { timeout: 240_000 };
const NAMESPACE = "default";

function clients({ client }: Cluster) {
  return {
    services: client.resource(Service, NAMESPACE),
    pods: client.resource(Pod, NAMESPACE),
    endpoints: client.resource(Endpoints, NAMESPACE),
    slices: client.resource(EndpointSlice, NAMESPACE),
    nodes: client.resource(Node),
  };
}

function serviceOf(name: string, more: Partial<ServiceSpec> = {}) {
  const ports = [{ name: "http", port: 80, targetPort: "web" }];
  return { metadata: { name, labels: { of: name } }, spec: { selector: { app: name }, ports, ...more } };
}

async function addNode(cluster: Cluster, name: string, zone: string): Promise<void> {
  const labels = { "topology.kubernetes.io/zone": zone };
  await cluster.client.resource(Node).create({ metadata: { name, labels } });
}

interface PodOptions {
  app: string;
  ip: string;
  node?: string;
  ready?: boolean;
  port?: number;
  more?: Partial<PodSpec>;
}

async function addPod(cluster: Cluster, name: string, options: PodOptions): Promise<Pod> {
  const { app, ip, node = "node", ready = true, port = 8080, more } = options;
  const pods = cluster.client.resource(Pod, NAMESPACE);
  const ports = [{ name: "web", containerPort: port }];
  await pods.create({
    metadata: { name, labels: { app } },
    spec: { nodeName: node, containers: [{ name: "web", image: "web:1", ports }], ...more },
  });
  return setReady(cluster, name, ready, ip);
}

function setReady(cluster: Cluster, name: string, ready: boolean, ip?: string): Promise<Pod> {
  const lastTransitionTime = "2026-01-01T00:00:00Z";
  const conditions = [{ type: "Ready", status: ready ? "True" : "False", lastTransitionTime }];
  const status = { phase: "Running", conditions, ...(ip && { podIP: ip, podIPs: [{ ip }] }) };
  return cluster.client
    .resource(Pod, NAMESPACE)
    .patch(name, { status }, { type: "strategic", subresource: "status" });
}

function slicesOf(cluster: Cluster, service: string, is: (slices: EndpointSlice[]) => boolean) {
  const slices = cluster.client.resource(EndpointSlice, NAMESPACE);
  return untilAll(slices, `kubernetes.io/service-name=${service}`, is);
}

/** Addresses of a slice with their conditions: ready, serving, terminating. */
function shown(slice: EndpointSlice | undefined): string[] {
  return (slice?.endpoints ?? [])
    .map(({ addresses, conditions }) => {
      const { ready, serving, terminating } = conditions ?? {};
      return `${addresses[0]} ${[ready && "ready", serving && "serving", terminating && "terminating"].filter(Boolean).join(" ")}`;
    })
    .sort();
}

test("a service that is another name has no endpoints until it is a service of its pods", LIMIT, async () => {
  await using cluster = await startCluster();
  const { services, endpoints, slices } = clients(cluster);
  await addNode(cluster, "node", "a");
  const type = "ExternalName";
  await services.create(serviceOf("web", { type, externalName: "web.example.com" }));
  await services.create({ ...serviceOf("web"), metadata: { name: "beside" } });
  await addPod(cluster, "web", { app: "web", ip: "192.0.2.1" });
  await slicesOf(cluster, "beside", ([slice]) => slice?.endpoints?.length === 1);
  await until(endpoints, "beside", (found) => found?.subsets?.length === 1);
  const { items } = await slices.list({ labelSelector: "kubernetes.io/service-name=web" });
  assert.deepEqual(items, []);
  assert.ok(!(await endpoints.list()).items.some(({ metadata }) => metadata.name === "web"));
  await services.patch("web", { spec: { type: "ClusterIP", externalName: null } }, { type: "merge" });
  await slicesOf(cluster, "web", ([slice]) => slice?.endpoints?.length === 1);
  await until(endpoints, "web", (found) => found?.subsets?.length === 1);
});

test("a service without pods has empty Endpoints and one empty slice, which go with it", LIMIT, async () => {
  await using cluster = await startCluster();
  const { services, endpoints } = clients(cluster);
  await services.create(serviceOf("empty"));
  const empty = await until(endpoints, "empty", (now) => now !== undefined);
  assert.equal(empty?.subsets, undefined);
  assert.equal(empty?.metadata.labels?.["endpoints.kubernetes.io/managed-by"], "endpoint-controller");
  const [slice] = await slicesOf(cluster, "empty", (slices) => slices.length === 1);
  assert.deepEqual(slice?.endpoints ?? [], []);
  assert.equal(
    slice?.metadata.labels?.["endpointslice.kubernetes.io/managed-by"],
    "endpointslice-controller.k8s.io",
  );
  assert.equal(slice?.metadata.labels?.of, "empty");
  assert.equal(slice?.metadata.ownerReferences?.[0]?.kind, "Service");
  await services.delete("empty");
  await until(endpoints, "empty", (now) => now === undefined);
});

test("pods of a service are its endpoints by port, as they come, change and go", LIMIT, async () => {
  await using cluster = await startCluster();
  const { services, pods, endpoints } = clients(cluster);
  await addNode(cluster, "node", "north");
  await services.create(serviceOf("web"));
  await addPod(cluster, "first", { app: "web", ip: "10.1.0.1" });
  await addPod(cluster, "second", { app: "web", ip: "10.1.0.2", port: 9090, ready: false });
  await addPod(cluster, "other", { app: "other", ip: "10.1.0.3" });
  const both = await until(endpoints, "web", (now) => now?.subsets?.length === 2);
  // Upstream's order of subsets goes by a hash of all that is in them, the uids of pods included.
  const subsets = both?.subsets?.toSorted((a, b) => a.ports![0]!.port - b.ports![0]!.port);
  assert.deepEqual(
    subsets?.map(({ addresses, notReadyAddresses, ports }) => [
      addresses?.map(({ ip }) => ip),
      notReadyAddresses?.map(({ ip }) => ip),
      ports?.map(({ name, port }) => `${name} ${port}`),
    ]),
    [
      [["10.1.0.1"], undefined, ["http 8080"]],
      [undefined, ["10.1.0.2"], ["http 9090"]],
    ],
  );
  const slices = await slicesOf(cluster, "web", (all) => all.flatMap(shown).length === 2);
  assert.deepEqual(slices.map((slice) => slice.ports?.[0]?.port).sort(), [8080, 9090]);
  const endpoint = slices.find(({ ports }) => ports?.[0]?.port === 8080)?.endpoints?.[0];
  assert.deepEqual([endpoint?.nodeName, endpoint?.zone], ["node", "north"]);
  assert.equal(endpoint?.targetRef?.name, "first");
  await setReady(cluster, "second", true);
  await until(endpoints, "web", (now) => now?.subsets?.every(({ addresses }) => addresses) ?? false);
  await pods.delete("first", { gracePeriodSeconds: 0 });
  await until(endpoints, "web", (now) => now?.subsets?.length === 1);
  await slicesOf(cluster, "web", (all) => all.flatMap(shown).join() === "10.1.0.2 ready serving");
  await pods.patch("second", { metadata: { labels: { app: "else" } } }, { type: "merge" });
  await until(endpoints, "web", (now) => now !== undefined && now.subsets === undefined);
  await slicesOf(cluster, "web", (all) => all.length === 1 && all.flatMap(shown).length === 0);
});

test("an endpoint that terminates serves while it is ready, and is not ready", LIMIT, async () => {
  await using cluster = await startCluster();
  const { services, pods, endpoints } = clients(cluster);
  await addNode(cluster, "node", "north");
  await services.create(serviceOf("web"));
  await addPod(cluster, "leaving", { app: "web", ip: "10.1.0.1" });
  await slicesOf(cluster, "web", (all) => all.flatMap(shown).join() === "10.1.0.1 ready serving");
  await pods.delete("leaving", { gracePeriodSeconds: 30 });
  await slicesOf(cluster, "web", (all) => all.flatMap(shown).join() === "10.1.0.1 serving terminating");
  await until(endpoints, "web", (now) => now !== undefined && now.subsets === undefined);
});

test(
  "a headless service publishes pods that are not ready where it says so, by their host names",
  LIMIT,
  async () => {
    await using cluster = await startCluster();
    const { services, endpoints } = clients(cluster);
    await addNode(cluster, "node", "north");
    const spec = { clusterIP: "None", publishNotReadyAddresses: true, ports: [] };
    await services.create(serviceOf("db", spec));
    const more = { hostname: "db-0", subdomain: "db" };
    await addPod(cluster, "db-0", { app: "db", ip: "10.1.0.1", ready: false, more });
    const [slice] = await slicesOf(cluster, "db", (all) => all.flatMap(shown).length === 1);
    assert.deepEqual(shown(slice), ["10.1.0.1 ready"]);
    assert.equal(slice?.endpoints?.[0]?.hostname, "db-0");
    assert.equal(slice?.metadata.labels?.["service.kubernetes.io/headless"], "");
    const found = await until(endpoints, "db", (now) => now?.subsets !== undefined);
    assert.equal(found?.subsets?.[0]?.addresses?.[0]?.hostname, "db-0");
  },
);

test("endpoints of a node that is unknown wait for it, and follow its zone", LIMIT, async () => {
  await using cluster = await startCluster();
  const { services, nodes } = clients(cluster);
  await services.create(serviceOf("web", { trafficDistribution: "PreferSameNode" }));
  await addPod(cluster, "early", { app: "web", ip: "10.1.0.1", node: "late" });
  await slicesOf(cluster, "web", (all) => all.length === 1 && all.flatMap(shown).length === 0);
  await addNode(cluster, "late", "north");
  const [slice] = await slicesOf(cluster, "web", (all) => all.flatMap(shown).length === 1);
  assert.deepEqual(slice?.endpoints?.[0]?.hints, {
    forZones: [{ name: "north" }],
    forNodes: [{ name: "late" }],
  });
  const labels = { "topology.kubernetes.io/zone": "south" };
  await nodes.patch("late", { metadata: { labels } }, { type: "merge" });
  await slicesOf(cluster, "web", (all) => all[0]?.endpoints?.[0]?.zone === "south");
});

test("a service that asks for it gets hints by the CPU of zones, while there is enough", LIMIT, async () => {
  await using cluster = await startCluster();
  const { services, nodes } = clients(cluster);
  for (const zone of ["north", "south"]) {
    await addNode(cluster, zone, zone);
    const conditions = [{ type: "Ready", status: "True", lastTransitionTime: "2026-01-01T00:00:00Z" }];
    const status = { allocatable: { cpu: "4" }, capacity: { cpu: "4" }, conditions };
    await nodes.patch(zone, { status }, { type: "strategic", subresource: "status" });
  }
  const { metadata, spec } = serviceOf("web");
  const annotations = { "service.kubernetes.io/topology-mode": "Auto" };
  await services.create({ metadata: { ...metadata, annotations }, spec });
  await addPod(cluster, "first", { app: "web", ip: "10.1.0.1", node: "north" });
  const [alone] = await slicesOf(cluster, "web", (all) => all.flatMap(shown).length === 1);
  assert.equal(alone?.endpoints?.[0]?.hints, undefined);
  await addPod(cluster, "second", { app: "web", ip: "10.1.0.2", node: "north" });
  const hints = ({ endpoints }: EndpointSlice) =>
    (endpoints ?? []).map((endpoint) => endpoint.hints?.forZones?.[0]?.name).sort();
  await slicesOf(cluster, "web", (all) => all.flatMap(hints).join() === "north,south");
  await nodes.delete("south");
  await slicesOf(cluster, "web", (all) => all.flatMap(hints).join() === ",");
});

test("slices that someone changes or deletes are brought back", LIMIT, async () => {
  await using cluster = await startCluster();
  const { services, slices, endpoints } = clients(cluster);
  await addNode(cluster, "node", "north");
  await services.create(serviceOf("web"));
  await addPod(cluster, "pod", { app: "web", ip: "10.1.0.1" });
  const [slice] = await slicesOf(cluster, "web", (all) => all.flatMap(shown).length === 1);
  await slices.patch(slice!.metadata.name!, { endpoints: [] }, { type: "merge" });
  const [again] = await slicesOf(cluster, "web", (all) => all.flatMap(shown).length === 1);
  await slices.delete(again!.metadata.name!);
  await slicesOf(cluster, "web", (all) => all.some(({ metadata }) => metadata.uid !== again?.metadata.uid));
  await until(endpoints, "web", (now) => now?.subsets !== undefined);
  await endpoints.delete("web");
  await until(endpoints, "web", (now) => now?.subsets !== undefined);
});

test(
  "Endpoints that a user writes are mirrored to slices as they are made, changed and deleted",
  LIMIT,
  async () => {
    await using cluster = await startCluster();
    const { services, endpoints } = clients(cluster);
    await services.create(serviceOf("custom", { selector: undefined, ports: [{ name: "http", port: 80 }] }));
    const ports = [{ name: "http", port: 8080 }];
    await endpoints.create({
      metadata: { name: "custom", labels: { mine: "yes" } },
      subsets: [{ addresses: [{ ip: "10.2.0.1" }], notReadyAddresses: [{ ip: "10.2.0.2" }], ports }],
    });
    const [slice] = await slicesOf(cluster, "custom", (all) => all.flatMap(shown).length === 2);
    assert.deepEqual(shown(slice), ["10.2.0.1 ready", "10.2.0.2 "]);
    const manager = "endpointslicemirroring-controller.k8s.io";
    assert.equal(slice?.metadata.labels?.["endpointslice.kubernetes.io/managed-by"], manager);
    assert.equal(slice?.metadata.labels?.mine, "yes");
    const subsets = [{ addresses: [{ ip: "10.2.0.3" }], ports: [{ name: "http", port: 9090 }] }];
    await endpoints.patch("custom", { subsets }, { type: "merge" });
    await slicesOf(cluster, "custom", (all) => all.length === 1 && all[0]?.ports?.[0]?.port === 9090);
    await endpoints.delete("custom");
    await slicesOf(cluster, "custom", (all) => all.length === 0);
  },
);

test("Endpoints of more than a thousand pods are cut and say so, until they are fewer", LIMIT, async () => {
  await using cluster = await startCluster();
  const { services, endpoints, pods } = clients(cluster);
  const annotation = "endpoints.kubernetes.io/over-capacity";
  const count = ({ subsets = [] }: Endpoints): number =>
    subsets.reduce((sum, { addresses = [] }) => sum + addresses.length, 0);
  await services.create(serviceOf("many"));
  const addresses = Array.from({ length: 1001 }, (_, i) => `10.1.${Math.floor(i / 250)}.${(i % 250) + 1}`);
  for (let at = 0; at < addresses.length; at += 50) {
    await Promise.all(
      addresses.slice(at, at + 50).map((ip, i) => addPod(cluster, `many-${at + i}`, { app: "many", ip })),
    );
  }
  const cut = await until(
    endpoints,
    "many",
    (object) => object?.metadata.annotations?.[annotation] !== undefined,
  );
  assert.equal(cut?.metadata.annotations?.[annotation], "truncated");
  assert.equal(count(cut!), 1000);
  await pods.delete("many-0", { gracePeriodSeconds: 0 });
  const whole = await until(
    endpoints,
    "many",
    (object) => object !== undefined && object.metadata.annotations?.[annotation] === undefined,
  );
  assert.equal(count(whole!), 1000);
});
