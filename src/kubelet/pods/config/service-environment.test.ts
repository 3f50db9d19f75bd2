import assert from "node:assert/strict";
import test from "node:test";
import type { Service } from "../../../api/core/services.ts";
import { serviceEnvironment } from "./service-environment.ts";

const service = (namespace: string, name: string, clusterIP: string, ports: object[]): Service =>
  ({ metadata: { namespace, name }, spec: { clusterIP, ports } }) as Service;

const services = [
  service("default", "kubernetes", "10.96.0.1", [{ name: "https", port: 443, protocol: "TCP" }]),
  service("ns", "my-db", "10.96.0.2", [{ port: 5432 }, { name: "metrics", port: 9000, protocol: "UDP" }]),
  service("ns", "headless", "None", [{ port: 1 }]),
  service("other", "foreign", "10.96.0.3", [{ port: 1 }]),
];

test("serviceEnvironment tells the Services of the namespace, and the API server", () => {
  const found = Object.fromEntries(serviceEnvironment(services, "ns", true));
  assert.deepEqual(found, {
    KUBERNETES_SERVICE_HOST: "10.96.0.1",
    KUBERNETES_SERVICE_PORT: "443",
    KUBERNETES_SERVICE_PORT_HTTPS: "443",
    KUBERNETES_PORT: "tcp://10.96.0.1:443",
    KUBERNETES_PORT_443_TCP: "tcp://10.96.0.1:443",
    KUBERNETES_PORT_443_TCP_PROTO: "tcp",
    KUBERNETES_PORT_443_TCP_PORT: "443",
    KUBERNETES_PORT_443_TCP_ADDR: "10.96.0.1",
    MY_DB_SERVICE_HOST: "10.96.0.2",
    MY_DB_SERVICE_PORT: "5432",
    MY_DB_SERVICE_PORT_METRICS: "9000",
    MY_DB_PORT: "tcp://10.96.0.2:5432",
    MY_DB_PORT_5432_TCP: "tcp://10.96.0.2:5432",
    MY_DB_PORT_5432_TCP_PROTO: "tcp",
    MY_DB_PORT_5432_TCP_PORT: "5432",
    MY_DB_PORT_5432_TCP_ADDR: "10.96.0.2",
    MY_DB_PORT_9000_UDP: "udp://10.96.0.2:9000",
    MY_DB_PORT_9000_UDP_PROTO: "udp",
    MY_DB_PORT_9000_UDP_PORT: "9000",
    MY_DB_PORT_9000_UDP_ADDR: "10.96.0.2",
  });
});

test("serviceEnvironment tells the API server alone where links are not wanted", () => {
  const names = [...serviceEnvironment(services, "ns", false).keys()];
  assert.ok(names.length > 0 && names.every((name) => name.startsWith("KUBERNETES_")));
});
