import assert from "node:assert/strict";
import { test } from "node:test";
import type { Service } from "../../../api/core/services.ts";
import type { EndpointSlice } from "../../../api/discovery/endpoint-slice.ts";
import { formatIP } from "../../../machinery/names/ip-address.ts";
import { RCODES, TYPES } from "../message/constants.ts";
import { readName } from "../message/name.ts";
import type { DNSRecord } from "../message/record.ts";
import { addressBytes, addressOfPodName, addressOfPointer } from "./address.ts";
import type { ClusterObjects } from "./cluster-objects.ts";
import { ClusterZone } from "./cluster-zone.ts";
import { serviceView } from "./service-view.ts";

const service = (name: string, spec: Service["spec"]): Service => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: { name, namespace: "default" },
  spec,
});

type Endpoints = EndpointSlice["endpoints"];
const PORTS = [
  { name: "http", port: 8080, protocol: "TCP" },
  { name: "", port: 9, protocol: "UDP" },
];

const slice = (endpoints: Endpoints, addressType = "IPv4"): EndpointSlice => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { name: "s", namespace: "default" },
  addressType,
  endpoints,
  ports: PORTS,
});

const services: Record<string, [Service, EndpointSlice[]]> = {
  web: [
    service("web", {
      clusterIP: "10.96.0.7",
      clusterIPs: ["10.96.0.7", "fd00::7"],
      ports: [
        { name: "HTTP", port: 80, protocol: "TCP" },
        { port: 53, protocol: "UDP" },
      ],
    }),
    [slice([{ addresses: ["10.244.1.9"], hostname: "named" }])],
  ],
  db: [
    service("db", { clusterIP: "None", clusterIPs: ["None"], ports: [{ name: "http", port: 80 }] }),
    [
      slice([
        { addresses: ["10.244.1.2"], hostname: "DB-0" },
        { addresses: ["10.244.1.3"], conditions: { ready: true } },
        { addresses: ["10.244.1.4"], conditions: { ready: false }, hostname: "db-2" },
      ]),
      slice([{ addresses: ["10.244.1.3"] }]),
      slice([{ addresses: ["fd00::2"], hostname: "db-0" }], "IPv6"),
    ],
  ],
  early: [
    service("early", { clusterIP: "None", clusterIPs: ["None"], publishNotReadyAddresses: true }),
    [slice([{ addresses: ["10.244.1.4"], conditions: { ready: false } }])],
  ],
  empty: [service("empty", { clusterIP: "None", clusterIPs: ["None"] }), []],
  out: [service("out", { type: "ExternalName", externalName: "Example.COM." }), []],
  address: [service("address", { type: "ExternalName", externalName: "192.0.2.1" }), []],
  pending: [service("pending", { type: "ClusterIP" }), []],
};

const objects: ClusterObjects = {
  hasNamespace: (name) => name === "default",
  service: (namespace, name) => {
    const found = namespace === "default" && Object.hasOwn(services, name) ? services[name] : undefined;
    return found && serviceView(...found);
  },
  namesOf: (address) => (address === "10.96.0.7" ? ["web.default"] : []),
};
const zone = new ClusterZone({
  domain: "Cluster.Local",
  objects,
  servers: { v4: [addressBytes("10.96.0.10")!], v6: [] },
  serial: () => 7,
});

function shown({ name, type, data }: DNSRecord): string {
  const bytes = Buffer.from(data);
  const text = (): string => {
    if (type === TYPES.A || type === TYPES.AAAA) {
      return formatIP({ family: type === TYPES.A ? 4 : 6, value: BigInt(`0x${bytes.toString("hex")}`) });
    }
    if (type === TYPES.TXT) return bytes.subarray(1).toString();
    const numbers = type === TYPES.SRV ? [0, 2, 4].map((at) => bytes.readUInt16BE(at)) : [];
    return [...numbers, readName(bytes, type === TYPES.SRV ? 6 : 0)!.name].join(" ");
  };
  return name === undefined ? text() : `${name} ${text()}`;
}

/** What is answered of a name below the domain, in words. */
function ask(name: string, type: keyof typeof TYPES): string[] | string {
  const full = name === "" ? "cluster.local" : `${name}.cluster.local`;
  assert.ok(zone.owns(full));
  const { rcode, answers } = zone.answer(full, TYPES[type]);
  if (rcode === RCODES.NXDOMAIN) return "no such name";
  return answers.length === 0 ? "no data" : answers.map(shown);
}

test("a Service with cluster IPs has an address of each family", () => {
  assert.deepEqual(ask("web.default.svc", "A"), ["10.96.0.7"]);
  assert.deepEqual(ask("web.default.svc", "AAAA"), ["fd00::7"]);
  assert.equal(ask("web.default.svc", "TXT"), "no data");
  assert.equal(ask("nope.default.svc", "A"), "no such name");
  assert.equal(ask("web.other.svc", "A"), "no such name");
  assert.equal(ask("pending.default.svc", "A"), "no such name");
  assert.equal(ask("__proto__.default.svc", "A"), "no such name");
});

test("a Service's named ports have SRV records, with its addresses beside them", () => {
  assert.deepEqual(ask("_http._tcp.web.default.svc", "SRV"), ["0 100 80 web.default.svc.cluster.local"]);
  const { additional } = zone.answer("_http._tcp.web.default.svc.cluster.local", TYPES.SRV);
  assert.deepEqual(additional.map(shown), [
    "web.default.svc.cluster.local 10.96.0.7",
    "web.default.svc.cluster.local fd00::7",
  ]);
  assert.equal(ask("_http._tcp.web.default.svc", "A"), "no data");
  assert.equal(ask("_http._udp.web.default.svc", "SRV"), "no such name");
  assert.equal(ask("_._udp.web.default.svc", "SRV"), "no such name");
  assert.equal(ask("http.tcp.web.default.svc", "SRV"), "no such name");
  assert.equal(ask("_tcp.web.default.svc", "A"), "no data");
  assert.equal(ask("_udp.web.default.svc", "A"), "no such name");
  assert.deepEqual(ask("web.default.svc", "SRV"), [
    "0 50 80 web.default.svc.cluster.local",
    "0 50 53 web.default.svc.cluster.local",
  ]);
});

test("a headless Service has the addresses of its ready endpoints, each once", () => {
  assert.deepEqual(ask("db.default.svc", "A"), ["10.244.1.2", "10.244.1.3"]);
  assert.deepEqual(ask("db.default.svc", "AAAA"), ["fd00::2"]);
  assert.deepEqual(ask("early.default.svc", "A"), ["10.244.1.4"]);
  assert.equal(ask("empty.default.svc", "A"), "no such name");
});

test("endpoints have names of their own: their hostname, or one of their address", () => {
  assert.deepEqual(ask("db-0.db.default.svc", "A"), ["10.244.1.2"]);
  assert.deepEqual(ask("db-0.db.default.svc", "AAAA"), ["fd00::2"]);
  assert.deepEqual(ask("10-244-1-3.db.default.svc", "A"), ["10.244.1.3"]);
  assert.equal(ask("db-2.db.default.svc", "A"), "no such name");
  assert.equal(ask("10-244-1-3.db.default.svc", "AAAA"), "no data");
  assert.deepEqual(ask("named.web.default.svc", "A"), ["10.244.1.9"]);
});

test("a headless Service has an SRV record for each endpoint and named port", () => {
  assert.deepEqual(ask("_http._tcp.db.default.svc", "SRV"), [
    "0 50 8080 db-0.db.default.svc.cluster.local",
    "0 50 8080 10-244-1-3.db.default.svc.cluster.local",
  ]);
  const { additional } = zone.answer("_http._tcp.db.default.svc.cluster.local", TYPES.SRV);
  assert.deepEqual(additional.map(shown), [
    "db-0.db.default.svc.cluster.local 10.244.1.2",
    "db-0.db.default.svc.cluster.local fd00::2",
    "10-244-1-3.db.default.svc.cluster.local 10.244.1.3",
  ]);
});

test("an ExternalName is another name, unless it is an address", () => {
  assert.deepEqual(ask("out.default.svc", "A"), ["example.com"]);
  assert.equal(zone.answer("out.default.svc.cluster.local", TYPES.A).alias, "example.com");
  assert.equal(ask("host.out.default.svc", "A"), "no such name");
  assert.equal(ask("address.default.svc", "A"), "no such name");
});

test("pods have names of their addresses, in namespaces that exist", () => {
  assert.deepEqual(ask("10-244-1-2.default.pod", "A"), ["10.244.1.2"]);
  assert.equal(ask("10-244-1-2.default.pod", "AAAA"), "no data");
  assert.deepEqual(ask("fd00--1-2.default.pod", "AAAA"), ["fd00::1:2"]);
  for (const name of [
    "10-244-1-2.nope.pod",
    "10-244-1.default.pod",
    "300-1-1-1.default.pod",
    "x.10-0-0-1.default.pod",
  ]) {
    assert.equal(ask(name, "A"), "no such name", name);
  }
});

test("what is above names exists without data, and nothing beside it", () => {
  for (const name of ["svc", "pod", "default.svc", "default.pod", "dns"])
    assert.equal(ask(name, "A"), "no data", name);
  for (const name of ["nope", "nope.svc", "nope.pod", "a.b.c.web.default.svc", "x.dns-version", "x.dns"]) {
    assert.equal(ask(name, "A"), "no such name", name);
  }
});

test("the zone tells of itself", () => {
  assert.deepEqual(ask("dns-version", "TXT"), ["1.1.0"]);
  assert.equal(ask("dns-version", "A"), "no data");
  assert.deepEqual(ask("", "NS"), ["ns.dns.cluster.local"]);
  assert.deepEqual(ask("ns.dns", "A"), ["10.96.0.10"]);
  assert.deepEqual(ask("", "SOA"), ["cluster.local ns.dns.cluster.local"]);
  assert.equal(ask("", "A"), "no data");
  assert.ok(!zone.owns("xcluster.local") && !zone.owns("local") && !zone.owns("cluster.local.x"));
});

test("addresses have names, and those of others are for others to tell", () => {
  const name = "7.0.96.10.in-addr.arpa";
  assert.deepEqual(zone.pointers(name, TYPES.PTR)?.answers.map(shown), ["web.default.svc.cluster.local"]);
  assert.deepEqual(zone.pointers(name, TYPES.A)?.answers, []);
  assert.equal(zone.pointers("8.0.96.10.in-addr.arpa", TYPES.PTR), undefined);
  assert.equal(zone.pointers("example.com", TYPES.PTR), undefined);
});

test("addressOfPointer reads whole addresses alone", () => {
  assert.equal(addressOfPointer("1.0.96.10.in-addr.arpa"), "10.96.0.1");
  const digits = "100000000000000000000000000000df";
  assert.equal(addressOfPointer(`${[...digits].join(".")}.ip6.arpa`), "fd00::1");
  for (const wrong of [
    "0.96.10.in-addr.arpa",
    "01.0.96.10.in-addr.arpa",
    "x.0.96.10.in-addr.arpa",
    "1.ip6.arpa",
  ]) {
    assert.equal(addressOfPointer(wrong), undefined, wrong);
  }
  assert.equal(addressOfPodName("a-b-c-d"), undefined);
});
