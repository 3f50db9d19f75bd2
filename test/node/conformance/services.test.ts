import assert from "node:assert/strict";
import { Endpoints } from "../../../src/api/core/endpoints.ts";
import { Pod } from "../../../src/api/core/pods.ts";
import { Service } from "../../../src/api/core/services.ts";
import { EndpointSlice } from "../../../src/api/discovery/endpoint-slice.ts";
import { until } from "../../scenario/until.ts";
import { behaviour, runningPod, shellPod, type World } from "./behaviour.ts";
import {
  ask,
  askBySocat,
  get,
  getUDP,
  httpServer,
  makeService,
  ON_NODE,
  serve,
  udpServer,
  untilAnsweredBy,
  untilAnswerers,
  untilEndpoints,
} from "./network.ts";

const WEB = { app: "web" };
const PORTS = [{ name: "http", port: 80, targetPort: 80 }];

async function twoServers(world: World): Promise<void> {
  await Promise.all([serve(world, "web-1", WEB), serve(world, "web-2", WEB)]);
}

behaviour(
  "[sig-network] API Server should provide secure master service [Conformance]",
  async ({ client }) => {
    const { spec } = await client.resource(Service, "default").get("kubernetes");
    assert.ok(spec?.ports?.some(({ name, port }) => name === "https" && port === 443));
  },
);

behaviour(
  "[sig-network] API Server should have Endpoints and EndpointSlices pointing to API Server [Conformance]",
  async (world) => {
    const { client } = world;
    const { subsets = [] } = await client.resource(Endpoints, "default").get("kubernetes");
    const slice = await client.resource(EndpointSlice, "default").get("kubernetes");
    const addresses = subsets.flatMap((subset) => subset.addresses ?? []).map(({ ip }) => ip);
    assert.deepEqual(
      slice.endpoints?.flatMap((endpoint) => endpoint.addresses),
      addresses,
    );
    assert.ok(addresses.length > 0);
    // A pod finds the server by its environment, and is told that it may read the version.
    const command = `echo "$KUBERNETES_SERVICE_HOST $KUBERNETES_SERVICE_PORT"; until socat -u /dev/null TCP:$KUBERNETES_SERVICE_HOST:$KUBERNETES_SERVICE_PORT,connect-timeout=5; do sleep 0.2; done; echo open`;
    assert.equal(await askBySocat(world, command), "10.96.0.1 443\nopen\n");
  },
);

behaviour("[sig-network] Services should serve a basic endpoint from pods [Conformance]", async (world) => {
  const { client, namespace } = world;
  await makeService(world, "web", { selector: WEB, ports: PORTS });
  await serve(world, "web-1", WEB);
  await untilEndpoints(world, "web", 1);
  const url = `http://${await clusterIP(world, "web")}`;
  assert.equal(await ask(world, untilAnsweredBy(url, "web-1")), "web-1\n");
  await serve(world, "web-2", WEB);
  await untilEndpoints(world, "web", 2);
  assert.equal(await ask(world, untilAnsweredBy(url, "web-1", "web-2")), "web-1\nweb-2\n");
  await client.resource(Pod, namespace).delete("web-1", { gracePeriodSeconds: 0 });
  await untilEndpoints(world, "web", 1);
  assert.equal(await ask(world, untilAnsweredBy(url, "web-2")), "web-2\n");
});

behaviour(
  "[sig-network] Services should serve multiport endpoints from pods [Conformance]",
  async (world) => {
    const ports = [
      { name: "one", port: 80, targetPort: 100 },
      { name: "two", port: 81, targetPort: 101 },
    ];
    await makeService(world, "web", { selector: WEB, ports });
    await serve(world, "web-1", WEB, [httpServer(100), httpServer(101, "other")]);
    const ip = await clusterIP(world, "web");
    assert.equal(await ask(world, `${get(`http://${ip}:80`)}; ${get(`http://${ip}:81`)}`), "web-1\nweb-1\n");
  },
);

behaviour(
  "[sig-network] Services should serve endpoints on same port and different protocols [Conformance]",
  async (world) => {
    const ports = [
      { name: "tcp", port: 80, protocol: "TCP" },
      { name: "udp", port: 80, protocol: "UDP" },
    ];
    await makeService(world, "web", { selector: WEB, ports });
    await serve(world, "web-1", WEB, [httpServer(80), udpServer(80)]);
    const ip = await clusterIP(world, "web");
    assert.equal(await ask(world, get(`http://${ip}:80`)), "web-1\n");
    assert.equal(await askBySocat(world, getUDP(`${ip}:80`)), "web-1\n");
  },
);

behaviour(
  "[sig-network] Services should be able to create a functioning NodePort service [Conformance]",
  async (world) => {
    await twoServers(world);
    const service = await makeService(world, "web", { type: "NodePort", selector: WEB, ports: PORTS });
    await untilEndpoints(world, "web", 2);
    const url = `http://${world.node.address}:${service.spec?.ports?.[0]?.nodePort}`;
    assert.equal(await ask(world, untilAnsweredBy(url, "web-1", "web-2")), "web-1\nweb-2\n");
    assert.equal(await ask(world, untilAnsweredBy(url, "web-1", "web-2"), ON_NODE), "web-1\nweb-2\n");
  },
);

async function sticks(world: World, type: string): Promise<void> {
  await twoServers(world);
  await makeService(world, "web", { type, selector: WEB, ports: PORTS, sessionAffinity: "ClientIP" });
  await untilEndpoints(world, "web", 2);
  assert.match(await ask(world, untilAnswerers(await urlOf(world, type), 1)), /^web-[12]\n$/);
}

async function switches(world: World, type: string): Promise<void> {
  await twoServers(world);
  await makeService(world, "web", { type, selector: WEB, ports: PORTS });
  await untilEndpoints(world, "web", 2);
  const url = await urlOf(world, type);
  const services = world.client.resource(Service, world.namespace);
  assert.equal(await ask(world, untilAnsweredBy(url, "web-1", "web-2")), "web-1\nweb-2\n");
  await services.patch("web", { spec: { sessionAffinity: "ClientIP" } }, { type: "merge" });
  // The change has reached the kernel once thirty in a row are answered by one.
  await ask(world, untilAnswerers(url, 1));
  await services.patch("web", { spec: { sessionAffinity: "None" } }, { type: "merge" });
  await ask(world, untilAnswerers(url, 2));
}

behaviour(
  "[sig-network] Services should have session affinity work for service with type clusterIP [LinuxOnly] [Conformance]",
  (world) => sticks(world, "ClusterIP"),
);
behaviour(
  "[sig-network] Services should have session affinity work for NodePort service [LinuxOnly] [Conformance]",
  (world) => sticks(world, "NodePort"),
);
behaviour(
  "[sig-network] Services should be able to switch session affinity for service with type clusterIP [LinuxOnly] [Conformance]",
  (world) => switches(world, "ClusterIP"),
);
behaviour(
  "[sig-network] Services should be able to switch session affinity for NodePort service [LinuxOnly] [Conformance]",
  (world) => switches(world, "NodePort"),
);

behaviour(
  "[sig-network] Services should be able to change the type from ClusterIP to ExternalName [Conformance]",
  (world) => becomesExternal(world, "ClusterIP"),
);
behaviour(
  "[sig-network] Services should be able to change the type from NodePort to ExternalName [Conformance]",
  (world) => becomesExternal(world, "NodePort"),
);
behaviour(
  "[sig-network] Services should be able to change the type from ExternalName to ClusterIP [Conformance]",
  (world) => comesHome(world, "ClusterIP"),
);
behaviour(
  "[sig-network] Services should be able to change the type from ExternalName to NodePort [Conformance]",
  (world) => comesHome(world, "NodePort"),
);

async function becomesExternal(world: World, type: string): Promise<void> {
  const services = world.client.resource(Service, world.namespace);
  await makeService(world, "target", { selector: { app: "target" }, ports: PORTS });
  await makeService(world, "web", { type, selector: WEB, ports: PORTS });
  const now = await services.get("web");
  const externalName = `target.${world.namespace}.svc.cluster.local`;
  const ports = now.spec?.ports?.map(({ nodePort: _, ...port }) => port);
  const changed = await services.update({ ...now, spec: { type: "ExternalName", externalName, ports } });
  assert.equal(changed.spec?.clusterIP, undefined);
  assert.equal(changed.spec?.ports?.[0]?.nodePort, undefined);
  const name = `web.${world.namespace}.svc.cluster.local`;
  const said = await ask(
    world,
    `until nslookup ${name} | grep -q ${await clusterIP(world, "target")}; do sleep 0.2; done; echo found`,
  );
  assert.equal(said, "found\n");
}

async function comesHome(world: World, type: string): Promise<void> {
  const services = world.client.resource(Service, world.namespace);
  await serve(world, "web-1", WEB);
  const made = await makeService(world, "web", { type: "ExternalName", externalName: "foo.example.com" });
  assert.equal(made.spec?.clusterIP, undefined);
  const now = await services.get("web");
  await services.update({ ...now, spec: { type, selector: WEB, ports: PORTS } });
  await untilEndpoints(world, "web", 1);
  assert.equal(await ask(world, get(await urlOf(world, "ClusterIP"))), "web-1\n");
  assert.equal(await ask(world, get(await urlOf(world, type))), "web-1\n");
}

async function severalSlices(
  world: World,
  servers: readonly { name: string; port: number; portName: string; servicePort: number }[],
  addressOf: (at: number) => string,
): Promise<void> {
  const { client, namespace } = world;
  const ports = servers.map(({ portName, servicePort }) => ({ name: portName, port: servicePort }));
  await makeService(world, "custom", { ports });
  for (const [at, { port, portName }] of servers.entries()) {
    await client.resource(EndpointSlice, namespace).create({
      metadata: { name: `custom-${at}`, labels: { "kubernetes.io/service-name": "custom" } },
      addressType: "IPv4",
      endpoints: [{ addresses: [addressOf(at)] }],
      ports: [{ name: portName, port, protocol: "TCP" }],
    });
  }
  const ip = await clusterIP(world, "custom");
  const command = servers.map(({ servicePort }) => get(`http://${ip}:${servicePort}`)).join("; ");
  assert.equal(await ask(world, command), servers.map(({ name }) => `${name}\n`).join(""));
}

behaviour(
  "[sig-network] EndpointSlice should support a Service with multiple ports specified in multiple EndpointSlices [Conformance]",
  async (world) => {
    const pod = await serve(world, "web-1", WEB, [httpServer(8090), httpServer(8091, "other")]);
    const server = { name: "web-1" };
    await severalSlices(
      world,
      [
        { ...server, port: 8090, portName: "example1", servicePort: 80 },
        { ...server, port: 8091, portName: "example2", servicePort: 81 },
      ],
      () => pod.status!.podIP!,
    );
  },
);

behaviour(
  "[sig-network] EndpointSlice should support a Service with multiple endpoint IPs specified in multiple EndpointSlices [Conformance]",
  async (world) => {
    const pods = await Promise.all([
      serve(world, "web-1", WEB, [httpServer(8090)]),
      serve(world, "web-2", WEB, [httpServer(8091)]),
    ]);
    await severalSlices(
      world,
      [
        { name: "web-1", port: 8090, portName: "example1", servicePort: 80 },
        { name: "web-2", port: 8091, portName: "example2", servicePort: 81 },
      ],
      (at) => pods[at]!.status!.podIP!,
    );
  },
);

behaviour("[sig-network] Service endpoints latency should not be very high [Conformance]", async (world) => {
  await serve(world, "web-1", WEB);
  const took: number[] = [];
  for (let at = 0; at < 30; at++) {
    const before = performance.now();
    await makeService(world, `latency-${at}`, { selector: WEB, ports: PORTS });
    await untilEndpoints(world, `latency-${at}`, 1);
    took.push(performance.now() - before);
  }
  took.sort((a, b) => a - b);
  // The suite allows 20 s at the median and 50 s at the 99th percentile.
  assert.ok(took[15]! < 20_000 && took[29]! < 50_000, String(took));
});

behaviour(
  "[sig-network] HostPort validates that there is no conflict between pods with same hostPort but different hostIP and protocol [LinuxOnly] [Conformance]",
  async (world) => {
    const server = (name: string, hostIP: string, protocol: "TCP" | "UDP") => {
      const made = protocol === "TCP" ? httpServer(8080) : udpServer(8080, "main");
      const container = { ...made, ports: [{ containerPort: 8080, hostPort: 54323, hostIP, protocol }] };
      return runningPod(world, name, { ...shellPod(""), containers: [container] });
    };
    await Promise.all([
      server("pod1", "127.0.0.1", "TCP"),
      server("pod2", world.node.address, "TCP"),
      server("pod3", world.node.address, "UDP"),
    ]);
    const { address } = world.node;
    const both = `${get("http://127.0.0.1:54323")}; ${get(`http://${address}:54323`)}`;
    assert.equal(await ask(world, both, ON_NODE), "pod1\npod2\n");
    assert.equal(await askBySocat(world, getUDP(`${address}:54323`), ON_NODE), "pod3\n");
  },
);

async function clusterIP({ client, namespace }: World, name: string): Promise<string> {
  const service = await until(
    client.resource(Service, namespace),
    name,
    (now) => now?.spec?.clusterIP !== undefined,
  );
  return service!.spec!.clusterIP!;
}

async function urlOf(world: World, type: string): Promise<string> {
  const { spec } = await world.client.resource(Service, world.namespace).get("web");
  if (type === "ClusterIP") return `http://${await clusterIP(world, "web")}:80`;
  return `http://${world.node.address}:${spec?.ports?.[0]?.nodePort}`;
}
