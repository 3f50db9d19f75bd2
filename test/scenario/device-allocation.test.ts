/** Pods get the devices that their claims ask for, and wait where there are none left. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { podCondition } from "../../src/api/core/pod/state.ts";
import { Pod } from "../../src/api/core/pods.ts";
import { DeviceClass } from "../../src/api/resource/device-class.ts";
import { ResourceClaim } from "../../src/api/resource/resource-claim.ts";
import { ResourceClaimTemplate } from "../../src/api/resource/resource-claim-template.ts";
import { ResourceSlice } from "../../src/api/resource/resource-slice.ts";
import { startCluster, VirtualClock } from "../../src/testing/index.ts";

const DRIVER = "gpu.example.com";

test("pods get devices by claims made for them, and the next waits until one comes free", async () => {
  await using cluster = await startCluster({ clock: new VirtualClock(), nodes: 2 });
  const { client } = cluster;
  const pods = client.resource(Pod, "default");
  const claims = client.resource(ResourceClaim, "default");
  const expression = `device.driver == "${DRIVER}"`;
  await client
    .resource(DeviceClass)
    .create({ metadata: { name: "gpu" }, spec: { selectors: [{ cel: { expression } }] } });
  const [node] = cluster.simulation.nodes.keys();
  await client.resource(ResourceSlice).create({
    metadata: { name: "slice" },
    spec: {
      driver: DRIVER,
      nodeName: node,
      pool: { name: "pool", generation: 1, resourceSliceCount: 1 },
      devices: [{ name: "gpu-0" }],
    },
  });
  const devices = { requests: [{ name: "gpu", exactly: { deviceClassName: "gpu" } }] };
  await client
    .resource(ResourceClaimTemplate, "default")
    .create({ metadata: { name: "gpu" }, spec: { spec: { devices } } });
  const create = (name: string) =>
    pods.create({
      metadata: { name },
      spec: {
        restartPolicy: "Never",
        containers: [{ name: "main", image: "web:1" }],
        resourceClaims: [{ name: "gpu", resourceClaimTemplateName: "gpu" }],
      },
    });
  await create("first");
  await cluster.run({ until: async () => (await pods.get("first")).status?.phase === "Running" });
  assert.equal((await pods.get("first")).spec?.nodeName, node);
  const [claim] = (await claims.list()).items;
  assert.deepEqual(
    claim?.status?.allocation?.devices?.results?.map(({ driver, pool, device }) => [driver, pool, device]),
    [[DRIVER, "pool", "gpu-0"]],
  );
  assert.deepEqual(
    claim?.status?.reservedFor?.map(({ name }) => name),
    ["first"],
  );
  await create("second");
  const message = async () => podCondition(await pods.get("second"), "PodScheduled")?.message;
  await cluster.run({ until: async () => (await message())?.includes("cannot allocate") ?? false });
  assert.equal(
    await message(),
    "0/2 nodes are available: 2 cannot allocate all claims. still not schedulable, preemption: 0/2 nodes are available: 2 Preemption is not helpful for scheduling.",
  );
  await pods.delete("first", { gracePeriodSeconds: 0 });
  await cluster.run({ until: async () => (await pods.get("second")).status?.phase === "Running" });
});
