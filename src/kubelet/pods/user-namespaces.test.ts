import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import { UserNamespaces, withUsersOf } from "./user-namespaces.ts";

async function start(t: TestContext) {
  const root = await mkdtemp(join(tmpdir(), "kybern-users-"));
  t.after(() => rm(root, { recursive: true }));
  const handlers = [{ name: "", features: { recursiveReadOnlyMounts: false, userNamespaces: true } }];
  const open = () =>
    new UserNamespaces({
      root,
      runtime: { status: async () => ({ runtimeHandlers: handlers }) as never },
      runtimeHandler: ({ spec }) => spec?.runtimeClassName ?? "",
    });
  return { root, handlers, open };
}

function pod(uid: string, spec: object = { hostUsers: false }): Pod {
  return { metadata: { name: uid, namespace: "default", uid }, spec } as unknown as Pod;
}

const CONFIG = { linux: { cgroupParent: "/a", securityContext: { namespaceOptions: { pid: 1 } } } };
const from = (hostId: number) => [{ hostId, containerId: 0, length: 65_536 }];

async function firstOf(namespaces: UserNamespaces, one: Pod): Promise<number | undefined> {
  const { linux } = await namespaces.applyTo(CONFIG, one);
  return linux?.securityContext?.namespaceOptions?.usernsOptions?.uids?.[0]?.hostId;
}

test("UserNamespaces gives a pod users of its own in its sandbox's configuration", async (t) => {
  const { root, open } = await start(t);
  const users = open();
  assert.deepEqual(await users.applyTo(CONFIG, pod("a")), {
    linux: {
      cgroupParent: "/a",
      securityContext: {
        namespaceOptions: { pid: 1, usernsOptions: { mode: 0, uids: from(65_536), gids: from(65_536) } },
      },
    },
  });
  assert.deepEqual(JSON.parse(await readFile(join(root, "pods/a/userns"), "utf8")), {
    uidMappings: from(65_536),
    gidMappings: from(65_536),
  });
  for (const hostUsers of [undefined, true])
    assert.equal(await users.applyTo(CONFIG, pod("b", { hostUsers })), CONFIG);
});

test("UserNamespaces gives no two pods the same users, and each the same for as long as it is there", async (t) => {
  const { root, open } = await start(t);
  const users = open();
  const all = ["a", "b", "c"].map((uid) => firstOf(users, pod(uid)));
  assert.deepEqual(await Promise.all(all), [65_536, 131_072, 196_608]);
  const later = open();
  assert.equal(await firstOf(later, pod("b")), 131_072, "by another life of the kubelet too");
  await rm(join(root, "pods/a"), { recursive: true });
  assert.equal(await firstOf(later, pod("d")), 65_536);
  await writeFile(join(root, "pods/b/userns"), '{"uidM');
  assert.equal(await firstOf(later, pod("b")), 131_072, "half a file is none");
});

test("UserNamespaces refuses a pod whose runtime has no users of their own for pods", async (t) => {
  const { handlers, open } = await start(t);
  const refused = (what: string) => ({
    reason: "FailedCreatePodSandBox",
    message: `Failed to create pod sandbox: can't set \`spec.hostUsers: false\`, ${what} does not support user namespaces`,
  });
  handlers.push({ name: "old", features: { recursiveReadOnlyMounts: false, userNamespaces: false } });
  const ofOld = pod("a", { hostUsers: false, runtimeClassName: "old" });
  await assert.rejects(open().applyTo(CONFIG, ofOld), refused('RuntimeClass handler "old"'));
  handlers.length = 0;
  await assert.rejects(open().applyTo(CONFIG, pod("a")), refused("runtime"));
});

test("withUsersOf gives containers and what they mount the users of their sandbox", () => {
  const usernsOptions = { mode: 0, uids: from(65_536), gids: from(131_072) };
  const sandbox = { linux: { securityContext: { namespaceOptions: { usernsOptions } } } };
  const config = {
    mounts: [
      { hostPath: "/a", containerPath: "/b" },
      { hostPath: "/c", uidMappings: [], gidMappings: [] },
    ],
    linux: { securityContext: { privileged: false, namespaceOptions: { pid: 1 } } },
  };
  assert.equal(withUsersOf(CONFIG, config), config);
  assert.deepEqual(withUsersOf(sandbox, config), {
    mounts: [
      { hostPath: "/a", containerPath: "/b", uidMappings: from(65_536), gidMappings: from(131_072) },
      { hostPath: "/c", uidMappings: [], gidMappings: [] },
    ],
    linux: { securityContext: { privileged: false, namespaceOptions: { pid: 1, usernsOptions } } },
  });
});
