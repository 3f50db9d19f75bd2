/** A node that is told how to run by a KubeletConfiguration. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Lease } from "../../src/api/coordination/lease.ts";
import { Node } from "../../src/api/core/node.ts";
import { Pod } from "../../src/api/core/pods.ts";
import { openCgroupTree } from "../../src/host/cgroups/cgroup-tree.ts";
import { Quantity } from "../../src/machinery/quantity/quantity.ts";
import { type Kubectl, openKubectl } from "./harness/kubectl.ts";
import { cannotRunContainers } from "./harness/machine.ts";
import { BUSYBOX, startTestNode, type TestNode } from "./harness/test-node.ts";

const MEBIBYTE = 2 ** 20;
const TAINT = { key: "example.com/configured", value: "yes", effect: "PreferNoSchedule" };
const CONFIGURATION = {
  maxPods: 17,
  podPidsLimit: 77,
  kubeReserved: { memory: "192Mi", cpu: "100m" },
  systemReserved: { memory: "64Mi" },
  evictionHard: { "memory.available": "32Mi" },
  registerWithTaints: [TAINT],
  nodeLeaseDurationSeconds: 80,
  clusterDNS: ["192.0.2.53"],
  clusterDomain: "example.test",
  containerLogMaxFiles: 3,
  providerID: "test://node",
};

describe("a node with a KubeletConfiguration", { skip: cannotRunContainers, timeout: 120_000 }, () => {
  let node: TestNode;
  let kubectl: Kubectl;
  before(async () => {
    node = await startTestNode({ kubeletConfiguration: CONFIGURATION });
    kubectl = await openKubectl(node);
  });
  after(async () => {
    await kubectl?.[Symbol.asyncDispose]();
    await node?.[Symbol.asyncDispose]();
  });

  test("it registers as it is told", async () => {
    const { spec, status } = await node.client.resource(Node).get(node.name);
    assert.ok(spec?.taints?.some(({ key, value, effect }) => `${key}=${value}:${effect}` === taintText()));
    assert.equal(spec?.providerID, CONFIGURATION.providerID);
    assert.equal(status?.capacity?.pods, "17");
    const of = (amounts: Record<string, string> | undefined, name: string): Quantity =>
      Quantity.parse(amounts?.[name] ?? "0");
    const reserved = of(status?.capacity, "memory").sub(of(status?.allocatable, "memory"));
    assert.equal(reserved.value(), (192 + 64 + 32) * MEBIBYTE);
    const cores = of(status?.capacity, "cpu").sub(of(status?.allocatable, "cpu"));
    assert.equal(cores.milliValue(), 100);
    const lease = await node.client.resource(Lease, "kube-node-lease").get(node.name);
    assert.equal(lease.spec?.leaseDurationSeconds, 80);
  });

  test("its kubelet shows the configuration that is in force", async () => {
    const text = await kubectl.ok(["get", "--raw", `/api/v1/nodes/${node.name}/proxy/configz`]);
    const { kubeletconfig } = JSON.parse(text) as { kubeletconfig: Record<string, unknown> };
    for (const [name, value] of Object.entries(CONFIGURATION)) assert.deepEqual(kubeletconfig[name], value);
    assert.equal(kubeletconfig.kind, "KubeletConfiguration");
    assert.equal(kubeletconfig.imageGCHighThresholdPercent, 85);
    assert.equal(kubeletconfig.evictionPressureTransitionPeriod, "5m0s");
  });

  test("its pods resolve names as it says, and get what it leaves them", async () => {
    const { metadata } = await node.client.resource(Pod, "default").create({
      metadata: { name: "configured", labels: { app: "configured" } },
      spec: {
        terminationGracePeriodSeconds: 0,
        containers: [{ name: "main", image: BUSYBOX, command: ["sleep", "1000"] }],
      },
    });
    await node.untilRunning("default", "app=configured");
    const tree = openCgroupTree();
    const group = `${node.layout.cgroupRoot}/kubepods`;
    const most = await tree?.read(`${group}/besteffort/pod${metadata.uid}`, "pids.max");
    assert.equal(most?.trim(), "77");
    const { status } = await node.client.resource(Node).get(node.name);
    const all = Quantity.parse(status?.capacity?.memory ?? "0").value();
    const memory = await tree?.read(group, tree.version === 1 ? "memory.limit_in_bytes" : "memory.max");
    assert.equal(Number(memory), all - (192 + 64) * MEBIBYTE, "what evicting begins at is theirs");
    const resolv = await kubectl.ok(["exec", "configured", "--", "cat", "/etc/resolv.conf"]);
    assert.match(resolv, /^nameserver 192\.0\.2\.53$/m);
    assert.match(resolv, /^search default\.svc\.example\.test svc\.example\.test example\.test/m);
  });
});

function taintText(): string {
  return `${TAINT.key}=${TAINT.value}:${TAINT.effect}`;
}
