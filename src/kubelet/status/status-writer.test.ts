import assert from "node:assert/strict";
import test from "node:test";
import { Pod } from "../../api/core/pod/pod.ts";
import type { PodStatus } from "../../api/schema/core.v1.generated.ts";
import { VirtualClock } from "../../base/clock.ts";
import type { Client } from "../../client/client.ts";
import { conflict, notFound } from "../../machinery/status/status-error.ts";
import { startCluster } from "../../testing/start-cluster.ts";
import { StatusWriter, statusChanges } from "./status-writer.ts";

const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("statusChanges is nothing where nothing differs", () => {
  const status: PodStatus = { phase: "Running", podIPs: [{ ip: "10.0.0.1" }], containerStatuses: [] };
  assert.equal(statusChanges(status, { ...status, containerStatuses: undefined }), undefined);
});

test("statusChanges sends what differs, whole lists in place of the old, and no condition of others", () => {
  const before: PodStatus = {
    phase: "Pending",
    reason: "Old",
    podIPs: [{ ip: "10.0.0.1" }],
    nominatedNodeName: "n",
    conditions: [
      { type: "Ready", status: "False", reason: "X" },
      { type: "Other", status: "True" },
      { type: "PodResizePending", status: "True" },
    ],
  };
  const wanted: PodStatus = {
    phase: "Running",
    podIPs: [{ ip: "10.0.0.2" }],
    conditions: [
      { type: "Ready", status: "True" },
      { type: "Other", status: "True" },
    ],
  };
  assert.deepEqual(statusChanges(before, wanted), {
    phase: "Running",
    reason: null,
    podIPs: [{ ip: "10.0.0.2" }, { $patch: "replace" }],
    conditions: [
      { type: "Ready", status: "True", reason: null, message: null },
      { $patch: "delete", type: "PodResizePending" },
    ],
  });
});

test("StatusWriter writes what the server then has, and leaves what others wrote", async () => {
  await using cluster = await startCluster({ scheduler: false });
  const pods = cluster.client.resource(Pod, "default");
  const created = await pods.create({
    metadata: { name: "p" },
    spec: { containers: [{ name: "a", image: "b" }] },
  });
  const gate = { type: "example.com/gate", status: "True" };
  await pods.patch("p", { status: { conditions: [gate] } }, { type: "strategic", subresource: "status" });
  const writer = new StatusWriter({
    client: cluster.client,
    clock: cluster.clock,
    failed: (_, error) => assert.fail(String(error)),
  });
  const resizing = { type: "PodResizeInProgress", status: "True" };
  const ips = (...list: string[]) => ({ podIP: list[0] as string, podIPs: list.map((ip) => ({ ip })) });
  writer.set(created, { phase: "Pending", ...ips("10.0.0.1", "fd00::1"), conditions: [resizing] });
  writer.set(created, { phase: "Running", ...ips("10.0.0.1", "fd00::1"), conditions: [resizing] });
  await writer.flushed(created.metadata.uid ?? "");
  writer.set(created, { phase: "Running", ...ips("10.0.0.2"), conditions: [] });
  await writer.flushed(created.metadata.uid ?? "");
  const { status } = await pods.get("p");
  assert.equal(status?.phase, "Running");
  assert.deepEqual(status?.podIPs, [{ ip: "10.0.0.2" }]);
  assert.deepEqual(
    status?.conditions?.map(({ type }) => type),
    ["example.com/gate"],
  );
});

test("StatusWriter never writes to another pod of the same name", async () => {
  await using cluster = await startCluster({ scheduler: false });
  const pods = cluster.client.resource(Pod, "default");
  const spec = { containers: [{ name: "a", image: "b" }] };
  const first = await pods.create({ metadata: { name: "p" }, spec });
  await pods.delete("p");
  await pods.create({ metadata: { name: "p" }, spec });
  const writer = new StatusWriter({ client: cluster.client, clock: cluster.clock, failed: () => {} });
  writer.set(first, { phase: "Failed" });
  await writer.flushed(first.metadata.uid ?? "");
  assert.equal((await pods.get("p")).status?.phase, "Pending");
});

function faulty(failures: Error[], answered?: PodStatus) {
  const clock = new VirtualClock();
  const sent: PodStatus[] = [];
  let told = 0;
  const client = {
    resource: () => ({
      async patch(_: string, { status }: { status: PodStatus }) {
        const failure = failures.shift();
        if (failure) throw failure;
        sent.push(status);
        return { metadata: { uid: "u", resourceVersion: "2" }, status: answered ?? status };
      },
    }),
  } as unknown as Client;
  const writer = new StatusWriter({ client, clock, failed: () => told++ });
  const pod: Pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "p", uid: "u", resourceVersion: "1" } };
  return { clock, sent, writer, pod, told: () => told };
}

test("StatusWriter writes once what the server will not have", async () => {
  const { sent, writer, pod } = faulty([], { phase: "Pending" });
  writer.set(pod, { phase: "Running" });
  await writer.flushed("u");
  assert.deepEqual(sent, [{ phase: "Running" }]);
});

test("StatusWriter tries again what failed, by then with the newest status", async () => {
  const { clock, sent, writer, pod, told } = faulty([new Error("away"), new Error("away")]);
  writer.set(pod, { phase: "Pending" });
  await settle();
  writer.set(pod, { phase: "Running" });
  clock.advance(100);
  await settle();
  clock.advance(200);
  await writer.flushed("u");
  assert.deepEqual([sent, told()], [[{ phase: "Running" }], 2]);
});

test("StatusWriter writes what follows soon in the place of what it holds, and what it holds where nothing follows", async () => {
  const { clock, sent, writer, pod } = faulty([]);
  writer.set(pod, { phase: "Pending" });
  writer.set(pod, { phase: "Pending", podIP: "10.0.0.1" }, 200);
  await settle();
  assert.deepEqual(sent.splice(0), [{ phase: "Pending" }]);
  writer.set(pod, { phase: "Running", podIP: "10.0.0.1" });
  await settle();
  assert.deepEqual(sent.splice(0), [{ phase: "Running", podIP: "10.0.0.1" }]);
  writer.set(pod, { phase: "Running", podIP: "10.0.0.2" }, 200);
  clock.advance(199);
  await settle();
  assert.deepEqual(sent, []);
  clock.advance(1);
  await settle();
  assert.deepEqual(sent, [{ podIP: "10.0.0.2" }]);
});

test("StatusWriter gives up on a pod that is gone", async () => {
  for (const failure of [
    notFound({ group: "", resource: "pods" }, "p"),
    conflict({ group: "", resource: "pods" }, "p", "uid"),
  ]) {
    const { clock, sent, writer, pod, told } = faulty([failure]);
    writer.set(pod, { phase: "Pending" });
    await writer.flushed("u");
    writer.set(pod, { phase: "Running" });
    await writer.flushed("u");
    assert.deepEqual([sent, told(), clock.pending], [[], 0, 0]);
  }
});
