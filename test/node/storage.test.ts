/** Volumes as a cluster's users see them: claims, what the API holds, and a kubelet that dies in between. */
import assert from "node:assert/strict";
import { watch } from "node:fs";
import { access, readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { after, before, describe, test } from "node:test";
import {
  installLocalPathProvisioner,
  type LocalPathProvisioner,
  startLocalPathProvisioner,
} from "../../src/addons/local-path-provisioner/index.ts";
import { StatefulSet } from "../../src/api/apps/stateful-set.ts";
import { ConfigMap } from "../../src/api/core/config-map.ts";
import { PersistentVolume } from "../../src/api/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../../src/api/core/persistent-volume-claim.ts";
import { Pod } from "../../src/api/core/pod/pod.ts";
import { Secret } from "../../src/api/core/secret.ts";
import { Event } from "../../src/api/events/event.ts";
import { systemClock } from "../../src/base/clock.ts";
import { Informers } from "../../src/client/informer/informers.ts";
import { until } from "../scenario/until.ts";
import { cannotRunContainers } from "./harness/machine.ts";
import { BUSYBOX, startTestNode, type TestNode } from "./harness/test-node.ts";

/** Until what is asked is so, asked again after each change of the directory; as long as the test has. */
async function untilInside(directory: string, is: () => Promise<boolean>): Promise<void> {
  const changed = { happened: () => {} };
  const watcher = watch(directory, () => changed.happened());
  try {
    for (;;) {
      const again = new Promise<void>((resolve) => {
        changed.happened = resolve;
      });
      if (await is()) return;
      await again;
    }
  } finally {
    watcher.close();
  }
}

async function fileBecomes(path: string, is: (text: string) => boolean): Promise<string> {
  let text = "";
  await untilInside(dirname(path), async () => {
    text = await readFile(path, "utf8").catch(() => "");
    return is(text);
  });
  return text;
}

const SCRIPT = `
echo "$(hostname) $(id -u):$(id -g) $(cat /config/key)" >> /data/log
while true; do
  cat /config/key > /data/.new && mv /data/.new /data/seen
  sha256sum < /token/token > /data/.new && mv /data/.new /data/token
  sleep 0.2
done`;

function setOf(name: string) {
  const labels = { app: name };
  return {
    metadata: { name },
    spec: {
      serviceName: name,
      replicas: 1,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          terminationGracePeriodSeconds: 0,
          securityContext: { runAsUser: 1000, fsGroup: 2000 },
          containers: [
            {
              name: "main",
              image: BUSYBOX,
              command: ["/bin/sh", "-c", SCRIPT],
              volumeMounts: [
                { name: "data", mountPath: "/data" },
                { name: "config", mountPath: "/config" },
                { name: "token", mountPath: "/token" },
              ],
            },
          ],
          volumes: [
            { name: "config", configMap: { name: "config" } },
            { name: "token", projected: { sources: [{ serviceAccountToken: { path: "token" } }] } },
          ],
        },
      },
      volumeClaimTemplates: [
        {
          metadata: { name: "data" },
          spec: { accessModes: ["ReadWriteOnce"], resources: { requests: { storage: "10Mi" } } },
        },
      ],
    },
  } as never;
}

const isGone = (path: string): Promise<boolean> =>
  access(path).then(
    () => false,
    () => true,
  );

describe("storage of a node", { skip: cannotRunContainers, timeout: 460_000 }, () => {
  let node: TestNode;
  let informers: Informers;
  let provisioner: LocalPathProvisioner;

  before(async () => {
    node = await startTestNode();
    const { client, layout } = node;
    informers = new Informers({ client, clock: systemClock, random: Math.random });
    await installLocalPathProvisioner(client);
    provisioner = startLocalPathProvisioner({
      client,
      informers,
      events: { record: () => {} },
      clock: systemClock,
      directory: layout.storage,
      log: () => {},
    });
  });
  after(async () => {
    await provisioner?.stop();
    await informers?.stop();
    await node?.[Symbol.asyncDispose]();
  });

  test("a stateful set keeps its data from pod to pod, sees what changes, and leaves nothing when its claim goes", async () => {
    const { client, layout } = node;
    await client
      .resource(ConfigMap, "default")
      .create({ metadata: { name: "config" }, data: { key: "one\n" } });
    await client.resource(StatefulSet, "default").create(setOf("db"));
    const claims = client.resource(PersistentVolumeClaim, "default");
    const claim = await until(claims, "data-db-0", (object) => object?.status?.phase === "Bound");
    const volume = claim!.spec.volumeName!;
    const data = join(layout.storage, volume);
    const pods = client.resource(Pod, "default");
    const first = await until(pods, "db-0", (pod) => pod?.status?.phase === "Running");
    assert.equal(await fileBecomes(join(data, "seen"), (text) => text !== ""), "one\n");
    assert.equal(await readFile(join(data, "log"), "utf8"), "db-0 1000:0 one\n");

    await client
      .resource(ConfigMap, "default")
      .patch("config", { data: { key: "two\n" } }, { type: "merge" });
    await fileBecomes(join(data, "seen"), (text) => text === "two\n");

    // The kubelet dies, the container goes on, and what changes still reaches it.
    await node.crash();
    await client
      .resource(ConfigMap, "default")
      .patch("config", { data: { key: "three\n" } }, { type: "merge" });
    await fileBecomes(join(data, "seen"), (text) => text === "three\n");
    assert.equal((await readFile(join(data, "log"), "utf8")).split("\n").length, 2);

    await pods.delete("db-0");
    const isNext = (pod: Pod | undefined): boolean =>
      pod?.status?.phase === "Running" && pod.metadata.uid !== first!.metadata.uid;
    await until(pods, "db-0", isNext);
    await fileBecomes(join(data, "log"), (text) => text.endsWith("db-0 1000:0 three\n"));
    const directory = join(layout.kubelet.root, "pods");
    await untilInside(directory, () => isGone(join(directory, first!.metadata.uid!)));

    await client.resource(StatefulSet, "default").delete("db");
    await claims.delete("data-db-0");
    await until(client.resource(PersistentVolume), volume, (object) => object === undefined);
    assert.ok(await isGone(data));
  });

  test("a pod that waits for a Secret starts when it comes, and tells why it waits", async () => {
    const { client } = node;
    const pods = client.resource(Pod, "default");
    await pods.create({
      metadata: { name: "waits" },
      spec: {
        terminationGracePeriodSeconds: 0,
        containers: [{ name: "c", image: BUSYBOX, volumeMounts: [{ name: "s", mountPath: "/s" }] }],
        volumes: [{ name: "s", secret: { secretName: "late" } }],
      },
    } as never);
    const said = 'MountVolume.SetUp failed for volume "s" : secret "late" not found';
    await until(
      pods,
      "waits",
      (pod) => pod?.status?.containerStatuses?.[0]?.state?.waiting?.reason === "ContainerCreating",
    );
    for await (const { object } of client.resource(Event, "default").watch({
      fieldSelector: "involvedObject.name=waits,reason=FailedMount",
      sendInitialEvents: true,
      resourceVersionMatch: "NotOlderThan",
      allowWatchBookmarks: true,
    })) {
      if (object.message === said) break;
    }
    await client.resource(Secret, "default").create({ metadata: { name: "late" }, stringData: { a: "b" } });
    const running = await until(pods, "waits", (pod) => pod?.status?.phase === "Running");
    const uid = running!.metadata.uid!;
    const volumes = await readdir(join(node.layout.kubelet.root, "pods", uid, "volumes"));
    assert.deepEqual(volumes.sort(), ["kubernetes.io~projected", "kubernetes.io~secret"]);
    await pods.delete("waits");
    await until(pods, "waits", (pod) => pod === undefined);
  });
});
