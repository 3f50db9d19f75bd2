import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../api/core/pods.ts";
import { planHostPorts } from "./host-port-rules.ts";

type Ports = { hostPort?: number; hostIP?: string; containerPort: number; protocol?: string }[];

const pod = (ports: Ports, spec: object = {}, status: object = {}): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "pod" },
  spec: { containers: [{ name: "main", ports }], ...spec },
  status: { phase: "Running", podIPs: [{ ip: "10.244.0.1" }, { ip: "fd00::1" }], ...status },
});

const elements = (given: Pod): Record<string, string[]> => {
  const found = planHostPorts(given)?.parts.elements ?? new Map<string, Map<string, string>>();
  return Object.fromEntries(
    [...found].map(([set, all]) => [set, [...all].map(([key, value]) => `${key} : ${value}`)]),
  );
};

test("host ports lead to the pod's addresses of the family, at any address of the node or at one", () => {
  const {
    "host-ports4": four,
    "host-ports6": six,
    ...rest
  } = elements(pod([{ hostPort: 80, containerPort: 8080 }]));
  assert.deepEqual([four, six], [["tcp . 80 : 10.244.0.1 . 8080"], ["tcp . 80 : fd00::1 . 8080"]]);
  assert.deepEqual(Object.keys(rest), ["hairpin4", "hairpin6"]);
  const one = elements(pod([{ hostPort: 53, hostIP: "192.0.2.1", containerPort: 53, protocol: "UDP" }]));
  assert.deepEqual(one["host-port-ips4"], ["192.0.2.1 . udp . 53 : 10.244.0.1 . 53"]);
  assert.equal(one["host-port-ips6"], undefined);
  const whole = elements(pod([{ hostPort: 80, hostIP: "0.0.0.0", containerPort: 80 }]));
  assert.deepEqual([whole["host-ports4"]?.length, whole["host-ports6"]], [1, undefined]);
});

test("pods without host ports, of the host's network, without addresses or at their end have none", () => {
  const ports = [{ hostPort: 80, containerPort: 80 }];
  assert.equal(planHostPorts(pod([{ containerPort: 80 }])), undefined);
  assert.equal(planHostPorts(pod(ports, { hostNetwork: true })), undefined);
  assert.equal(planHostPorts(pod(ports, {}, { podIPs: undefined })), undefined);
  assert.equal(planHostPorts(pod(ports, {}, { phase: "Failed" })), undefined);
  const sidecar = { name: "sidecar", restartPolicy: "Always", ports };
  assert.notEqual(planHostPorts(pod([], { initContainers: [sidecar] })), undefined);
  assert.equal(
    planHostPorts(pod([], { initContainers: [{ ...sidecar, restartPolicy: undefined }] })),
    undefined,
  );
});

test("the loopback is routed only for host ports that are to be reached there", () => {
  const at = (hostIP?: string) =>
    planHostPorts(pod([{ hostPort: 80, hostIP, containerPort: 80 }]))?.fromLoopback;
  assert.deepEqual([at(), at("0.0.0.0"), at("127.0.0.1"), at("192.0.2.1")], [true, true, true, false]);
});
