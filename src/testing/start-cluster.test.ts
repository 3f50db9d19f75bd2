import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { test } from "node:test";
import { promisify } from "node:util";
import { systemClock } from "../base/clock.ts";
import { openClient } from "../client/client.ts";
import { connectionOf } from "../client/kubeconfig/connection.ts";
import { HTTPSTransport } from "../client/transports/https-transport.ts";
import { ConfigMap, Namespace, Node, Pod, startCluster, VirtualClock } from "./index.ts";

const ENTRY = new URL("./index.ts", import.meta.url).href;

test("a cluster's process ends by itself once the cluster is stopped", async () => {
  for (const options of ["", "{ listen: true }", "{ controllers: false }", "{ scheduler: false }"]) {
    const program = `
      import { startCluster, Namespace } from ${JSON.stringify(ENTRY)};
      const cluster = await startCluster(${options});
      await cluster.client.resource(Namespace).create({ metadata: { name: "some" } });
      await cluster.stop();
      await cluster.stop();
      // The pipes are those of the process itself.
      const left = () => process.getActiveResourcesInfo().filter((name) => name !== "PipeWrap");
      process.once("beforeExit", () => console.log("ended", left().join()));
    `;
    const args = ["--input-type=module", "-e", program];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    assert.equal(stdout, "ended \n", options);
  }
});

test("a cluster takes pods in its default namespace from its first moment", async () => {
  await using cluster = await startCluster();
  const pod = await cluster.client
    .resource(Pod, "default")
    .create({ metadata: { name: "web" }, spec: { containers: [{ name: "web", image: "web:1" }] } });
  assert.equal(pod.spec?.serviceAccountName, "default");
  assert.equal(pod.status?.phase, "Pending");
});

test("a cluster gives a pod its node, unless its scheduler is off", async () => {
  for (const scheduler of [true, false]) {
    await using cluster = await startCluster({ clock: new VirtualClock(), scheduler });
    await cluster.client.resource(Node).create({
      metadata: { name: "first" },
      spec: {},
      status: {
        allocatable: { cpu: "1", memory: "1Gi", pods: "10" },
        conditions: [{ type: "Ready", status: "True" }],
      },
    });
    await cluster.settle();
    const pods = cluster.client.resource(Pod, "default");
    await pods.create({ metadata: { name: "web" }, spec: { containers: [{ name: "web", image: "web:1" }] } });
    await cluster.settle();
    const { spec, status } = await pods.get("web");
    assert.equal(spec?.nodeName, scheduler ? "first" : undefined);
    assert.equal(status?.conditions?.[0]?.status, scheduler ? "True" : undefined);
  }
});

test("clusters beside each other share nothing", async () => {
  await using first = await startCluster();
  await using second = await startCluster();
  await first.client.resource(ConfigMap, "default").create({ metadata: { name: "only-here" } });
  await assert.rejects(second.client.resource(ConfigMap, "default").get("only-here"), { reason: "NotFound" });
});

test("a cluster that listens is reached over HTTPS with its kubeconfig, and by nobody without", async () => {
  await using cluster = await startCluster({ listen: true });
  const connection = await connectionOf(cluster.kubeconfig);
  assert.equal(connection.server, cluster.url);
  const outside = openClient(new HTTPSTransport({ ...connection, clock: systemClock }));
  await outside.resource(Namespace).create({ metadata: { name: "outside" } });
  assert.equal((await cluster.client.resource(Namespace).get("outside")).status?.phase, "Active");
  await outside.close();
  const { server, ca } = connection;
  const stranger = openClient(new HTTPSTransport({ server, ca, clock: systemClock }));
  await assert.rejects(stranger.resource(Namespace).list(), { reason: "Unauthorized" });
  await stranger.close();
});

test("a watch that a test forgot ends with its cluster", async () => {
  const cluster = await startCluster();
  const watching = (async () => {
    let seen = 0;
    for await (const _ of cluster.client.resource(Namespace).watch({ resourceVersion: "0" })) {
      if (++seen === 4) await cluster.stop();
    }
    return seen;
  })();
  assert.equal(await watching, 4);
});

test("a cluster whose port is taken says so and leaves nothing behind", async () => {
  await using first = await startCluster({ listen: true });
  const port = Number(new URL(first.url).port);
  await assert.rejects(startCluster({ listen: true, port }), { code: "EADDRINUSE" });
});

test("a cluster on a clock of its own takes the time from it", async () => {
  const clock = new VirtualClock(Date.parse("2031-02-03T04:05:06Z"));
  await using cluster = await startCluster({ clock });
  clock.advance(1000);
  const map = await cluster.client.resource(ConfigMap, "default").create({ metadata: { name: "late" } });
  assert.equal(map.metadata.creationTimestamp, "2031-02-03T04:05:07Z");
});
