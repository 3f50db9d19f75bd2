/** Pulls images from a registry that the test serves on the loopback interface. */
import assert from "node:assert/strict";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import type { Secret } from "../../src/api/core/secret.ts";
import type { Pod } from "../../src/api/schema/core.v1.generated.ts";
import { systemClock } from "../../src/base/clock.ts";
import type { GarbageSettings } from "../../src/kubelet/images/image-garbage.ts";
import { createImageManager } from "../../src/kubelet/images/image-manager.ts";
import type { PodObjects } from "../../src/kubelet/objects/pod-objects.ts";
import { PodError } from "../../src/kubelet/ports.ts";
import { openContainerRuntime } from "../../src/kubelet/runtime/container-runtime.ts";
import { startContainerd } from "./harness/containerd.ts";
import { busyboxImage } from "./harness/images.ts";
import { cannotRunContainers } from "./harness/machine.ts";
import { startRegistry } from "./harness/registry.ts";

const GARBAGE: GarbageSettings = {
  // The disk of the machine may be as full as it likes.
  highThresholdPercent: 100,
  lowThresholdPercent: 80,
  minimumAgeMs: 120_000,
  maximumAgeMs: 0,
};

const skip = cannotRunContainers;
const PASSWORD = "me:secret";

const POD: Pod = {
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "p", namespace: "default", uid: "u" },
  spec: { containers: [{ name: "c" }] },
};

async function start(t: TestContext) {
  const containerd = await startContainerd(t);
  const web = await busyboxImage();
  const registry = await startRegistry({
    images: { "public/web": web, "private/web": web },
    password: PASSWORD,
    registries: join(containerd.directory, "registries"),
  });
  t.after(() => registry[Symbol.asyncDispose]());
  const runtime = openContainerRuntime(containerd.socket);
  t.after(() => runtime.close());
  const events: string[] = [];
  const secrets = new Map<string, Secret>();
  const manager = createImageManager({
    runtime,
    objects: {
      get: async (_: string, __: unknown, ___: string, name: string) => secrets.get(name),
    } as PodObjects,
    events: { record: (_object, type, reason, note) => events.push(`${type} ${reason} ${note}`) },
    node: { kind: "Node", name: "n" },
    clock: systemClock,
    directory: join(containerd.directory, "image_manager"),
    imagesOfVolumes: async () => [],
    settings: { maxParallelPulls: 1, garbage: GARBAGE, verification: "NeverVerifyPreloadedImages" },
  });
  const pull = (image: string, pod = POD) =>
    manager.ensure({
      pod,
      image: `${registry.host}/${image}`,
      pullPolicy: "IfNotPresent",
      container: pod.spec?.containers[0],
      sandboxConfig: {},
    });
  return { registry, manager, pull, events, secrets, runtime };
}

test("images are pulled from a registry, shown in the node's status, and removed when unused", {
  skip,
}, async (t) => {
  const { registry, manager, pull, events, runtime } = await start(t);
  const { imageRef, imageID } = await pull("public/web:1");
  assert.match(imageRef, /^sha256:[0-9a-f]{64}$/);
  assert.ok(imageID.startsWith(`${registry.host}/public/web@sha256:`));
  assert.equal(events[0], `Normal Pulling Pulling image "${registry.host}/public/web:1"`);
  assert.match(
    events[1] ?? "",
    /^Normal Pulled Successfully pulled image "[^"]+" in [\d.]+m?s \([\d.]+m?s including waiting\)\. Image size: \d+ bytes\.$/,
  );
  const asked = registry.requests.length;
  assert.deepEqual(await pull("public/web:1"), { imageRef, imageID });
  assert.equal(registry.requests.length, asked);
  const names = (await manager.images()).flatMap((image) => image.names ?? []);
  assert.ok(names.includes(`${registry.host}/public/web:1`));
  await manager.collectGarbage();
  await manager.removeUnused();
  const { image } = await runtime.imageStatus({ image: { image: imageRef } });
  assert.equal(image, undefined);
});

test("a registry that asks for credentials gets those of the pod's pull secrets", { skip }, async (t) => {
  const { registry, pull, events, secrets } = await start(t);
  await assert.rejects(pull("private/web:1"), (error: PodError) => {
    assert.equal(error.reason, "ErrImagePull");
    assert.match(
      error.message,
      /^rpc error: code = Unknown desc = failed to pull and unpack image .*(authoriz|401)/i,
    );
    return true;
  });
  assert.match(
    events.at(-2) ?? "",
    /^Warning Failed Failed to pull image ".*": rpc error: code = Unknown desc/,
  );
  await assert.rejects(pull("private/web:1"), (error: PodError) => {
    assert.equal(error.reason, "ImagePullBackOff");
    assert.match(error.message, /^Back-off pulling image ".*": ErrImagePull: rpc error/);
    return true;
  });
  const auth = { auth: Buffer.from(PASSWORD).toString("base64") };
  const text = JSON.stringify({ auths: { [`http://${registry.host}`]: auth } });
  secrets.set("s", {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { name: "s", namespace: "default", uid: "s" },
    type: "kubernetes.io/dockerconfigjson",
    data: { ".dockerconfigjson": Buffer.from(text).toString("base64") },
  });
  const spec = { containers: [{ name: "c" }], imagePullSecrets: [{ name: "s" }] };
  const allowed = { ...POD, metadata: { ...POD.metadata, uid: "v" }, spec };
  await pull("private/web:1", allowed);
  await assert.rejects(pull("private/web:1", { ...POD, metadata: { uid: "w" } }), { reason: "ErrImagePull" });
  await pull("private/web:1", { ...allowed, metadata: { ...POD.metadata, uid: "x" } });
});

test("an image that a registry does not have, or a registry that is not there, is told as it is", {
  skip,
}, async (t) => {
  const { pull, manager } = await start(t);
  await assert.rejects(pull("none/web:1"), (error: unknown) => {
    assert.ok(error instanceof PodError);
    assert.match(error.message, /^rpc error: code = NotFound desc = .*not found/);
    return true;
  });
  const request = { pod: POD, image: "127.0.0.1:1/web:1", pullPolicy: "Always", sandboxConfig: {} };
  await assert.rejects(manager.ensure(request), (error: unknown) => {
    assert.ok(error instanceof PodError);
    assert.equal(error.reason, "ErrImagePull");
    assert.match(error.message, /connection refused/);
    return true;
  });
});
