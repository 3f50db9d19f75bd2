import assert from "node:assert/strict";
import type { Volume } from "../../../src/api/schema/core.v1.generated.ts";
import { behaviour, outputOf, shell, shellPod, type World } from "./behaviour.ts";

const MOUNTS = [{ name: "volume", mountPath: "/volume" }];
const volumeOf = (medium: string): Volume => ({
  name: "volume",
  emptyDir: medium === "tmpfs" ? { medium: "Memory" } : {},
});

function keepsModes(user: string): void {
  behaviour(
    `[sig-storage] EmptyDir volumes should support (${user},0644,default) [LinuxOnly] [NodeConformance] [Conformance]`,
    (world) => keepsMode(world, user, "644", "default"),
  );
  behaviour(
    `[sig-storage] EmptyDir volumes should support (${user},0644,tmpfs) [LinuxOnly] [NodeConformance] [Conformance]`,
    (world) => keepsMode(world, user, "644", "tmpfs"),
  );
  behaviour(
    `[sig-storage] EmptyDir volumes should support (${user},0666,default) [LinuxOnly] [NodeConformance] [Conformance]`,
    (world) => keepsMode(world, user, "666", "default"),
  );
  behaviour(
    `[sig-storage] EmptyDir volumes should support (${user},0666,tmpfs) [LinuxOnly] [NodeConformance] [Conformance]`,
    (world) => keepsMode(world, user, "666", "tmpfs"),
  );
  behaviour(
    `[sig-storage] EmptyDir volumes should support (${user},0777,default) [LinuxOnly] [NodeConformance] [Conformance]`,
    (world) => keepsMode(world, user, "777", "default"),
  );
  behaviour(
    `[sig-storage] EmptyDir volumes should support (${user},0777,tmpfs) [LinuxOnly] [NodeConformance] [Conformance]`,
    (world) => keepsMode(world, user, "777", "tmpfs"),
  );
}

async function keepsMode(world: World, user: string, mode: string, medium: string): Promise<void> {
  const runAsUser = user === "root" ? 0 : 1001;
  const command = [
    "stat -c %a /volume",
    `echo content > /volume/file && chmod ${mode} /volume/file`,
    "stat -c '%a %u' /volume/file",
    "cat /volume/file",
    "grep ' /volume ' /proc/mounts | cut -d' ' -f3",
  ].join("; ");
  const spec = shellPod(
    command,
    { volumes: [volumeOf(medium)], securityContext: { runAsUser } },
    { volumeMounts: MOUNTS },
  );
  const [ownMode, file, content, type] = (await outputOf(world, spec)).split("\n");
  // A tmpfs is as the kernel makes it.
  const open = medium === "tmpfs" ? "1777" : "777";
  assert.deepEqual([ownMode, file, content], [open, `${mode} ${runAsUser}`, "content"]);
  assert.equal(type === "tmpfs", medium === "tmpfs", `mounted as ${type}`);
}

function hasMode(what: string, medium: string, mode: string): void {
  behaviour(
    `[sig-storage] EmptyDir volumes volume on ${what} should have the correct mode [LinuxOnly] [NodeConformance] [Conformance]`,
    async (world) => {
      const spec = shellPod("stat -c %A /volume", { volumes: [volumeOf(medium)] }, { volumeMounts: MOUNTS });
      assert.equal(await outputOf(world, spec), `${mode}\n`);
    },
  );
}

keepsModes("root");
keepsModes("non-root");
hasMode("default medium", "default", "drwxrwxrwx");
hasMode("tmpfs", "tmpfs", "drwxrwxrwt");

behaviour(
  "[sig-storage] EmptyDir volumes pod should support shared volumes between containers [Conformance]",
  async (world) => {
    const containers = [
      shell("until test -e /volume/file; do sleep 0.1; done; cat /volume/file", { volumeMounts: MOUNTS }),
      shell("echo shared > /volume/new; mv /volume/new /volume/file", { name: "sub", volumeMounts: MOUNTS }),
    ];
    const spec = { ...shellPod("", { volumes: [volumeOf("default")] }), containers };
    assert.equal(await outputOf(world, spec), "shared\n");
  },
);
