/** The objects by which the cluster's DNS is found. */
import { createHash } from "node:crypto";
import type { Node } from "../../api/core/node.ts";
import type { Service } from "../../api/core/services.ts";
import type { EndpointSlice } from "../../api/discovery/endpoint-slice.ts";
import { DNS_METRICS_PORT, DNS_PORT } from "./annotations.ts";

export const NAMESPACE = "kube-system";
export const NAME = "kube-dns";
export const MANAGED_BY = "endpointslice.kubernetes.io/managed-by";
export const MANAGER = "dns.kybern.dev";

/** The longest name that an object may have. */
const LONGEST_NAME = 253;
const IPV4 = "IPv4";
const IPV6 = "IPv6";

const familyOf = (address: string): string => (address.includes(":") ? IPV6 : IPV4);

/** Without a selector: its slices are made of nodes. As kubeadm makes it in all else. */
export function service(clusterDNS: readonly string[]): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name: NAME,
      namespace: NAMESPACE,
      labels: {
        "k8s-app": "kube-dns",
        "kubernetes.io/cluster-service": "true",
        "kubernetes.io/name": "CoreDNS",
      },
      annotations: { "prometheus.io/port": "9153", "prometheus.io/scrape": "true" },
    },
    spec: {
      clusterIP: clusterDNS[0],
      clusterIPs: [...clusterDNS],
      ipFamilies: clusterDNS.map(familyOf),
      ipFamilyPolicy: clusterDNS.length > 1 ? "RequireDualStack" : "SingleStack",
      ports: [
        { name: "dns", port: 53, protocol: "UDP", targetPort: 53 },
        { name: "dns-tcp", port: 53, protocol: "TCP", targetPort: 53 },
        { name: "metrics", port: 9153, protocol: "TCP", targetPort: 9153 },
      ],
    },
  };
}

/** One for each family of the Service that the node has an address of; none while the node says no port. */
export function slicesOf(node: Node, clusterDNS: readonly string[]): EndpointSlice[] {
  const { name: nodeName = "", uid = "", annotations, labels } = node.metadata;
  const port = portOf(annotations?.[DNS_PORT]);
  if (port === undefined) return [];
  const metricsPort = portOf(annotations?.[DNS_METRICS_PORT]);
  const ports = [
    { name: "dns", port, protocol: "UDP" },
    { name: "dns-tcp", port, protocol: "TCP" },
    ...(metricsPort === undefined ? [] : [{ name: "metrics", port: metricsPort, protocol: "TCP" }]),
  ];
  const ready = node.status?.conditions?.find(({ type }) => type === "Ready")?.status === "True";
  const zone = labels?.["topology.kubernetes.io/zone"];
  return [...new Set(clusterDNS.map(familyOf))].flatMap((addressType): EndpointSlice[] => {
    const address = node.status?.addresses?.find(
      (own) => own.type === "InternalIP" && familyOf(own.address) === addressType,
    )?.address;
    if (address === undefined) return [];
    const conditions = { ready, serving: ready, terminating: false };
    return [
      {
        apiVersion: "discovery.k8s.io/v1",
        kind: "EndpointSlice",
        metadata: {
          name: nameOf(nodeName, addressType),
          namespace: NAMESPACE,
          labels: { "kubernetes.io/service-name": NAME, [MANAGED_BY]: MANAGER, "k8s-app": "kube-dns" },
          ownerReferences: [{ apiVersion: "v1", kind: "Node", name: nodeName, uid }],
        },
        addressType,
        endpoints: [{ addresses: [address], conditions, nodeName, ...(zone === undefined ? {} : { zone }) }],
        ports,
      },
    ];
  });
}

function portOf(text: string | undefined): number | undefined {
  const port = Number(text);
  return Number.isInteger(port) && port > 0 && port < 65536 ? port : undefined;
}

function nameOf(nodeName: string, addressType: string): string {
  const name = `${NAME}-${nodeName}${addressType === IPV6 ? "-ipv6" : ""}`;
  if (name.length <= LONGEST_NAME) return name;
  return `${NAME}-${createHash("sha256").update(name).digest("hex")}`;
}
