import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { ImageError, PodError } from "../ports.ts";
import { type ContainerMountPorts, containerMounts } from "./container-mounts.ts";
import { imageRecords, imagesOfVolumes, writeImageRecord } from "./image-records.ts";
import { type ImageVolumePorts, ImageVolumes } from "./image-volume.ts";
import { podPaths } from "./pod-paths.ts";

interface World {
  /** What was asked of others, in turn. */
  said: string[];
  mounted: Set<string>;
  runtime: { name: string; version: string; config: string; images?: string };
  /** What pulling throws. */
  failure?: Error;
  mountFailure?: Error;
}

async function start(t: TestContext) {
  const root = await mkdtemp(join(tmpdir(), "image-volumes-"));
  t.after(() => rm(root, { recursive: true }));
  const config = JSON.stringify({ containerd: { snapshotter: "zfs" } });
  const world: World = {
    said: [],
    mounted: new Set(),
    runtime: { name: "containerd", version: "1.6.20", config },
  };
  const { said, mounted } = world;
  const within = (path: string): string => path.slice(root.length + 1);
  const ports = {
    runtime: {
      version: async () => ({ runtimeName: world.runtime.name, runtimeVersion: world.runtime.version }),
      status: async () => ({ info: new Map([["config", world.runtime.config]]) }),
      imageFsInfo: async () => {
        const mountpoint = world.runtime.images;
        return { imageFilesystems: mountpoint === undefined ? [] : [{ fsId: { mountpoint } }] };
      },
      imageStatus: async () => ({ image: { repoTags: ["a.io/b:1"], repoDigests: ["a.io/b@sha256:d"] } }),
    },
    images: {
      async ensure({ image, pullPolicy }: { image: string; pullPolicy: string }) {
        said.push(`ensure ${image} ${pullPolicy}`);
        if (world.failure) throw world.failure;
        return { imageRef: `sha256:${image}`, imageID: "" };
      },
    },
    mounts: {
      isMountPoint: async (path: string) => mounted.has(path),
      async mount({ type = "bind", source, target, options }: Record<string, string>) {
        if (world.mountFailure) throw world.mountFailure;
        said.push(`mount ${type} ${source} ${within(target!)} ${options}`);
        mounted.add(target!);
      },
      async unmountBelow(path: string) {
        said.push(`unmount ${within(path)}`);
        mounted.delete(path);
      },
    },
    views: {
      async open(key: string, { id, names }: { id: string; names: string[] }, snapshotter: string) {
        const recorded = [...(await imageRecords(paths)).keys()];
        said.push(`open ${key} ${id} ${names} ${snapshotter}, ${recorded} recorded`);
        const layers = [
          { type: "bind", source: "/s/1", target: "", options: ["ro", "rbind"] },
          { type: "overlay", source: "overlay", target: "", options: ["lowerdir=/s/2:/s/1"] },
        ];
        return [layers[Number(id.endsWith("many"))]];
      },
      async remove(key: string, snapshotter: string) {
        said.push(`remove ${key} ${snapshotter}`);
      },
      close: () => {},
    },
  } as unknown as ImageVolumePorts;
  const paths = podPaths(root, "u");
  const open = () => new ImageVolumes(ports);
  const volumes = open();
  const pull = (reference: string, { by = volumes, pullPolicy = "Always", name = "v" } = {}) =>
    by.pull({ pod: { metadata: {} } as never, paths, name, reference, pullPolicy });
  const show = async (reference: string, { by = volumes, pullPolicy = "Always", name = "v" } = {}) =>
    by.show({ paths, name, imageRef: await pull(reference, { by, pullPolicy, name }) });
  const target = paths.volume("kubernetes.io~image", "v");
  return { root, world, said, paths, target, volumes, open, pull, show };
}

const DIRECTORY = "pods/u/volumes/kubernetes.io~image/v";

test("an image volume is a mounted view of the image where the runtime mounts none", async (t) => {
  const { root, said, target, volumes, paths, pull, show, open } = await start(t);
  const [imageRef, same] = await Promise.all([pull("one"), pull("one")]);
  assert.deepEqual([imageRef, same], ["sha256:one", "sha256:one"]);
  for (let i = 0; i < 2; i++) {
    assert.deepEqual(await volumes.show({ paths, name: "v", imageRef }), { hostPath: target });
  }
  const once = [
    "ensure one Always",
    "open kybern-volume-u-v sha256:one a.io/b:1,a.io/b@sha256:d zfs, v recorded",
    `mount bind /s/1 ${DIRECTORY} ro`,
  ];
  assert.deepEqual(said, once);
  assert.deepEqual(await show("other", { by: open() }), { hostPath: target });
  assert.deepEqual(said, once, "another life of the kubelet leaves what is mounted as it is");
  await show("many", { name: "w", pullPolicy: "Never" });
  assert.equal(
    said.at(-1),
    "mount overlay overlay pods/u/volumes/kubernetes.io~image/w lowerdir=/s/2:/s/1,ro",
  );
  assert.deepEqual((await imagesOfVolumes(root)).sort(), ["sha256:many", "sha256:one"]);
});

test("an image volume is left to runtimes that mount images, which are in use by it", async (t) => {
  const { root, world, said, paths, volumes, show } = await start(t);
  for (const [name, version] of [
    ["containerd", "v2.2.0"],
    ["containerd", "2.2.1-rc.1"],
    ["containerd", "3.0.0"],
    ["cri-o", "1.31.0"],
  ] as const) {
    world.runtime = { name, version, config: "" };
    assert.deepEqual(await show(version), { image: `sha256:${version}` });
  }
  await show("3.0.0");
  assert.deepEqual(await imagesOfVolumes(root), [
    "sha256:v2.2.0",
    "sha256:2.2.1-rc.1",
    "sha256:3.0.0",
    "sha256:1.31.0",
  ]);
  said.length = 0;
  await volumes.plugin.tearDown?.(paths);
  assert.deepEqual(said, []);
  assert.deepEqual(await imagesOfVolumes(root), []);
  for (const version of ["1.6.20", "v1.7.27", "2.0.5", "2.1.9+unknown"]) {
    world.runtime = { name: "containerd", version, config: "{}" };
    world.mounted.clear();
    await show(version);
    assert.match(said.at(-2)!, / overlayfs, v recorded$/);
  }
});

test("an image volume is a view by the snapshotter whose directory images are in, where the runtime does not name it", async (t) => {
  const { world, said, show } = await start(t);
  for (const [images, snapshotter] of [
    ["/var/lib/containerd/io.containerd.snapshotter.v1.native", "native"],
    ["/var/lib/stargz", "overlayfs"],
  ] as const) {
    world.runtime = { name: "containerd", version: "2.1.9", config: '{"containerd":{}}', images };
    world.mounted.clear();
    await show("one");
    assert.match(said.at(-2)!, new RegExp(` ${snapshotter}, v recorded$`));
  }
});

test("tearing down unmounts image volumes, removes their views and forgets them", async (t) => {
  const { said, paths, show, open, root } = await start(t);
  await show("one");
  said.length = 0;
  const { plugin } = open();
  await plugin.tearDown?.(paths);
  await plugin.tearDown?.(paths);
  assert.deepEqual(said, [
    "unmount pods/u/volume-subpaths/v",
    `unmount ${DIRECTORY}`,
    "remove kybern-volume-u-v zfs",
  ]);
  assert.deepEqual(await imagesOfVolumes(root), []);
  await writeImageRecord(paths, "v", { imageIDs: ["sha256:one"], snapshotter: "zfs" });
  await plugin.tearDown?.(paths);
  assert.equal(said.at(-1), "remove kybern-volume-u-v zfs", "of a kubelet that ended before it mounted");
});

test("an image volume fails as its image does, and is asked for again", async (t) => {
  const { root, world, show, target } = await start(t);
  world.failure = new ImageError("ErrImagePull", "no such image");
  await assert.rejects(show("one"), world.failure);
  assert.deepEqual(await imagesOfVolumes(root), []);
  world.failure = undefined;
  world.mountFailure = new Error("mount: no");
  await assert.rejects(show("one"), (error: PodError) => {
    assert.ok(error instanceof PodError && !(error instanceof ImageError));
    assert.equal(error.reason, "CreateContainerError");
    assert.equal(error.message, 'failed to mount image volume "v": mount: no');
    return true;
  });
  world.mountFailure = undefined;
  assert.deepEqual(await show("one"), { hostPath: target });
});

test("containers get an image volume read-only, as a directory or as an image with its subPath", async () => {
  const volume = { hostPath: "", readOnly: true, image: { reference: "a.io/b:1", pullPolicy: "Always" } };
  const mountsOf = (showImage: ContainerMountPorts["showImage"], subPath?: string) =>
    containerMounts(
      { mounts: {} as never, showImage, canMountRecursivelyReadOnly: async () => false },
      podPaths("/root", "u"),
      { name: "c", volumeMounts: [{ name: "v", mountPath: "/v", subPath }] },
      new Map([["v", volume]]),
      new Map(),
    );
  assert.deepEqual(await mountsOf(async (name) => ({ image: `sha256:${name}` }), "a/b"), [
    { containerPath: "/v", image: { image: "sha256:v" }, imageSubPath: "a/b", readonly: true },
  ]);
  assert.deepEqual(await mountsOf(async () => ({ hostPath: "/view" })), [
    {
      ...{ containerPath: "/v", hostPath: "/view", readonly: true, propagation: 0, recursiveReadOnly: false },
      ...{ uidMappings: [], gidMappings: [] },
    },
  ]);
  const temporary = await mkdtemp(join(tmpdir(), "view-"));
  try {
    await assert.rejects(
      mountsOf(async () => ({ hostPath: temporary }), "absent/file"),
      {
        reason: "CreateContainerError",
        message:
          'failed to prepare subPath for volumeMount "v" of container "c": subpath "absent/file" does not exist',
      },
    );
  } finally {
    await rm(temporary, { recursive: true });
  }
});
