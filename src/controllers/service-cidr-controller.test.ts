import assert from "node:assert/strict";
import { test } from "node:test";
import type { IPAddress } from "../api/networking/ip-address.ts";
import type { ServiceCIDR } from "../api/networking/service-cidr.ts";
import { isNeeded } from "./service-cidr-controller.ts";

function range(name: string, ...cidrs: string[]): ServiceCIDR {
  return { apiVersion: "networking.k8s.io/v1", kind: "ServiceCIDR", metadata: { name }, spec: { cidrs } };
}

function address(name: string, manager = "ipallocator.k8s.io"): IPAddress {
  return {
    apiVersion: "networking.k8s.io/v1",
    kind: "IPAddress",
    metadata: { name, labels: { "ipaddress.kubernetes.io/managed-by": manager } },
    spec: { parentRef: { resource: "services", name: "s" } },
  };
}

test("a ServiceCIDR is needed by an address of a service that no other range covers", () => {
  const mine = range("mine", "10.96.0.0/16", "fd00::/112");
  const other = range("other", "10.96.1.0/24");
  assert.ok(isNeeded(mine, [mine], [address("10.96.0.5")]));
  assert.ok(isNeeded(mine, [mine], [address("fd00::5")]));
  assert.ok(isNeeded(mine, [mine, other], [address("10.96.1.5"), address("10.96.2.5")]));
  assert.ok(!isNeeded(mine, [mine, other], [address("10.96.1.5")]));
  assert.ok(!isNeeded(mine, [mine], [address("192.168.0.1"), address("10.96.0.5", "me")]));
});

test("a ServiceCIDR within others is not needed", () => {
  const mine = range("mine", "10.96.1.0/24");
  const taken = [address("10.96.1.5")];
  assert.ok(!isNeeded(mine, [mine, range("wide", "10.96.0.0/16")], taken));
  assert.ok(!isNeeded(mine, [mine, range("same", "10.96.1.0/24")], taken));
  assert.ok(isNeeded(mine, [mine, range("narrow", "10.96.1.128/25")], taken));
});
