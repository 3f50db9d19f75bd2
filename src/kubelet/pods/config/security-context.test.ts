import assert from "node:assert/strict";
import test from "node:test";
import type { Container, Pod, PodSpec } from "../../../api/schema/core.v1.generated.ts";
import { NamespaceMode, ProfileType, SupplementalGroupsPolicy } from "../../runtime/cri/shared.ts";
import {
  checkRunAsNonRoot,
  containerSecurityContext,
  type ImageUser,
  namespacesOf,
  needsImageUser,
  sandboxSecurityContext,
} from "./security-context.ts";

const pod = (spec: Partial<PodSpec> = {}): Pod => ({
  apiVersion: "v1",
  kind: "Pod",
  metadata: { name: "p", namespace: "ns", uid: "u" },
  spec: { containers: [], ...spec },
});
const container = (securityContext: Container["securityContext"] = {}): Container => ({
  name: "main",
  securityContext,
});
const defaults = { seccompDefault: false, seccompProfiles: "/seccomp" };
const of = (spec: Partial<PodSpec>, context?: Container["securityContext"]) =>
  containerSecurityContext(pod(spec), container(context), [], defaults);

test("containerSecurityContext takes the container's word before the pod's", () => {
  const found = of(
    { securityContext: { runAsUser: 1, runAsGroup: 2, seccompProfile: { type: "RuntimeDefault" } } },
    { runAsUser: 3 },
  );
  assert.deepEqual([found.runAsUser, found.runAsGroup], [{ value: 3 }, { value: 2 }]);
  assert.equal(found.seccomp?.profileType, ProfileType.RuntimeDefault);
});

test("containerSecurityContext gathers all groups, those of volumes too", () => {
  const spec = {
    securityContext: { fsGroup: 10, supplementalGroups: [11, 10], supplementalGroupsPolicy: "Strict" },
  };
  const found = containerSecurityContext(pod(spec), container(), [12], defaults);
  assert.deepEqual(found.supplementalGroups, [11, 10, 12]);
  assert.equal(found.supplementalGroupsPolicy, SupplementalGroupsPolicy.Strict);
});

test("containerSecurityContext keeps a Localhost profile inside its folder", () => {
  const seccompProfile = { type: "Localhost", localhostProfile: "../../etc/shadow" };
  assert.deepEqual(of({}, { seccompProfile }).seccomp, {
    profileType: ProfileType.Localhost,
    localhostRef: "/seccomp/etc/shadow",
  });
});

test("containerSecurityContext hides parts of /proc unless they are unmasked", () => {
  assert.ok(of({}).maskedPaths?.includes("/proc/kcore"));
  assert.ok(of({}).readonlyPaths?.includes("/proc/sys"));
  const unmasked = of({}, { procMount: "Unmasked" });
  assert.deepEqual([unmasked.maskedPaths, unmasked.readonlyPaths], [[], []]);
});

test("containerSecurityContext forbids new privileges only where that is asked for", () => {
  assert.equal(of({}).noNewPrivs, false);
  assert.equal(of({}, { allowPrivilegeEscalation: true }).noNewPrivs, false);
  assert.equal(of({}, { allowPrivilegeEscalation: false }).noNewPrivs, true);
});

test("containerSecurityContext confines by default where the node wants it", () => {
  assert.equal(of({}).seccomp?.profileType, ProfileType.Unconfined);
  const confined = containerSecurityContext(pod(), container(), [], { ...defaults, seccompDefault: true });
  assert.equal(confined.seccomp?.profileType, ProfileType.RuntimeDefault);
});

test("namespacesOf shares with the node, the pod or another container", () => {
  const { NODE, POD, CONTAINER, TARGET } = NamespaceMode;
  assert.deepEqual(namespacesOf(pod()), { network: POD, ipc: POD, pid: CONTAINER });
  const host = pod({ hostNetwork: true, hostIPC: true, hostPID: true });
  assert.deepEqual(namespacesOf(host), { network: NODE, ipc: NODE, pid: NODE });
  const shared = pod({ shareProcessNamespace: true });
  assert.equal(namespacesOf(shared, { containerID: "c" }).pid, POD);
  const target = namespacesOf(pod(), { containerID: "c" });
  assert.deepEqual([target.pid, target.targetId], [TARGET, "c"]);
});

test("sandboxSecurityContext is privileged where any container is", () => {
  assert.equal(sandboxSecurityContext(pod()).privileged, false);
  const containers = [container(), container({ privileged: true })];
  assert.equal(sandboxSecurityContext(pod({ containers })).privileged, true);
});

test("checkRunAsNonRoot refuses root, and who may be root", () => {
  const where = '(pod: "p_ns(u)", container: main)';
  const check = (runAsUser: number | undefined, image: ImageUser | undefined): string | undefined => {
    try {
      checkRunAsNonRoot(pod(), container({ runAsNonRoot: true, runAsUser }), image);
      return undefined;
    } catch (error) {
      return (error as Error).message;
    }
  };
  assert.equal(check(0, undefined), `container's runAsUser breaks non-root policy ${where}`);
  assert.equal(
    check(undefined, { uid: 0, username: "" }),
    `container has runAsNonRoot and image will run as root ${where}`,
  );
  assert.equal(
    check(undefined, { username: "web" }),
    `container has runAsNonRoot and image has non-numeric user (web), cannot verify user is non-root ${where}`,
  );
  assert.equal(check(1000, undefined), undefined);
  assert.equal(check(undefined, { uid: 1000, username: "" }), undefined);
  checkRunAsNonRoot(pod(), container(), { uid: 0, username: "" });
});

test("needsImageUser asks for the image's user only where it decides", () => {
  assert.equal(needsImageUser(pod(), container()), false);
  assert.equal(needsImageUser(pod(), container({ runAsNonRoot: true })), true);
  assert.equal(
    needsImageUser(pod({ securityContext: { runAsUser: 5 } }), container({ runAsNonRoot: true })),
    false,
  );
});
