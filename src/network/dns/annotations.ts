/** By these annotations of its Node a node says where its DNS answers; what keeps kube-dns reads them. */
export const DNS_PORT = "network.kybern.dev/dns-port";
export const DNS_METRICS_PORT = "network.kybern.dev/dns-metrics-port";
