/** kube-dns is kept, and tells of the nodes whose DNS answers. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { Informers } from "../../src/client/informer/informers.ts";
import { startDNSService } from "../../src/network/dns/start-dns-service.ts";
import { allowNodesToReadNetwork } from "../../src/network/node-access.ts";
import { ClusterRoleBinding, EndpointSlice, Node, Service, startCluster } from "../../src/testing/index.ts";
import { until } from "./until.ts";

test("kube-dns has the cluster's DNS address, and a slice for each node and family that answers", async () => {
  await using cluster = await startCluster({ heartbeats: false });
  const { client, clock } = cluster;
  const informers = new Informers({ client, clock, random: Math.random });
  const dns = startDNSService({ client, informers, clock, log: () => {}, clusterDNS: ["10.96.0.10"] });
  await dns.ready;
  const services = client.resource(Service, "kube-system");
  const slices = client.resource(EndpointSlice, "kube-system");
  const { spec, metadata } = await services.get("kube-dns");
  assert.equal(spec?.clusterIP, "10.96.0.10");
  assert.deepEqual(
    spec?.ports?.map(({ name, port, protocol }) => `${name} ${port}/${protocol}`),
    ["dns 53/UDP", "dns-tcp 53/TCP", "metrics 9153/TCP"],
  );
  assert.equal(metadata.labels?.["k8s-app"], "kube-dns");

  const nodes = client.resource(Node);
  await nodes.create({ metadata: { name: "one" } });
  const addresses = [{ type: "InternalIP", address: "192.168.50.1" }];
  const ready = [{ type: "Ready", status: "True" }];
  await nodes.patch(
    "one",
    { status: { addresses, conditions: ready } },
    { type: "merge", subresource: "status" },
  );
  const annotations = {
    "network.kybern.dev/dns-port": "10053",
    "network.kybern.dev/dns-metrics-port": "9153",
  };
  await nodes.patch("one", { metadata: { annotations } }, { type: "merge" });
  const made = await until(slices, "kube-dns-one", (slice) => slice !== undefined);
  assert.deepEqual(made?.endpoints?.[0]?.addresses, ["192.168.50.1"]);
  assert.equal(made?.endpoints?.[0]?.conditions?.ready, true);
  assert.deepEqual(
    made?.ports?.map(({ name, port }) => `${name} ${port}`),
    ["dns 10053", "dns-tcp 10053", "metrics 9153"],
  );

  const notReady = [{ type: "Ready", status: "Unknown" }];
  await nodes.patch("one", { status: { conditions: notReady } }, { type: "merge", subresource: "status" });
  await until(slices, "kube-dns-one", (slice) => slice?.endpoints?.[0]?.conditions?.ready === false);
  await slices.delete("kube-dns-one");
  await until(
    slices,
    "kube-dns-one",
    (slice) => slice !== undefined && slice.metadata.uid !== made?.metadata.uid,
  );
  await services.delete("kube-dns");
  await until(
    services,
    "kube-dns",
    (service) => service !== undefined && service.metadata.uid !== metadata.uid,
  );
  await nodes.patch(
    "one",
    { metadata: { annotations: { "network.kybern.dev/dns-port": null } } },
    { type: "merge" },
  );
  await until(slices, "kube-dns-one", (slice) => slice === undefined);
  await dns.stop();
  await informers.stop();
});

test("a kube-dns that somebody made is left as it is", async () => {
  await using cluster = await startCluster({ controllers: false });
  const { client, clock } = cluster;
  const services = client.resource(Service, "kube-system");
  const ports = [{ port: 53, protocol: "UDP" }];
  await services.create({ metadata: { name: "kube-dns" }, spec: { selector: { own: "dns" }, ports } });
  const informers = new Informers({ client, clock, random: Math.random });
  const dns = startDNSService({ client, informers, clock, log: () => {}, clusterDNS: ["10.96.0.10"] });
  await dns.ready;
  assert.deepEqual((await services.get("kube-dns")).spec?.selector, { own: "dns" });
  await dns.stop();
  await informers.stop();
});

test("nodes may read what their network is made of, after any number of starts", async () => {
  await using cluster = await startCluster({ controllers: false });
  await allowNodesToReadNetwork(cluster.client);
  await allowNodesToReadNetwork(cluster.client);
  const { subjects } = await cluster.client.resource(ClusterRoleBinding).get("kybern:node-network");
  assert.deepEqual(
    subjects?.map(({ kind, name }) => [kind, name]),
    [["Group", "system:nodes"]],
  );
});
