import assert from "node:assert/strict";
import { Pod } from "../../../src/api/core/pods.ts";
import type { PodSecurityContext, SecurityContext } from "../../../src/api/schema/core.v1.generated.ts";
import { behaviour, outputOf, shellPod, type World } from "./behaviour.ts";

async function said(
  world: World,
  command: string,
  { pod, container }: { pod?: PodSecurityContext; container?: SecurityContext },
): Promise<string> {
  return outputOf(world, shellPod(command, { securityContext: pod }, { securityContext: container }));
}

behaviour(
  "[sig-node] Security Context When creating a container with runAsUser should run the container with uid 65534 [LinuxOnly] [NodeConformance] [Conformance]",
  async (world) => {
    assert.equal(await said(world, "id -u", { container: { runAsUser: 65534 } }), "65534\n");
  },
);

behaviour(
  "[sig-node] Security Context When creating a pod with privileged should run the container as unprivileged when false [LinuxOnly] [NodeConformance] [Conformance]",
  async (world) => {
    const command = "ip link add dummy0 type dummy || true";
    assert.match(await said(world, command, { container: { privileged: false } }), /Operation not permitted/);
  },
);

behaviour(
  "[sig-node] Security Context When creating a pod with readOnlyRootFilesystem should run the container with writable rootfs when readOnlyRootFilesystem=false [NodeConformance] [Conformance]",
  async (world) => {
    const container = { readOnlyRootFilesystem: false };
    assert.equal(await said(world, "echo written > /file; cat /file", { container }), "written\n");
  },
);

const IDS = { runAsUser: 1001, runAsGroup: 2002 };

behaviour(
  "[sig-node] Security Context should support container.SecurityContext.RunAsUser And container.SecurityContext.RunAsGroup [LinuxOnly] [Conformance]",
  async (world) => {
    assert.equal(await said(world, "id -u; id -g", { container: IDS }), "1001\n2002\n");
  },
);

behaviour(
  "[sig-node] Security Context should support pod.Spec.SecurityContext.RunAsUser And pod.Spec.SecurityContext.RunAsGroup [LinuxOnly] [Conformance]",
  async (world) => {
    assert.equal(await said(world, "id -u; id -g", { pod: IDS }), "1001\n2002\n");
  },
);

behaviour(
  "[sig-node] Security Context when creating containers with AllowPrivilegeEscalation should not allow privilege escalation when false [LinuxOnly] [NodeConformance] [Conformance]",
  async (world) => {
    const container = { allowPrivilegeEscalation: false, runAsUser: 1000 };
    const command = "id -u; grep NoNewPrivs /proc/self/status";
    assert.equal(await said(world, command, { container }), "1000\nNoNewPrivs:\t1\n");
  },
);

behaviour(
  "[sig-node] Sysctls [LinuxOnly] [NodeConformance] should support sysctls [Environment:NotInUserNS] [Conformance]",
  async (world) => {
    const pod = { sysctls: [{ name: "kernel.shm_rmid_forced", value: "1" }] };
    assert.equal(await said(world, "cat /proc/sys/kernel/shm_rmid_forced", { pod }), "1\n");
  },
);

behaviour(
  "[sig-node] Sysctls [LinuxOnly] [NodeConformance] should reject invalid sysctls [Conformance]",
  async ({ client, namespace }) => {
    const sysctls = [
      { name: "foo-", value: "bar" },
      { name: "kernel.shmmax", value: "100000000" },
      { name: "safe-and-unsafe", value: "100000000" },
      { name: "bar..", value: "42" },
    ];
    const pod = { metadata: { name: "refused" }, spec: shellPod("true", { securityContext: { sysctls } }) };
    await assert.rejects(client.resource(Pod, namespace).create(pod), (error: Error) => {
      assert.match(error.message, /spec\.securityContext\.sysctls\[0\]\.name: Invalid value: "foo-"/);
      assert.match(error.message, /spec\.securityContext\.sysctls\[3\]\.name: Invalid value: "bar\.\."/);
      assert.doesNotMatch(error.message, /safe-and-unsafe|kernel\.shmmax/);
      return true;
    });
  },
);
