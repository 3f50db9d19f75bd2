/** Image volumes on a runtime that mounts no images itself. */
import assert from "node:assert/strict";
import { join } from "node:path";
import test from "node:test";
import { Pod } from "../../src/api/core/pod/pod.ts";
import { hasPodEnded, isPodReady } from "../../src/api/core/pod/state.ts";
import type { Container, Volume } from "../../src/api/schema/core.v1.generated.ts";
import { connectContainerd, method } from "../../src/host/containerd/containerd-api.ts";
import { message, repeated, string } from "../../src/host/grpc/messages.ts";
import { mountsBelow } from "../../src/host/mounts/mount-table.ts";
import { openMounts } from "../../src/host/mounts/mounts.ts";
import { makeImage } from "../../src/host/oci/image.ts";
import type { TarEntry } from "../../src/host/oci/tar.ts";
import { openContainerRuntime } from "../../src/kubelet/runtime/container-runtime.ts";
import { imagesOfVolumes } from "../../src/kubelet/volumes/image-records.ts";
import { startNode } from "./harness/kubelet.ts";
import { cannotRunContainers as skip } from "./harness/machine.ts";
import { startRegistry } from "./harness/registry.ts";
import { untilRemoved } from "./harness/until-there.ts";

const file = (path: string, text = path): TarEntry => ({ path, mode: 0o644, content: Buffer.from(text) });
const ONE = "localhost/one:1";
const MANY = "localhost/many:1";
const EMPTY = "localhost/empty:1";
/** More than fit in a page of mount options in full, and more than the newer way to mount takes in any form. */
const LAYERS = 60;

const IMAGES = [
  makeImage({ name: ONE, layers: [[file("dir/file", "one\n"), file("other")]] }),
  makeImage({
    name: MANY,
    layers: Array.from({ length: LAYERS }, (_, i) => [file(`f${i}`), file("last", `${i}\n`)]),
  }),
  makeImage({ name: EMPTY, layers: [] }),
];

const volume = (name: string, reference: string, pullPolicy = "Never"): Volume => ({
  name,
  image: { reference, pullPolicy },
});

const shell = (line: string, more: Partial<Container> = {}): Container => ({
  name: "main",
  image: "localhost/busybox:1",
  command: ["/bin/sh", "-c", line],
  ...more,
});

const SLEEP = "trap 'exit 0' TERM; sleep 3600 & wait";

const idOf = ({ status }: Pod): string =>
  status?.containerStatuses?.find(({ name }) => name === "main")?.containerID?.split("//")[1] ?? "";

const Listed = message({ info: repeated(1, message({ name: string(1) })) });

/** The keys of views in containerd. */
async function views(socket: string): Promise<string[]> {
  const client = connectContainerd(socket);
  const names: string[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const stream = await client.stream(method("snapshots.v1.Snapshots/List"), {
    message: (bytes) => names.push(...Listed.decode(bytes).info.map(({ name }) => name)),
    ended: (error) => (error ? reject(error) : resolve()),
  });
  stream.send(message({ snapshotter: string(1) }).encode({ snapshotter: "overlayfs" }));
  stream.finish();
  await promise.finally(() => client.close());
  return names.filter((name) => name.startsWith("kybern-"));
}

test("image volumes", { skip, timeout: 300_000 }, async (t) => {
  const node = await startNode(t);
  const { containerd, paths } = node;
  for (const image of IMAGES) await containerd.addImage(image);
  const pods = node.cluster.client.resource(Pod, "default");
  /** Where they are mounted, the views of containerd, and the images in use by them. */
  const left = async (): Promise<string[][]> => [
    mountsBelow(await openMounts().table(), paths.root).flatMap(({ target }) =>
      target.includes("~image") ? target : [],
    ),
    await views(containerd.socket),
    await imagesOfVolumes(paths.root),
  ];
  const nothing = [[], [], []];

  await t.test("show images of no, one and many layers, and parts of them, to be read alone", async () => {
    const volumes = [volume("one", ONE), volume("many", MANY), volume("empty", EMPTY)];
    const volumeMounts = [
      ...volumes.map(({ name }) => ({ name, mountPath: `/${name}` })),
      { name: "one", mountPath: "/sub", subPathExpr: "$(PART)" },
      { name: "one", mountPath: "/etc/file", subPath: "dir/file" },
    ];
    const line = `cat /one/dir/file /sub/file /etc/file /many/last; ls /many | wc -l; ls /empty | wc -l
      for at in one many empty sub; do touch /$at/new 2>/dev/null || echo cannot; done; echo done`;
    const env = [{ name: "PART", value: "dir" }];
    const init = shell("cat /one/other", { name: "init", volumeMounts });
    await node.run("layers", {
      restartPolicy: "Never",
      initContainers: [{ ...init, env }],
      containers: [shell(line, { volumeMounts, env })],
      volumes,
    });
    const layers = await node.pod("layers", hasPodEnded);
    assert.equal(layers.status?.phase, "Succeeded", JSON.stringify(layers.status));
    const log = await node.log(layers, "main", (text) => text.endsWith("done\n"));
    const figures = [String(LAYERS - 1), String(LAYERS + 1), "0"];
    const lines = ["one", "one", "one", ...figures, ...Array(4).fill("cannot"), "done"];
    assert.deepEqual(log.trimEnd().split(/\s+/), lines);
    await pods.delete("layers");
    await node.gone("layers");
  });

  await t.test("are pulled with the reasons and events of images", async (t) => {
    const registry = await startRegistry({
      images: { web: IMAGES[0]! },
      silent: "silent",
      registries: join(containerd.directory, "registries"),
    });
    t.after(() => registry[Symbol.asyncDispose]());
    const waiting = (reason: string) => (pod: Pod) =>
      pod.status?.containerStatuses?.[0]?.state?.waiting?.reason === reason;
    const run = (name: string, reference: string, pullPolicy: string, subPath?: string) =>
      node.run(name, {
        containers: [shell(SLEEP, { volumeMounts: [{ name: "v", mountPath: "/v", subPath }] })],
        volumes: [volume("v", reference, pullPolicy)],
      });
    const absent = `${registry.host}/absent:1`;
    // As it is told first, and then until the image is asked for again.
    const reasons = ["ErrImagePull", "ImagePullBackOff"].map((reason) => node.pod("absent", waiting(reason)));
    await run("never", absent, "Never");
    await run("absent", absent, "IfNotPresent");
    await run("part", ONE, "IfNotPresent", "absent");
    await run("pulled", `${registry.host}/web:1`, "Always");
    const messageOf = async (name: string, reason: string): Promise<string | undefined> =>
      (await node.pod(name, waiting(reason))).status?.containerStatuses?.[0]?.state?.waiting?.message;
    const message = `Container image "${absent}" is not present with pull policy of Never`;
    assert.equal(await messageOf("never", "ErrImageNeverPull"), message);
    await node.event("never", "ErrImageNeverPull", message);
    await node.event("never", "Failed", "Error: ErrImageNeverPull");
    assert.match((await messageOf("part", "CreateContainerError")) ?? "", /subpath "absent" does not exist$/);
    await node.pod("pulled", isPodReady);
    await node.event("pulled", "Pulling", `Pulling image "${registry.host}/web:1"`);
    await Promise.all(reasons);
    await node.event("absent", "Failed", "Error: ErrImagePull");
    const names = ["never", "absent", "part", "pulled"];
    for (const name of names) await pods.delete(name);
    for (const name of names) await node.gone(name);
    assert.deepEqual(await left(), nothing);
    const silent = `${registry.host}/silent:1`;
    await run("silent", silent, "Always");
    await node.event("silent", "Pulling", `Pulling image "${silent}"`);
    await pods.delete("silent");
    await node.gone("silent");
  });

  await t.test("stay for their pod without the kubelet and without the image, and go with it", async () => {
    const volumeMounts = [{ name: "v", mountPath: "/v" }];
    const both = ["main", "other"].map((name) => shell(SLEEP, { name, volumeMounts }));
    await node.run("stays", { containers: both, volumes: [volume("v", MANY, "IfNotPresent")] });
    const before = await node.pod("stays", isPodReady);
    const uid = before.metadata.uid!;
    const id = IMAGES[1]!.config.descriptor.digest;
    const here = [
      [join(paths.root, `pods/${uid}/volumes/kubernetes.io~image/v`)],
      [`kybern-volume-${uid}-v`],
      [id],
    ];
    assert.deepEqual(await left(), here);
    await node.restart();
    const runtime = openContainerRuntime(containerd.socket);
    t.after(() => runtime.close());
    await runtime.removeImage({ image: { image: id } });
    await runtime.stopContainer({ containerId: idOf(before), timeout: 0 });
    const after = await node.pod("stays", (pod) => isPodReady(pod) && idOf(pod) !== idOf(before));
    const { stdout } = await runtime.execSync({ containerId: idOf(after), cmd: ["cat", "/v/last", "/v/f0"] });
    assert.equal(stdout.toString(), `${LAYERS - 1}\nf0`);
    assert.deepEqual(await left(), here);
    await node.restart(async () => {
      await pods.delete("stays", { gracePeriodSeconds: 0 });
      await node.gone("stays");
      assert.deepEqual(await left(), here);
    });
    await untilRemoved(join(paths.root, "pods", uid));
    assert.deepEqual(await left(), nothing);
  });
});
