import assert from "node:assert/strict";
import test from "node:test";
import type { ContainerRuntime } from "../runtime/container-runtime.ts";
import { containerMounts } from "./container-mounts.ts";
import { checkImageVolumes } from "./image-volume.ts";
import { podPaths } from "./pod-paths.ts";

function runtime(runtimeName: string, runtimeVersion: string): Pick<ContainerRuntime, "version"> {
  return {
    version: async () => ({ version: "0.1.0", runtimeName, runtimeVersion, runtimeApiVersion: "v1" }),
  };
}

test("image volumes are for runtimes that know them", async () => {
  for (const [name, version] of [
    ["containerd", "v2.1.0"],
    ["containerd", "2.2.1-rc.1"],
    ["containerd", "3.0.0"],
    ["cri-o", "1.31.0"],
  ] as const) {
    await checkImageVolumes(runtime(name, version));
  }
  for (const version of ["1.6.20", "v1.7.27", "2.0.5"]) {
    await assert.rejects(checkImageVolumes(runtime("containerd", version)), {
      reason: "CreateContainerConfigError",
      message: `image volumes need containerd 2.1 or newer: this node has ${version}`,
    });
  }
});

test("an image volume is mounted by its image, read-only, and by its subPath", async () => {
  const volume = { hostPath: "", readOnly: true, image: { reference: "a.io/b:1", pullPolicy: "Always" } };
  const container = { name: "c", volumeMounts: [{ name: "v", mountPath: "/v", subPath: "a/b" }] };
  const ports = {
    mounts: {} as never,
    imageOf: async ({ reference }: { reference: string }) => `sha256:${reference}`,
    canMountRecursivelyReadOnly: async () => false,
  };
  const mounts = await containerMounts(
    ports,
    podPaths("/root", "u"),
    container,
    new Map([["v", volume]]),
    new Map(),
  );
  assert.deepEqual(mounts, [
    { containerPath: "/v", image: { image: "sha256:a.io/b:1" }, imageSubPath: "a/b", readonly: true },
  ]);
});
