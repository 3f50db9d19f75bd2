import assert from "node:assert/strict";
import { mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import type { Secret } from "../../api/core/secret.ts";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import { VirtualClock } from "../../base/clock.ts";
import { GrpcError } from "../../host/grpc/grpc-client.ts";
import type { PodObjects } from "../objects/pod-objects.ts";
import { PodError } from "../ports.ts";
import type { Image } from "../runtime/cri/images.ts";
import type { GarbageSettings } from "./image-garbage.ts";
import { createImageManager, type ImageManagerOptions } from "./image-manager.ts";

const GARBAGE: GarbageSettings = {
  highThresholdPercent: 85,
  lowThresholdPercent: 80,
  minimumAgeMs: 120_000,
  maximumAgeMs: 0,
};

interface Registry {
  size: number;
  /** `user:password`; absent: for everyone. */
  password?: string;
}

const POD: Pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "web", namespace: "default", uid: "u1" },
  spec: { containers: [{ name: "c", image: "web" }] },
};

async function start(
  t: { after(f: () => Promise<void>): void },
  settings: Partial<ImageManagerOptions["settings"]> = {},
) {
  const directory = await mkdtemp(join(tmpdir(), "images-"));
  t.after(() => rm(directory, { recursive: true }));
  const registry = new Map<string, Registry>();
  const images = new Map<string, Image>();
  const secrets = new Map<string, Secret>();
  const used: string[] = [];
  const ofVolumes: string[] = [];
  const events: string[] = [];
  const clock = new VirtualClock();
  const disk = { capacity: 1000, available: 1000 };
  let pulls = 0;
  const runtime = {
    async imageStatus({ image }: { image?: { image?: string } }) {
      const name = image?.image ?? "";
      return {
        image: images.get(name) ?? [...images.values()].find(({ id }) => id === name),
        info: new Map(),
      };
    },
    async pullImage({
      image,
      auth,
    }: {
      image?: { image?: string };
      auth?: { username?: string; password?: string };
    }) {
      pulls++;
      clock.advance(1500);
      const name = image?.image ?? "";
      const found = registry.get(name);
      const given = auth ? `${auth.username}:${auth.password}` : undefined;
      if (!found) throw new GrpcError(5, `failed to resolve ${name}: not found`);
      if (found.password && found.password !== given)
        throw new GrpcError(2, `authorization failed for ${name}`);
      const one = {
        id: `sha256:${name}`,
        repoTags: [name],
        repoDigests: [`${name}@sha256:1`],
        size: found.size,
      };
      images.set(name, { ...one, uid: undefined, username: "", spec: undefined, pinned: false });
      return { imageRef: one.id };
    },
    listImages: async () => ({ images: [...images.values()] }),
    async removeImage({ image }: { image?: { image?: string } }) {
      for (const [name, { id, size }] of images) {
        if (id !== image?.image) continue;
        images.delete(name);
        disk.available += size;
      }
      return {};
    },
    imageFsInfo: async () => ({
      imageFilesystems: [
        { timestamp: 0, fsId: { mountpoint: "/images" }, usedBytes: undefined, inodesUsed: undefined },
      ],
      containerFilesystems: [],
    }),
    listContainers: async () => ({ containers: used.map((imageRef) => ({ imageRef, imageId: "" })) }),
  } as unknown as ImageManagerOptions["runtime"];
  const objects = {
    get: async (_uid: string, _resource: unknown, _namespace: string, name: string) => secrets.get(name),
  } as unknown as PodObjects;
  const open = () =>
    createImageManager({
      runtime,
      objects,
      events: { record: (object, type, reason, note) => events.push(said(object, type, reason, note)) },
      node: { kind: "Node", name: "n" },
      clock,
      directory,
      imagesOfVolumes: async () => ofVolumes,
      settings: {
        maxParallelPulls: 1,
        garbage: GARBAGE,
        verification: "NeverVerifyPreloadedImages",
        ...settings,
      },
      diskOf: async () => disk,
    });
  const manager = open();
  const ensure = (image: string, pullPolicy = "IfNotPresent", pod = POD) =>
    manager.ensure({ pod, image, pullPolicy, container: pod.spec?.containers[0], sandboxConfig: {} });
  const addSecret = (name: string, password: string, auths = ["a.io"]): void => {
    const auth = Buffer.from(password).toString("base64");
    const text = JSON.stringify({ auths: Object.fromEntries(auths.map((at) => [at, { auth }])) });
    secrets.set(name, {
      apiVersion: "v1",
      kind: "Secret",
      metadata: { name, namespace: "default", uid: `uid-${name}` },
      type: "kubernetes.io/dockerconfigjson",
      data: { ".dockerconfigjson": Buffer.from(text).toString("base64") },
    });
  };
  return {
    registry,
    images,
    used,
    ofVolumes,
    events,
    clock,
    disk,
    ensure,
    manager,
    open,
    addSecret,
    directory,
    pulls: () => pulls,
  };
}

function said(object: object, type: string, reason: string, note: string): string {
  const { fieldPath } = object as { fieldPath?: string };
  return `${type} ${reason} ${fieldPath ?? ""}: ${note}`;
}

function withSecrets(...names: string[]): Pod {
  return {
    ...POD,
    spec: { containers: POD.spec?.containers ?? [], imagePullSecrets: names.map((name) => ({ name })) },
  };
}

const refused = (reason: string, message: string | RegExp) => (error: unknown) => {
  assert.ok(error instanceof PodError);
  assert.equal(error.reason, reason);
  if (typeof message === "string") assert.equal(error.message, message);
  else assert.match(error.message, message);
  return true;
};

test("ImageManager pulls what is missing, and tells how long it took", async (t) => {
  const { registry, ensure, events } = await start(t);
  registry.set("web:latest", { size: 4096 });
  assert.deepEqual(await ensure("web"), { imageRef: "sha256:web:latest", imageID: "web:latest@sha256:1" });
  assert.deepEqual(events, [
    'Normal Pulling spec.containers{c}: Pulling image "web:latest"',
    'Normal Pulled spec.containers{c}: Successfully pulled image "web:latest" in 1.5s (1.5s including waiting). Image size: 4096 bytes.',
  ]);
});

test("ImageManager pulls one image at a time, and counts the waiting", async (t) => {
  const { registry, ensure, events } = await start(t);
  registry.set("a:1", { size: 1 });
  registry.set("b:1", { size: 1 });
  await Promise.all([ensure("a:1"), ensure("b:1")]);
  assert.match(events.at(-1) ?? "", /image "b:1" in 1\.5s \(3s including waiting\)/);
});

test("ImageManager asks registries no faster than it is told", async (t) => {
  const { registry, ensure, events, clock, pulls } = await start(t, { rate: { perSecond: 0.1, burst: 1 } });
  registry.set("a:1", { size: 1 });
  registry.set("b:1", { size: 1 });
  await ensure("a:1");
  await assert.rejects(ensure("b:1"), refused("ErrImagePull", "pull QPS exceeded"));
  assert.equal(pulls(), 1);
  assert.ok(
    events.includes('Warning Failed spec.containers{c}: Failed to pull image "b:1": pull QPS exceeded'),
  );
  clock.advance(10_000);
  await ensure("b:1");
  assert.equal(pulls(), 2);
});

test("ImageManager asks the registry as the policy says", async (t) => {
  const { registry, ensure, events, pulls } = await start(t);
  registry.set("web:latest", { size: 1 });
  const absent = 'Container image "web" is not present with pull policy of Never';
  await assert.rejects(ensure("web", "Never"), refused("ErrImageNeverPull", absent));
  assert.equal(pulls(), 0);
  await ensure("web");
  await ensure("web", "Never");
  await ensure("web");
  assert.equal(pulls(), 1);
  await ensure("web", "Always");
  assert.equal(pulls(), 2);
  assert.equal(events[0], `Warning ErrImageNeverPull spec.containers{c}: ${absent}`);
  assert.equal(
    events[4],
    'Normal Pulled spec.containers{c}: Container image "web" already present on machine and can be accessed by the pod',
  );
});

test("ImageManager backs off from 10 seconds to 5 minutes, for each pod", async (t) => {
  const { registry, ensure, events, clock, pulls } = await start(t);
  const why = "rpc error: code = NotFound desc = failed to resolve web:latest: not found";
  await assert.rejects(ensure("web"), refused("ErrImagePull", why));
  const back = `Back-off pulling image "web:latest": ErrImagePull: ${why}`;
  await assert.rejects(ensure("web"), refused("ImagePullBackOff", back));
  assert.deepEqual(events.slice(1), [
    `Warning Failed spec.containers{c}: Failed to pull image "web:latest": ${why}`,
    "Warning Failed spec.containers{c}: Error: ErrImagePull",
    'Normal BackOff spec.containers{c}: Back-off pulling image "web:latest"',
    "Warning Failed spec.containers{c}: Error: ImagePullBackOff",
  ]);
  for (const seconds of [10, 20, 40, 80, 160, 300, 300]) {
    clock.advance(seconds * 1000 - 1);
    await assert.rejects(ensure("web"), refused("ImagePullBackOff", back));
    clock.advance(1);
    await assert.rejects(ensure("web"), refused("ErrImagePull", why));
  }
  await assert.rejects(
    ensure("web", "Always", { ...POD, metadata: { uid: "u2" } }),
    refused("ErrImagePull", why),
  );
  registry.set("web:latest", { size: 1 });
  clock.advance(300_000);
  await ensure("web");
  assert.equal(pulls(), 10);
});

test("ImageManager says what is wrong with a name", async (t) => {
  const { ensure, pulls } = await start(t);
  const why = `couldn't parse image name "web:a:b": invalid reference format`;
  await assert.rejects(
    ensure("web:a:b"),
    refused("InvalidImageName", `Failed to apply default image tag "web:a:b": ${why}`),
  );
  assert.equal(pulls(), 0);
});

test("ImageManager tries all credentials that fit", async (t) => {
  const { registry, ensure, addSecret, events } = await start(t);
  registry.set("a.io/web:1", { size: 1, password: "me:right" });
  addSecret("wrong", "me:wrong", ["a.io/web"]);
  addSecret("right", "me:right");
  await assert.rejects(ensure("a.io/web:1", "Always"), refused("ErrImagePull", /authorization failed/));
  const pod = { ...withSecrets("wrong", "right", "missing"), metadata: { ...POD.metadata, uid: "u2" } };
  await ensure("a.io/web:1", "Always", pod);
  assert.ok(
    events.includes(
      "Warning FailedToRetrieveImagePullSecret : Unable to retrieve some image pull secrets (missing); attempting to pull the image may not succeed.",
    ),
  );
});

test("ImageManager lets only pods with credentials use what was pulled with them", async (t) => {
  const { registry, ensure, addSecret, pulls, open, directory } = await start(t);
  registry.set("a.io/web:1", { size: 1, password: "me:right" });
  addSecret("right", "me:right");
  addSecret("copy", "me:right");
  await ensure("a.io/web:1", "IfNotPresent", withSecrets("right"));
  await ensure("a.io/web:1", "IfNotPresent", withSecrets("right"));
  await ensure("a.io/web:1", "Never", withSecrets("copy"));
  assert.equal(pulls(), 1);
  await assert.rejects(ensure("a.io/web:1"), refused("ErrImagePull", /authorization failed/));
  await assert.rejects(
    open().ensure({ pod: POD, image: "a.io/web:1", pullPolicy: "Never", sandboxConfig: {} }),
    refused("ErrImageNeverPull", /does not have the proper auth/),
  );
  assert.equal((await readdir(join(directory, "pulled"))).length, 1);
  assert.deepEqual(await readdir(join(directory, "pulling")), []);
});

test("ImageManager lets all pods use what was there before it, or pulled without credentials", async (t) => {
  const { registry, images, ensure, addSecret, pulls } = await start(t);
  addSecret("right", "me:right");
  registry.set("a.io/web:1", { size: 1 });
  await ensure("a.io/web:1");
  images.set("old:1", { ...images.get("a.io/web:1")!, id: "sha256:old" });
  await ensure("old:1");
  await ensure("a.io/web:1", "IfNotPresent", withSecrets("right"));
  assert.equal(pulls(), 1);
});

test("ImageManager tells at most 50 images, the largest first", async (t) => {
  const { registry, ensure, manager } = await start(t);
  for (let i = 1; i <= 51; i++) {
    registry.set(`web:${i}`, { size: i });
    await ensure(`web:${i}`);
  }
  const images = await manager.images();
  assert.equal(images.length, 50);
  assert.deepEqual(images[0], { names: ["web:51@sha256:1", "web:51"], sizeBytes: 51 });
});

test("ImageManager removes unused images where the disk is full, and says when they do not suffice", async (t) => {
  const { registry, ensure, manager, images, used, ofVolumes, disk, clock, events } = await start(t);
  await manager.collectGarbage();
  for (const name of ["a:1", "b:1", "c:1", "d:1"]) {
    registry.set(name, { size: 100 });
    await ensure(name);
    clock.advance(1000);
  }
  used.push("sha256:a:1");
  ofVolumes.push("sha256:d:1");
  disk.available = 120;
  await assert.rejects(manager.collectGarbage(), /Attempted to free 80 bytes, but only found 0 bytes/);
  clock.advance(GARBAGE.minimumAgeMs);
  await manager.collectGarbage();
  assert.deepEqual([...images.keys()], ["a:1", "c:1", "d:1"]);
  disk.available = 0;
  await assert.rejects(manager.collectGarbage());
  assert.deepEqual([...images.keys()], ["a:1", "d:1"]);
  assert.equal(
    events.at(-1),
    "Warning FreeDiskSpaceFailed : Failed to garbage collect required amount of images. Attempted to free 200 bytes, but only found 100 bytes eligible to free.",
  );
});

test("ImageManager removes what nobody used for too long, however empty the disk", async (t) => {
  const garbage = { ...GARBAGE, maximumAgeMs: 3_600_000 };
  const { registry, ensure, manager, images, used, clock } = await start(t, { garbage });
  registry.set("a:1", { size: 1 });
  registry.set("b:1", { size: 1 });
  await ensure("a:1");
  await ensure("b:1");
  used.push("sha256:a:1");
  await manager.collectGarbage();
  clock.advance(3_700_000);
  await manager.collectGarbage();
  assert.deepEqual([...images.keys()], ["a:1"]);
  used.length = 0;
  await manager.removeUnused();
  assert.deepEqual([...images.keys()], []);
});
