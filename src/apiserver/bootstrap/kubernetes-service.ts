/** default/kubernetes: the Service by which pods find the API server, and the addresses behind it. */
import { Endpoints } from "../../api/core/endpoints.ts";
import { ipRange } from "../../api/core/service/ip-range.ts";
import { keepServiceAddresses, repairServices, Service } from "../../api/core/services.ts";
import { EndpointSlice } from "../../api/discovery/endpoint-slice.ts";
import { ServiceCIDR } from "../../api/networking/service-cidr.ts";
import { deepEqual } from "../../machinery/json/equal.ts";
import type { BootstrapOptions } from "./bootstrap.ts";
import { ensure } from "./ensure.ts";

const NAME = "kubernetes";
const NAMESPACE = "default";
const HTTPS = 443;

export async function bootstrapKubernetesService({
  registry,
  settings,
  advertise,
}: BootstrapOptions): Promise<void> {
  const { ports } = registry;
  const [cidr] = settings.serviceCIDRs;
  if (!cidr) return;
  await ensure(ports, ServiceCIDR, {
    apiVersion: "networking.k8s.io/v1",
    kind: "ServiceCIDR",
    metadata: { name: NAME },
    spec: { cidrs: [...settings.serviceCIDRs] },
  });
  const target = advertise?.();
  await ensure(ports, Service, {
    apiVersion: "v1",
    kind: "Service",
    metadata: { namespace: NAMESPACE, name: NAME, labels: { component: "apiserver", provider: NAME } },
    spec: {
      clusterIP: ipRange(cidr).addressAt(0),
      type: "ClusterIP",
      sessionAffinity: "None",
      ports: [{ name: "https", protocol: "TCP", port: HTTPS, targetPort: target?.port ?? HTTPS }],
    },
  });
  await repairServices(ports);
  // What cannot be made again now, the next start repairs.
  keepServiceAddresses(ports, () => {});
}

export type Target = { address: string; port: number };

/** Makes the Service lead to these addresses, which are of one family, at the port that all servers have. */
export async function publishEndpoints(
  { ports }: BootstrapOptions["registry"],
  addresses: readonly string[],
  port: number,
): Promise<void> {
  // A server that only its own machine reaches is nothing that a pod could be sent to, and validation refuses it.
  const reached = addresses.filter((address) => !address.startsWith("127.") && address !== "::1");
  if (reached.length === 0) return;
  const own = [{ name: "https", port, protocol: "TCP" as const }];
  const slice = {
    addressType: (reached[0]!.includes(":") ? "IPv6" : "IPv4") as "IPv4" | "IPv6",
    endpoints: reached.map((address) => ({ addresses: [address], conditions: { ready: true } })),
    ports: own,
  };
  const stored = await ensure(ports, EndpointSlice, {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { namespace: NAMESPACE, name: NAME, labels: { "kubernetes.io/service-name": NAME } },
    ...slice,
  });
  if (!deepEqual(stored.endpoints, slice.endpoints) || !deepEqual(stored.ports, slice.ports)) {
    await ports.writer.update(EndpointSlice, NAMESPACE, NAME, (copy) => {
      copy.endpoints = slice.endpoints;
      copy.ports = slice.ports;
    });
  }
  const subsets = [{ addresses: reached.map((ip) => ({ ip })), ports: own }];
  const endpoints = await ensure(ports, Endpoints, {
    apiVersion: "v1",
    kind: "Endpoints",
    metadata: {
      namespace: NAMESPACE,
      name: NAME,
      labels: { "endpointslice.kubernetes.io/skip-mirror": "true" },
    },
    subsets,
  });
  if (deepEqual(endpoints.subsets, subsets)) return;
  await ports.writer.update(Endpoints, NAMESPACE, NAME, (copy) => {
    copy.subsets = subsets;
  });
}
