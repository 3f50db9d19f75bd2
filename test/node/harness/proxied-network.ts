/** A test network whose node runs the proxy, over a cluster of which the test writes Services and EndpointSlices itself. */

import type { TestContext } from "node:test";
import { systemClock } from "../../../src/base/clock.ts";
import { openNft } from "../../../src/host/nftables/nft.ts";
import type { ProxySettings, RunningProxy } from "../../../src/network/proxy/proxy-options.ts";
import { startProxy } from "../../../src/network/proxy/start-proxy.ts";
import { EndpointSlice, Node, Service } from "../../../src/testing/index.ts";
import { namespaceSysctls } from "./namespace-sysctls.ts";
import { makeNetwork, NODE_IP, NODE_IP6, type TestNetwork } from "./network.ts";
import { WrittenCluster } from "./written-cluster.ts";

export const NODE = "node-1";
export const ELSEWHERE = "node-2";
const ZONE = "zone-a";

type Spec = Service["spec"];
export type SliceEndpoint = NonNullable<EndpointSlice["endpoints"]>[number];

export interface ServiceGiven extends Partial<Spec> {
  name: string;
  labels?: Record<string, string>;
  ingress?: { ip: string; ipMode?: string }[];
}

export interface ProxiedNetwork {
  network: TestNetwork;
  cluster: WrittenCluster;
  proxy: RunningProxy;
  warnings: string[];
  /** Writes a Service without a selector, and resolves when the kernel has it. */
  service(given: ServiceGiven): Promise<void>;
  /** All endpoints of a service; by default on this node, ready, and at port 8080 for the port without a name. */
  endpoints(
    service: string,
    endpoints: readonly (Partial<SliceEndpoint> & { addresses: string[] })[],
    ports?: EndpointSlice["ports"],
  ): Promise<void>;
  removeService(name: string): Promise<void>;
}

export interface ProxiedOptions {
  settings?: Partial<ProxySettings>;
  /** Without one nothing is masqueraded for coming from outside. */
  clusterCIDRs?: readonly string[];
  /** One that is there already. */
  network?: TestNetwork;
}

export async function proxiedNetwork(
  t: Pick<TestContext, "after">,
  options: ProxiedOptions = {},
): Promise<ProxiedNetwork> {
  const { settings = {}, clusterCIDRs = ["10.244.0.0/16", "fd00:10:244::/64"] } = options;
  const [network, cluster] = await Promise.all([options.network ?? makeNetwork(t), WrittenCluster.start(t)]);
  cluster.watchedBy(Node, { fieldSelector: `metadata.name=${NODE}` });
  await cluster.put(Node, {
    metadata: { name: NODE, labels: { "topology.kubernetes.io/zone": ZONE } },
    spec: {},
    status: {
      addresses: [
        { type: "InternalIP", address: NODE_IP },
        { type: "InternalIP", address: NODE_IP6 },
      ],
    },
  });
  const warnings: string[] = [];
  const proxy = startProxy({
    informers: cluster.informers,
    nodeInformers: cluster.informers,
    nodeName: NODE,
    clusterCIDRs,
    clock: systemClock,
    random: Math.random,
    nft: openNft({ run: network.run }),
    run: network.run,
    sysctls: namespaceSysctls(network.run),
    // A test does not wait for quiet times.
    settings: { minSyncPeriod: 1, ...settings },
    log: (level, text, facts) => warnings.push(`${level}: ${text} ${JSON.stringify(facts ?? {})}`),
  });
  t.after(() => proxy.stop());
  await proxy.ready;
  return {
    network,
    cluster,
    proxy,
    warnings,
    async service({ name, labels, ingress, ...spec }) {
      const status = ingress ? { status: { loadBalancer: { ingress } } } : {};
      const ports = [{ port: 80, protocol: "TCP" }];
      await cluster.put(Service, {
        metadata: { namespace: "default", name, labels },
        spec: { ports, ...spec },
        ...status,
      });
      await proxy.settled();
    },
    async endpoints(service, endpoints, ports = [{ name: "", port: 8080, protocol: "TCP" }]) {
      for (const addressType of ["IPv4", "IPv6"]) {
        const six = addressType === "IPv6";
        const own = endpoints.filter(({ addresses }) => addresses[0]!.includes(":") === six);
        await cluster.put(EndpointSlice, {
          metadata: {
            namespace: "default",
            name: `${service}-${addressType.toLowerCase()}`,
            labels: { "kubernetes.io/service-name": service },
          },
          addressType,
          ports,
          endpoints: own.map((endpoint) => ({ nodeName: NODE, conditions: { ready: true }, ...endpoint })),
        });
      }
      await proxy.settled();
    },
    async removeService(name) {
      await cluster.remove(Service, name);
      await proxy.settled();
    },
  };
}

/** What so many connections are answered by, each once. */
export async function answers(count: number, ask: () => Promise<string>): Promise<string[]> {
  const all = new Set<string>();
  for (let i = 0; i < count; i++) all.add(await ask());
  return [...all].sort();
}
