import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { alreadyExists, StatusError } from "../../../machinery/status/status-error.ts";
import type { KubeObject } from "../../object.ts";
import type { Ports } from "../../ports.ts";
import { defineResource, type RequestContext, type Resource } from "../../resource.ts";
import { repairServiceAllocations } from "./allocate.ts";
import type { AddedRange, AllocatedAddress } from "./allocations.ts";
import { defineService } from "./service.ts";
import type { Service } from "./types.ts";

const addresses = defineResource<AllocatedAddress>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "IPAddress",
  plural: "ipaddresses",
  scope: "Cluster",
  definition: "networking.v1.IPAddress",
});
const ranges = defineResource<AddedRange>({
  group: "networking.k8s.io",
  version: "v1",
  kind: "ServiceCIDR",
  plural: "servicecidrs",
  scope: "Cluster",
  definition: "networking.v1.ServiceCIDR",
});
const services = defineService(addresses, ranges);

/** A server of three kinds, in memory. */
function server(serviceCIDRs = ["10.96.0.0/24"], nodePortRange = { from: 30000, to: 30127 }) {
  const stored = new Map<unknown, Map<string, KubeObject>>([
    [addresses, new Map()],
    [services, new Map()],
    [ranges, new Map()],
  ]);
  const observers = new Map<unknown, (now?: KubeObject, was?: KubeObject) => void>();
  const set = (kind: unknown, name: string, now?: KubeObject) => {
    const was = stored.get(kind)?.get(name);
    if (now) stored.get(kind)?.set(name, now);
    else stored.get(kind)?.delete(name);
    observers.get(kind)?.(now, was);
  };
  const ports = {
    settings: { serviceCIDRs, nodePortRange, dnsDomain: "cluster.local" },
    random: { below: () => 0 },
    reader: {
      list: (kind: Resource) => stored.get(kind)?.values(),
      observe(kind: Resource, seen: (now?: KubeObject, was?: KubeObject) => void) {
        for (const object of stored.get(kind)?.values() ?? []) seen(object);
        observers.set(kind, seen);
      },
    },
    writer: {
      async create(kind: Resource, object: KubeObject) {
        const name = object.metadata.name ?? "";
        if (stored.get(kind)?.has(name))
          throw alreadyExists({ group: kind.group, resource: kind.plural }, name);
        set(kind, name, object);
        return object;
      },
      async delete(kind: Resource, _: string, name: string) {
        set(kind, name);
      },
    },
  } as unknown as Ports;
  const context = { ports, dryRun: false, now: "2026-01-01T00:00:00Z" } as RequestContext;
  const create = async (service: Service) => {
    services.defaults?.(service);
    services.prepareForCreate?.(service, context);
    const errors = services.validate?.(service, context) ?? [];
    assert.deepEqual(errors, []);
    const reserved = await services.begin?.create?.(service, context);
    set(services, service.metadata.name ?? "", service);
    await reserved?.commit?.();
    return service;
  };
  const update = async (name: string, change: (copy: Service) => void) => {
    const old = stored.get(services)?.get(name) as Service;
    const copy: Service = JSON.parse(JSON.stringify(old));
    change(copy);
    services.defaults?.(copy);
    services.prepareForUpdate?.(copy, old, context);
    const errors = services.validateUpdate?.(copy, old, context) ?? [];
    if (errors.length > 0) return errors.map(({ field, body }) => `${field}: ${body}`);
    const reserved = await services.begin?.update?.(copy, old, context);
    set(services, name, copy);
    await reserved?.commit?.();
    return copy;
  };
  const locked = () => [...(stored.get(addresses)?.keys() ?? [])];
  return { ports, context, create, update, set, locked, stored };
}

function service(name: string, spec: Service["spec"] = {}): Service {
  return {
    apiVersion: "v1",
    kind: "Service",
    metadata: { name, namespace: "default" },
    spec: { ports: [{ port: 80 }], selector: { app: name }, ...spec },
  };
}

const refusal = (text: string) => (error: unknown) => {
  assert.ok(error instanceof StatusError);
  assert.equal(error.message, text);
  return true;
};

describe("Service", () => {
  test("gets defaults, an address above the static band and its lock", async () => {
    const { create, locked } = server();
    const { spec } = await create(service("a"));
    assert.deepEqual(spec, {
      ports: [{ port: 80, protocol: "TCP", targetPort: 80 }],
      selector: { app: "a" },
      sessionAffinity: "None",
      type: "ClusterIP",
      internalTrafficPolicy: "Cluster",
      ipFamilyPolicy: "SingleStack",
      ipFamilies: ["IPv4"],
      clusterIPs: ["10.96.0.17"],
      clusterIP: "10.96.0.17",
    });
    assert.deepEqual(locked(), ["10.96.0.17"]);
  });

  test("never shares an address or port when many ask at once", async () => {
    const { create } = server();
    const all = await Promise.all(
      Array.from({ length: 100 }, (_, i) =>
        create(service(`s${i}`, { type: "NodePort", ports: [{ port: 80 }] })),
      ),
    );
    assert.equal(new Set(all.map(({ spec }) => spec.clusterIP)).size, 100);
    assert.equal(new Set(all.map(({ spec }) => spec.ports?.[0]?.nodePort)).size, 100);
  });

  test("is refused an address or port that is taken or out of range, and then keeps nothing", async () => {
    const { create, locked } = server();
    await create(
      service("a", { clusterIP: "10.96.0.10", type: "NodePort", ports: [{ port: 80, nodePort: 30001 }] }),
    );
    await assert.rejects(
      create(service("b", { clusterIP: "10.96.0.10" })),
      refusal(
        'Service "b" is invalid: spec.clusterIPs: Invalid value: ["10.96.0.10"]: failed to allocate IP 10.96.0.10: provided IP is already allocated',
      ),
    );
    await assert.rejects(
      create(service("b", { clusterIP: "10.1.0.1" })),
      refusal(
        'Service "b" is invalid: spec.clusterIPs: Invalid value: ["10.1.0.1"]: failed to allocate IP 10.1.0.1: the provided network does not match the current range',
      ),
    );
    const port = (nodePort: number) => service("b", { type: "NodePort", ports: [{ port: 80, nodePort }] });
    await assert.rejects(
      create(port(30001)),
      refusal(
        'Service "b" is invalid: spec.ports[0].nodePort: Invalid value: 30001: provided port is already allocated',
      ),
    );
    await assert.rejects(
      create(port(80)),
      refusal(
        'Service "b" is invalid: spec.ports[0].nodePort: Invalid value: 80: provided port is not in the valid range. The range of valid ports is 30000-30127',
      ),
    );
    assert.deepEqual(locked(), ["10.96.0.10"]);
  });

  test("falls back to the static band when the rest is full, and then says so", async () => {
    const { create, locked } = server(["10.96.0.0/28"]);
    for (let i = 0; i < 14; i++) await create(service(`s${i}`));
    assert.equal(locked().length, 14);
    await assert.rejects(create(service("more")), /range is full/);
  });

  test("keeps its address when only clusterIP names it", async () => {
    const { create, update } = server();
    const made = await create(service("a"));
    const now = await update("a", (copy) => {
      delete copy.spec.clusterIPs;
    });
    assert.ok(!Array.isArray(now));
    assert.ok(made.spec.clusterIP);
    assert.deepEqual(now.spec.clusterIPs, [made.spec.clusterIP]);
  });

  test("keeps its numbers when its type changes, and gives back what the new type has not", async () => {
    const { create, update, locked } = server();
    await create(service("a", { type: "NodePort" }));
    const open = await update("a", (copy) => {
      copy.spec.type = "LoadBalancer";
    });
    assert.ok(!Array.isArray(open));
    assert.equal(open.spec.ports?.[0]?.nodePort, 30016);
    const shut = await update("a", (copy) => {
      copy.spec.type = "ClusterIP";
    });
    assert.ok(!Array.isArray(shut));
    assert.equal(shut.spec.ports?.[0]?.nodePort, undefined);
    assert.equal(shut.spec.externalTrafficPolicy, undefined);
    const other = await create(service("b", { type: "NodePort" }));
    assert.equal(other.spec.ports?.[0]?.nodePort, 30016);
    const named = await update("a", (copy) => {
      copy.spec.type = "ExternalName";
      copy.spec.externalName = "example.com";
    });
    assert.ok(!Array.isArray(named));
    assert.deepEqual([named.spec.clusterIP, named.spec.ipFamilies], [undefined, undefined]);
    assert.deepEqual(locked(), [other.spec.clusterIP]);
  });

  test("may not change its address", async () => {
    const { create, update } = server();
    await create(service("a"));
    assert.deepEqual(
      await update("a", (copy) => {
        copy.spec.clusterIP = "10.96.0.50";
      }),
      ['spec.clusterIPs[0]: Invalid value: ["10.96.0.50"]: may not change once set'],
    );
  });

  test("gets addresses of ranges that ServiceCIDRs add, as long as those are there and ready", async () => {
    const { create, set } = server(["10.96.0.0/29"]);
    const range = (name: string, cidr: string, more: object = {}): AddedRange => ({
      apiVersion: "networking.k8s.io/v1",
      kind: "ServiceCIDR",
      metadata: { name, ...more },
      spec: { cidrs: [cidr] },
    });
    const refused = (text: string) => (error: Error) => error.message.endsWith(`: ${text}`);
    const asking = (name: string, clusterIP: string) => create(service(name, { clusterIP }));
    await assert.rejects(
      asking("a", "192.0.2.1"),
      refused("the provided network does not match the current range"),
    );
    set(ranges, "kubernetes", range("kubernetes", "10.96.0.0/29"));
    set(ranges, "more", range("more", "192.0.2.0/29"));
    assert.equal((await asking("a", "192.0.2.1")).spec.clusterIP, "192.0.2.1");
    await assert.rejects(
      asking("b", "192.0.2.0"),
      refused(
        "the provided IP (192.0.2.0) is not in the valid range. The range of valid IPs is 192.0.2.0/29",
      ),
    );
    for (let i = 0; i < 6; i++) await create(service(`own-${i}`));
    assert.equal((await create(service("spilled"))).spec.clusterIP, "192.0.2.2");
    set(ranges, "more", range("more", "192.0.2.0/29", { deletionTimestamp: "2026-01-01T00:00:00Z" }));
    await assert.rejects(create(service("late")), refused("range is full"));
    const conditions = [{ type: "Ready", status: "False", reason: "", message: "", lastTransitionTime: "" }];
    set(ranges, "more", { ...range("more", "192.0.2.0/29"), status: { conditions } } as AddedRange);
    await assert.rejects(create(service("later")), refused("range is full"));
    set(ranges, "more", range("more", "192.0.2.0/29"));
    assert.equal((await create(service("again"))).spec.clusterIP, "192.0.2.3");
  });

  test("has two families where the cluster has, one where it has not", async () => {
    const dual = server(["10.96.0.0/24", "fd00::/112"]);
    const { spec } = await dual.create(service("a", { ipFamilyPolicy: "PreferDualStack" }));
    assert.deepEqual(spec.ipFamilies, ["IPv4", "IPv6"]);
    assert.deepEqual(spec.clusterIPs, ["10.96.0.17", "fd00::101"]);
    const single = server();
    const asked = service("b", { ipFamilyPolicy: "RequireDualStack" });
    services.defaults?.(asked);
    services.prepareForCreate?.(asked, single.context);
    assert.deepEqual(
      services.validate?.(asked, single.context).map(({ body }) => body),
      ['Invalid value: "RequireDualStack": this cluster is not configured for dual-stack services'],
    );
  });

  test("that is headless has neither address nor lock", async () => {
    const { create, locked } = server();
    const { spec } = await create(service("a", { clusterIP: "None" }));
    assert.deepEqual(spec.clusterIPs, ["None"]);
    assert.deepEqual(locked(), []);
  });

  test("shares one node port between protocols of the same port", async () => {
    const { create } = server();
    const ports = [
      { name: "t", port: 53, protocol: "TCP" },
      { name: "u", port: 53, protocol: "UDP" },
    ];
    const { spec } = await create(service("dns", { type: "NodePort", ports }));
    assert.equal(spec.ports?.[0]?.nodePort, spec.ports?.[1]?.nodePort);
  });

  test("takes nothing on a dry run", async () => {
    const { context, locked } = server();
    const asked = service("a");
    services.defaults?.(asked);
    services.prepareForCreate?.(asked, context);
    const reserved = await services.begin?.create?.(asked, { ...context, dryRun: true });
    await reserved?.rollback();
    assert.equal(asked.spec.clusterIP, "10.96.0.17");
    assert.deepEqual(locked(), []);
  });

  test("prints what kubectl shows", async () => {
    const { create } = server();
    const made = await create(service("a", { type: "LoadBalancer" }));
    const cells = services.columns.map(({ cell }) => cell(made, new Date()));
    assert.deepEqual(cells, [
      "a",
      "LoadBalancer",
      "10.96.0.17",
      "<pending>",
      "80:30016/TCP",
      "<unknown>",
      "app=a",
    ]);
  });

  test("repair locks what lacks a lock, drops stale locks and names conflicts", async () => {
    const { ports, set, create, locked } = server();
    await create(service("a"));
    set(addresses, "10.96.0.17");
    set(services, "b", { ...service("b"), spec: { clusterIP: "10.96.0.17" } } as Service);
    set(addresses, "10.96.0.99", {
      apiVersion: "networking.k8s.io/v1",
      kind: "IPAddress",
      metadata: {
        name: "10.96.0.99",
        labels: { "ipaddress.kubernetes.io/managed-by": "ipallocator.k8s.io" },
      },
      spec: { parentRef: { group: "", resource: "services", namespace: "default", name: "gone" } },
    } as AllocatedAddress);
    assert.deepEqual(await repairServiceAllocations(ports, { services, addresses, ranges }), {
      locked: ["10.96.0.17"],
      released: ["10.96.0.99"],
      conflicts: ["clusterIP 10.96.0.17: default/a and default/b"],
    });
    assert.deepEqual(locked(), ["10.96.0.17"]);
  });
});
