import assert from "node:assert/strict";
import { Endpoints } from "../../../src/api/core/endpoints.ts";
import { Pod } from "../../../src/api/core/pods.ts";
import { Service } from "../../../src/api/core/services.ts";
import { EndpointSlice } from "../../../src/api/discovery/endpoint-slice.ts";
import { behaviour, maybe, names, type World } from "./behaviour.ts";
import { NODES, templateOf } from "./workload.ts";

const PORTS = [{ name: "http", port: 80, protocol: "TCP" }];

behaviour(
  "[sig-network] Services should find a service from listing all namespaces [Conformance]",
  async ({ client }) => {
    const { items } = await client.resource(Service).list();
    const found = items.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`);
    assert.ok(found.includes("default/kubernetes"), found.join(" "));
  },
);

behaviour(
  "[sig-network] Services should delete a collection of services [Conformance]",
  async ({ client, namespace }) => {
    const services = client.resource(Service, namespace);
    for (const [name, labels] of [
      ["one", { group: "a" }],
      ["two", { group: "a" }],
      ["three", { group: "b" }],
    ] as const) {
      await services.create({ metadata: { name, labels }, spec: { ports: PORTS } });
    }
    assert.deepEqual(await names(services), ["one", "three", "two"]);
    await services.deleteCollection({ labelSelector: "group=a" });
    assert.deepEqual(await names(services), ["three"]);
  },
);

behaviour(
  "[sig-network] Services should complete a service status lifecycle [Conformance]",
  async ({ client, namespace, until }) => {
    const services = client.resource(Service, namespace);
    await services.create({
      metadata: { name: "web", labels: { test: "yes" } },
      spec: { type: "LoadBalancer", ports: PORTS },
    });
    assert.equal((await services.getSubresource<Service>("web", "status")).kind, "Service");
    const address = { loadBalancer: { ingress: [{ ip: "203.0.113.1" }] } };
    const patched = await services.patch(
      "web",
      { metadata: { annotations: { patched: "yes" } }, status: address },
      { type: "merge", subresource: "status" },
    );
    assert.equal(patched.status?.loadBalancer?.ingress?.[0]?.ip, "203.0.113.1");
    const conditions = [
      {
        type: "StatusUpdate",
        status: "True",
        reason: "E2E",
        message: "Set by a test",
        lastTransitionTime: "2026-01-01T00:00:00Z",
      },
    ];
    await services.updateStatus({ ...patched, status: { ...patched.status, conditions } });
    assert.deepEqual((await services.get("web")).status?.conditions, conditions);
    await services.patch("web", { metadata: { labels: { service: "patched" } } }, { type: "strategic" });
    assert.deepEqual(await names(services, "service=patched"), ["web"]);
    await services.delete("web");
    await until(async () => (await maybe(services, "web")) === undefined);
  },
);

behaviour(
  "[sig-network] EndpointsController should create and delete Endpoints for a Service with a selector that matches no pods [Conformance]",
  async ({ client, namespace, until }) => {
    const services = client.resource(Service, namespace);
    const endpoints = client.resource(Endpoints, namespace);
    await services.create({ metadata: { name: "empty" }, spec: { selector: { no: "pods" }, ports: PORTS } });
    await until(async () => (await maybe(endpoints, "empty")) !== undefined);
    assert.deepEqual((await endpoints.get("empty")).subsets ?? [], []);
    await services.delete("empty");
    await until(async () => (await maybe(endpoints, "empty")) === undefined);
  },
);

behaviour(
  "[sig-network] EndpointSlice should create and delete EndpointSlices for a Service with a selector that matches no pods [Conformance]",
  async (world) => {
    const { client, namespace, until } = world;
    const services = client.resource(Service, namespace);
    await services.create({ metadata: { name: "empty" }, spec: { selector: { no: "pods" }, ports: PORTS } });
    await until(async () => (await slicesOf(world, "empty")).length === 1);
    assert.deepEqual((await slicesOf(world, "empty"))[0]!.endpoints ?? [], []);
    await services.delete("empty");
    await until(async () => (await slicesOf(world, "empty")).length === 0);
  },
);

behaviour(
  "[sig-network] EndpointsController should create Endpoints for Pods matching a Service [Conformance]",
  async (world) => {
    const ips = await serve(world);
    const { client, namespace, until } = world;
    const endpoints = client.resource(Endpoints, namespace);
    const addresses = async (): Promise<string[]> =>
      ((await maybe(endpoints, "web"))?.subsets ?? [])
        .flatMap((subset) => subset.addresses ?? [])
        .map(({ ip }) => ip)
        .sort();
    await until(async () => String(await addresses()) === String(ips));
  },
  NODES,
);

behaviour(
  "[sig-network] EndpointSlice should create Endpoints and EndpointSlices for Pods matching a Service [Conformance]",
  async (world) => {
    const ips = await serve(world);
    const addresses = async (): Promise<string[]> =>
      (await slicesOf(world, "web"))
        .flatMap(({ endpoints = [] }) => endpoints)
        .flatMap((endpoint) => (endpoint.conditions?.ready ? endpoint.addresses : []))
        .sort();
    await world.until(async () => String(await addresses()) === String(ips));
    const [slice] = await slicesOf(world, "web");
    assert.deepEqual(slice?.ports, PORTS);
    const { subsets = [] } = await world.client.resource(Endpoints, world.namespace).get("web");
    assert.deepEqual(
      subsets
        .flatMap((subset) => subset.addresses ?? [])
        .map(({ ip }) => ip)
        .sort(),
      ips,
    );
  },
  NODES,
);

behaviour(
  "[sig-network] EndpointSliceMirroring should mirror a custom Endpoints resource through create update and delete [Conformance]",
  async (world) => {
    const { client, namespace, until } = world;
    await client
      .resource(Service, namespace)
      .create({ metadata: { name: "custom" }, spec: { ports: PORTS } });
    const endpoints = client.resource(Endpoints, namespace);
    const subsets = (ip: string) => [{ addresses: [{ ip }], ports: PORTS }];
    const mirrored = async (): Promise<string[]> =>
      (await slicesOf(world, "custom")).flatMap(({ endpoints: all = [] }) =>
        all.flatMap(({ addresses }) => addresses),
      );
    const made = await endpoints.create({ metadata: { name: "custom" }, subsets: subsets("10.1.2.3") });
    await until(async () => String(await mirrored()) === "10.1.2.3");
    assert.equal(
      (await slicesOf(world, "custom"))[0]?.metadata.labels?.["endpointslice.kubernetes.io/managed-by"],
      "endpointslicemirroring-controller.k8s.io",
    );
    await endpoints.update({ ...made, subsets: subsets("10.2.3.4") });
    await until(async () => String(await mirrored()) === "10.2.3.4");
    await endpoints.delete("custom");
    await until(async () => (await slicesOf(world, "custom")).length === 0);
  },
);

async function slicesOf({ client, namespace }: World, service: string): Promise<EndpointSlice[]> {
  const labelSelector = `kubernetes.io/service-name=${service}`;
  return (await client.resource(EndpointSlice, namespace).list({ labelSelector })).items;
}

/** A Service `web` with two pods; the pods' addresses. */
async function serve({ client, namespace, until }: World): Promise<string[]> {
  const spec = { selector: { app: "web" }, ports: PORTS };
  await client.resource(Service, namespace).create({ metadata: { name: "web" }, spec });
  const pods = client.resource(Pod, namespace);
  for (const name of ["web-1", "web-2"]) {
    const { metadata, spec } = templateOf("web");
    await pods.create({ metadata: { name, ...metadata }, spec });
  }
  const addresses = async (): Promise<string[]> =>
    (await pods.list()).items.flatMap(({ status }) => status?.podIP ?? []).sort();
  await until(async () => (await addresses()).length === 2);
  return addresses();
}
