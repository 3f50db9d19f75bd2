/** A node that is told how to run by a KubeletConfiguration. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { Lease } from "../../src/api/coordination/lease.ts";
import { Node } from "../../src/api/core/node.ts";
import { isPodReady } from "../../src/api/core/pod/state.ts";
import { Pod } from "../../src/api/core/pods.ts";
import { openCgroupTree } from "../../src/host/cgroups/cgroup-tree.ts";
import { Quantity } from "../../src/machinery/quantity/quantity.ts";
import { until } from "../scenario/until.ts";
import { type FakeLogind, startFakeLogind } from "./harness/fake-logind.ts";
import { type Kubectl, openKubectl } from "./harness/kubectl.ts";
import { cannotRunContainers, cannotRunDBus } from "./harness/machine.ts";
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
  shutdownGracePeriod: "1m30s",
  shutdownGracePeriodCriticalPods: "30s",
  providerID: "test://node",
};

describe("a node with a KubeletConfiguration", { skip: cannotRunContainers, timeout: 400_000 }, () => {
  let node: TestNode;
  let kubectl: Kubectl;
  let logind: FakeLogind | undefined;
  before(async () => {
    if (!cannotRunDBus) logind = await startFakeLogind();
    const environment = logind?.environment ?? {};
    node = await startTestNode({ kubeletConfiguration: CONFIGURATION, environment });
    kubectl = await openKubectl(node);
  });
  after(async () => {
    await kubectl?.[Symbol.asyncDispose]();
    await node?.[Symbol.asyncDispose]();
    await logind?.[Symbol.asyncDispose]();
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
    const leases = node.client.resource(Lease, "kube-node-lease");
    const lease = await until(leases, node.name, (one) => one !== undefined);
    assert.equal(lease?.spec?.leaseDurationSeconds, 80);
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

  test("before the machine is shut down it ends its pods, critical ones last, and takes no more", {
    skip: cannotRunDBus,
  }, async () => {
    const [held] = await logind!.locks(1);
    assert.equal(held, "held --what=shutdown --mode=delay --who=kubelet");
    const { client } = node;
    const [pods, critical] = [client.resource(Pod, "default"), client.resource(Pod, "kube-system")];
    await pods.create(pod("ordinary", { terminationGracePeriodSeconds: 60 }, "sleep 1"));
    await critical.create(pod("critical", { priorityClassName: "system-node-critical" }));
    const ready = (one: Pod | undefined): boolean => one !== undefined && isPodReady(one);
    await Promise.all([until(pods, "ordinary", ready), until(critical, "critical", ready)]);
    logind!.prepareForShutdown(true);
    await until(client.resource(Node), node.name, isShuttingDown);
    const late = { nodeName: node.name, tolerations: [{ operator: "Exists" }] };
    await pods.create(pod("late", late));
    const refused = await until(pods, "late", (one) => one?.status?.phase === "Failed");
    assert.equal(refused?.status?.reason, "NodeShutdown");
    const why = "Pod was rejected: Pod was rejected as the node is shutting down.";
    assert.equal(refused?.status?.message, why);
    assert.equal((await logind!.locks(2))[1], "released");
    // Told before the machine goes down.
    const [first, last] = [await pods.get("ordinary"), await critical.get("critical")];
    for (const { status } of [first, last]) {
      const message = "Pod was terminated in response to imminent node shutdown.";
      const { phase, reason, message: told, conditions = [] } = status!;
      assert.deepEqual([phase, reason, told], ["Failed", "Terminated", message]);
      const target = conditions.find(({ type }) => type === "DisruptionTarget");
      assert.deepEqual(
        [target?.status, target?.reason, target?.message],
        ["True", "TerminationByKubelet", message],
      );
    }
    assert.ok(endOf(first) <= endOf(last), `${endOf(first)} <= ${endOf(last)}`);
  });

  test("a shutdown that is cancelled leaves it as it was", { skip: cannotRunDBus }, async () => {
    logind!.prepareForShutdown(false);
    await until(node.client.resource(Node), node.name, (one) =>
      Boolean(one?.status?.conditions?.some(({ type, status }) => type === "Ready" && status === "True")),
    );
    assert.match((await logind!.locks(3))[2]!, /^held /);
    await node.client.resource(Pod, "default").create(pod("again", {}));
    await node.untilRunning("default", "app=again");
  });

  test("it holds a lock of a logind that is started anew", { skip: cannotRunDBus }, async () => {
    await logind!.restart();
    const [, , , again, released] = await logind!.locks(5);
    assert.match(again!, /^held /);
    assert.equal(released, "released");
  });

  test("a program that is killed in the middle of a shutdown goes on with it", {
    skip: cannotRunDBus,
  }, async () => {
    const pods = node.client.resource(Pod, "default");
    await pods.create(pod("slow", { terminationGracePeriodSeconds: 60 }, "sleep 3"));
    const before = await until(pods, "slow", (one) => one !== undefined && isPodReady(one));
    logind!.prepareForShutdown(true);
    await until(node.client.resource(Node), node.name, isShuttingDown);
    await node.crash();
    const ended = await until(pods, "slow", (one) => one?.status?.phase === "Failed");
    assert.equal(ended?.metadata.uid, before?.metadata.uid);
    assert.equal(ended?.status?.reason, "Terminated");
  });
});

function isShuttingDown(node: Node | undefined): boolean {
  const condition = node?.status?.conditions?.find(({ type }) => type === "Ready");
  return condition?.reason === "KubeletNotReady" && /node is shutting down/.test(condition.message ?? "");
}

/** Ends when it is told to, after `last`. */
function pod(name: string, spec: Partial<NonNullable<Pod["spec"]>>, last = "true") {
  const command = ["/bin/sh", "-c", `trap '${last}; exit 0' TERM; touch /ready; sleep 1000 & wait`];
  // Before that it would not end when it is told to.
  const readinessProbe = { exec: { command: ["cat", "/ready"] }, periodSeconds: 1, timeoutSeconds: 60 };
  return {
    metadata: { name, labels: { app: name } },
    spec: { containers: [{ name: "main", image: BUSYBOX, command, readinessProbe }], ...spec },
  };
}

function endOf({ status }: Pod): string {
  return status?.containerStatuses?.[0]?.state?.terminated?.finishedAt ?? "never";
}

function taintText(): string {
  return `${TAINT.key}=${TAINT.value}:${TAINT.effect}`;
}
