import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../api/core/pods.ts";
import type { Service } from "../../api/core/services.ts";
import { makeSubsets } from "./make-subsets.ts";

const SERVICE: Service = {
  apiVersion: "v1",
  kind: "Service",
  metadata: { name: "web", namespace: "ns" },
  spec: { clusterIP: "10.96.0.1", ports: [{ port: 80 }] },
};

function podOf(number: number, ready: boolean): Pod {
  return {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: `pod-${number}`, namespace: "ns" },
    spec: { containers: [] },
    status: {
      phase: "Running",
      podIP: `10.1.${Math.floor(number / 250)}.${number % 250}`,
      conditions: [{ type: "Ready", status: ready ? "True" : "False" }],
    },
  };
}

test("a thousand addresses are the most, those that are ready first", () => {
  const pods = Array.from({ length: 1100 }, (_, i) => podOf(i, i >= 300));
  const { subsets, cut } = makeSubsets(SERVICE, pods);
  assert.equal(cut, true);
  assert.equal(subsets[0]?.addresses?.length, 800);
  assert.equal(subsets[0]?.notReadyAddresses?.length, 200);
  assert.equal(makeSubsets(SERVICE, pods.slice(0, 1000)).cut, false);
});

test("ports with the same pods are one subset, and a pod that lacks a port is in those of its ports", () => {
  const ports = [
    { name: "web", port: 80 },
    { name: "admin", port: 81, targetPort: "admin" },
    { name: "metrics", port: 9000 },
  ];
  const service = { ...SERVICE, spec: { ...SERVICE.spec, ports } };
  const withAdmin = (pod: Pod): Pod => ({
    ...pod,
    spec: { containers: [{ name: "main", image: "main", ports: [{ name: "admin", containerPort: 8081 }] }] },
  });
  const { subsets } = makeSubsets(service, [podOf(2, true), withAdmin(podOf(1, true)), podOf(3, false)]);
  assert.deepEqual(
    subsets.map((subset) => [
      subset.addresses?.map(({ ip }) => ip),
      subset.notReadyAddresses?.map(({ ip }) => ip),
      subset.ports?.map(({ name }) => name).sort(),
    ]),
    [
      [["10.1.0.1", "10.1.0.2"], ["10.1.0.3"], ["metrics", "web"]],
      [["10.1.0.1"], undefined, ["admin"]],
    ],
  );
});

test("the ports of a subset come in upstream's order", () => {
  const ports = [
    { name: "dns", port: 53, protocol: "UDP" },
    { name: "dns-tcp", port: 53, protocol: "TCP" },
    { name: "metrics", port: 9153, protocol: "TCP" },
  ];
  // As clusters of kubeadm show for their kube-dns.
  const expected = ["dns-tcp", "dns", "metrics"];
  for (const given of [ports, ports.toReversed()]) {
    const { subsets } = makeSubsets({ ...SERVICE, spec: { ...SERVICE.spec, ports: given } }, [
      podOf(1, true),
    ]);
    assert.deepEqual(
      subsets[0]?.ports?.map(({ name }) => name),
      expected,
    );
  }
});

test("subsets and addresses are the same in whatever order pods come", () => {
  const ports = [
    { name: "a", port: 80, targetPort: "a" },
    { name: "b", port: 81, targetPort: "b" },
  ];
  const service = { ...SERVICE, spec: { ...SERVICE.spec, ports } };
  const having = (name: string, number: number): Pod => ({
    ...podOf(number, true),
    spec: { containers: [{ name: "main", image: "main", ports: [{ name, containerPort: 8000 }] }] },
  });
  const pods = [having("a", 12), having("b", 3), having("a", 2), having("b", 1)];
  const { subsets } = makeSubsets(service, pods);
  assert.deepEqual(makeSubsets(service, pods.toReversed()).subsets, subsets);
  assert.equal(subsets.length, 2);
  // By their texts, as upstream's: not by their numbers.
  const a = subsets.find((subset) => subset.ports?.[0]?.name === "a");
  assert.deepEqual(
    a?.addresses?.map(({ ip }) => ip),
    ["10.1.0.12", "10.1.0.2"],
  );
});

test("what is too much is taken from each subset in proportion, and a subset with nothing left goes", () => {
  const ports = [
    { name: "a", port: 80, targetPort: "a" },
    { name: "b", port: 81, targetPort: "b" },
  ];
  const service = { ...SERVICE, spec: { ...SERVICE.spec, ports } };
  const having = (name: string, number: number, ready: boolean): Pod => ({
    ...podOf(number, ready),
    spec: { containers: [{ name: "main", image: "main", ports: [{ name, containerPort: 8000 }] }] },
  });
  const sizes = (pods: readonly Pod[]): Record<string, [number, number]> =>
    Object.fromEntries(
      makeSubsets(service, pods).subsets.map((subset) => [
        subset.ports?.[0]?.name ?? "",
        [subset.addresses?.length ?? 0, subset.notReadyAddresses?.length ?? 0],
      ]),
    );
  const pods = (count: number, name: string, from: number, ready: boolean): Pod[] =>
    Array.from({ length: count }, (_, i) => having(name, from + i, ready));
  assert.deepEqual(sizes([...pods(1500, "a", 0, true), ...pods(500, "b", 2000, true)]), {
    a: [750, 0],
    b: [250, 0],
  });
  const ready = pods(600, "a", 0, true);
  const notReady = [...pods(600, "a", 1000, false), ...pods(200, "b", 2000, false)];
  assert.deepEqual(sizes([...ready, ...notReady]), { a: [600, 300], b: [0, 100] });
  assert.deepEqual(sizes([...pods(1200, "a", 0, true), ...pods(10, "b", 2000, false)]), { a: [1000, 0] });
});

test("a service without pods has no subsets", () => {
  assert.deepEqual(makeSubsets(SERVICE, []), { subsets: [], cut: false });
});

test("only a headless service may have addresses without ports", () => {
  const headless = { ...SERVICE, spec: { clusterIP: "None" } };
  assert.equal(makeSubsets(headless, [podOf(1, true)]).subsets[0]?.ports, undefined);
  assert.equal(makeSubsets(headless, [podOf(1, true)]).subsets.length, 1);
  assert.equal(
    makeSubsets({ ...SERVICE, spec: { clusterIP: "10.96.0.1" } }, [podOf(1, true)]).subsets.length,
    0,
  );
});
