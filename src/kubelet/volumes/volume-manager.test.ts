import assert from "node:assert/strict";
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { ConfigMap } from "../../api/core/config-map.ts";
import { Node } from "../../api/core/node.ts";
import { PersistentVolume } from "../../api/core/persistent-volume.ts";
import { PersistentVolumeClaim } from "../../api/core/persistent-volume-claim.ts";
import { Pod as PodKind } from "../../api/core/pod/pod.ts";
import { Secret } from "../../api/core/secret.ts";
import { ServiceAccount } from "../../api/core/service-account.ts";
import { RuntimeClass } from "../../api/node/runtime-class.ts";
import type { PersistentVolumeSpec, Pod, Volume } from "../../api/schema/core.v1.generated.ts";
import { CSINode } from "../../api/storage/csi-node.ts";
import { VirtualClock } from "../../base/clock.ts";
import { openClient } from "../../client/client.ts";
import { Informers } from "../../client/informer/informers.ts";
import { asUser } from "../../client/testing/as-user.ts";
import type { Transport } from "../../client/transport.ts";
import { type MountEntry, mountsBelow } from "../../host/mounts/mount-table.ts";
import type { Mounts } from "../../host/mounts/mounts.ts";
import { startCluster } from "../../testing/start-cluster.ts";
import { createPodObjects } from "../objects/pod-objects.ts";
import { PodError } from "../ports.ts";
import type { RuntimeHandler } from "../runtime/cri/runtime.ts";
import { createVolumeManager } from "./volume-manager.ts";

/** Writes down what would be mounted. */
function pretendedMounts(): Mounts & { entries: MountEntry[] } {
  const entries: MountEntry[] = [];
  const add = (target: string, type: string, options: readonly string[] = []): void => {
    const more = { id: 0, parentID: 0, device: "", root: "/", propagation: [], source: "", superOptions: [] };
    entries.push({ ...more, target, type, options });
  };
  return {
    entries,
    mount: async ({ target, type = "none", options }) => add(target, type, options),
    bind: async (_source, target) => add(target, "none"),
    async unmountBelow(path) {
      const left = entries.filter(({ target }) => target !== path && !target.startsWith(`${path}/`));
      entries.splice(0, entries.length, ...left);
    },
    table: async () => entries,
    below: async (path) => mountsBelow(entries, path),
    isMountPoint: async (path) => entries.some(({ target }) => target === path),
  };
}

const NODE = { metadata: { name: "n" }, status: { allocatable: { cpu: "2", memory: "1Gi", pods: "10" } } };

async function start(t: { after(f: () => Promise<void>): void }) {
  const root = await mkdtemp(join(tmpdir(), "volumes-"));
  const clock = new VirtualClock(Date.now());
  const transports: Transport[] = [];
  const between = (transport: Transport): Transport => {
    transports.push(transport);
    return transport;
  };
  // The simulation has the rights of an administrator, and lends them.
  const cluster = await startCluster({ controllers: false, scheduler: false, clock, nodes: 1, between });
  const { client } = cluster;
  const node = openClient(asUser(transports[0]!, "system:node:n", "system:nodes"));
  const informers = new Informers({ client: node, clock, random: () => 0 });
  const objects = createPodObjects({ client: node, clock, random: () => 0, changed: () => {} });
  const mounts = pretendedMounts();
  const events: string[] = [];
  /** Of the runtime, and what each of them can do. */
  const handlers: RuntimeHandler[] = [];
  /** Of images, which containerd keeps, by their keys. */
  const views = new Set<string>();
  await client.resource(Node).create(NODE);
  await client.resource(ServiceAccount, "default").create({ metadata: { name: "default" } });
  await assert.rejects(node.resource(Secret, "default").list(), { reason: "Forbidden" });
  const nodes = informers.of(Node, { fieldSelector: "metadata.name=n" });
  nodes.start();
  await nodes.synced;
  const open = () =>
    createVolumeManager({
      root,
      nodeName: "n",
      client: node,
      informers,
      objects,
      images: { ensure: async () => ({ imageRef: "sha256:1", imageID: "1" }) } as never,
      runtime: {
        version: async () => ({ runtimeName: "containerd", runtimeVersion: "1.6.20" }),
        status: async () => ({ runtimeHandlers: handlers, info: new Map() }),
        imageStatus: async () => ({ image: undefined }),
        imageFsInfo: async () => ({ imageFilesystems: [] }),
      } as never,
      imageViews: {
        async open(key) {
          views.add(key);
          return [{ type: "bind", source: "/layer", target: "", options: ["ro", "rbind"] }];
        },
        remove: async (key) => void views.delete(key),
        close: () => {},
      },
      events: { record: (_object, type, reason, note) => events.push(`${type} ${reason} ${note}`) },
      clock,
      random: () => 0,
      mounts,
      localStorage: { provisioner: "kybern.dev/local-path", directory: join(root, "storage") },
    });
  const manager = open();
  await manager.start();
  t.after(async () => {
    await manager.stop();
    await objects.stop();
    await informers.stop();
    await cluster.stop();
    await rm(root, { recursive: true });
  });
  let pods = 0;
  const pod = async (volumes: Volume[], more: Partial<NonNullable<Pod["spec"]>> = {}): Promise<Pod> => {
    const volumeMounts = volumes.map(({ name }) => ({ name, mountPath: `/${name}` }));
    return client.resource(PodKind, "default").create({
      metadata: { name: `p${++pods}`, labels: { a: "1" } },
      spec: {
        nodeName: "n",
        serviceAccountName: "default",
        automountServiceAccountToken: false,
        containers: [{ name: "c", image: "i", volumeMounts }],
        volumes,
        ...more,
      },
    } as never) as unknown as Promise<Pod>;
  };
  return { root, client, manager, open, mounts, views, events, clock, pod, informers, handlers };
}

const refused =
  (message: string | RegExp, reason = "FailedMount") =>
  (error: unknown) => {
    assert.ok(error instanceof PodError, String(error));
    assert.equal(error.reason, reason);
    if (typeof message === "string") assert.equal(error.message, message);
    else assert.match(error.message, message);
    return true;
  };

/** Until a file has the text, by the file system's own word; ends by the test's time limit. */
async function becomes(path: string, text: string): Promise<void> {
  for (let now = ""; now !== text; now = await readFile(path, "utf8").catch(() => "")) {
    await new Promise(setImmediate);
  }
}

test("VolumeManager shows ConfigMaps and Secrets, and keeps them up to date", {
  timeout: 240_000,
}, async (t) => {
  const { client, manager, pod, root, mounts } = await start(t);
  const configMaps = client.resource(ConfigMap, "default");
  await configMaps.create({ metadata: { name: "c" }, data: { key: "1" } });
  await client.resource(Secret, "default").create({ metadata: { name: "s" }, stringData: { key: "secret" } });
  const made = await pod([
    { name: "c", configMap: { name: "c" } },
    { name: "s", secret: { secretName: "s", defaultMode: 0o400 } },
  ]);
  const volumes = await manager.setUp(made);
  const [c, s] = await volumes.mountsOf(made.spec!.containers[0]!);
  const { uid } = made.metadata;
  assert.deepEqual(c, {
    containerPath: "/c",
    hostPath: `${root}/pods/${uid}/volumes/kubernetes.io~configmap/c`,
    readonly: true,
    propagation: 0,
    recursiveReadOnly: false,
  });
  assert.equal(await readFile(join(s!.hostPath!, "key"), "utf8"), "secret");
  assert.equal((await stat(join(s!.hostPath!, "key"))).mode & 0o777, 0o400);
  assert.ok(s!.hostPath!.startsWith(`${root}/volatile/${uid}/`));
  assert.deepEqual(
    mounts.entries.map(({ target, type }) => `${type} ${target}`),
    [`tmpfs ${root}/volatile`],
  );
  assert.equal(await readFile(`${root}/pods/${uid}/volumes/kubernetes.io~secret/s/key`, "utf8"), "secret");
  await configMaps.patch("c", { data: { key: "2", other: "3" } }, { type: "merge" });
  await becomes(join(c!.hostPath!, "other"), "3");
  assert.equal(await readFile(join(c!.hostPath!, "key"), "utf8"), "2");
});

test("VolumeManager says what is missing, and mounts it when it is there", async (t) => {
  const { client, manager, pod } = await start(t);
  const made = await pod([{ name: "v", configMap: { name: "late" } }]);
  await assert.rejects(
    manager.setUp(made),
    refused('MountVolume.SetUp failed for volume "v" : configmap "late" not found'),
  );
  await client.resource(ConfigMap, "default").create({ metadata: { name: "late" }, data: { a: "b" } });
  const one = await pod([{ name: "v", secret: { secretName: "none", optional: true } }]);
  const [mount] = await (await manager.setUp(one)).mountsOf(one.spec!.containers[0]!);
  assert.deepEqual(
    (await readdir(mount!.hostPath!)).filter((name) => !name.startsWith("..")),
    [],
  );
  for (;;) {
    const volumes = await manager.setUp(made).catch(() => undefined);
    if (volumes) break;
    await new Promise(setImmediate);
  }
});

test("VolumeManager gives tokens to their pod, and new ones in time", { timeout: 240_000 }, async (t) => {
  const { manager, pod, clock } = await start(t);
  const projected = {
    sources: [
      { serviceAccountToken: { path: "token", expirationSeconds: 3600, audience: "me" } },
      { downwardAPI: { items: [{ path: "namespace", fieldRef: { fieldPath: "metadata.namespace" } }] } },
    ],
  };
  const made = await pod([{ name: "t", projected }], {
    securityContext: { runAsUser: process.getuid?.() ?? 0 },
  });
  const [mount] = await (await manager.setUp(made)).mountsOf(made.spec!.containers[0]!);
  const path = join(mount!.hostPath!, "token");
  assert.equal(await readFile(join(mount!.hostPath!, "namespace"), "utf8"), "default");
  const first = await readFile(path, "utf8");
  const claims = JSON.parse(Buffer.from(first.split(".")[1]!, "base64url").toString()) as {
    aud: string[];
    "kubernetes.io": { pod: { uid: string } };
  };
  assert.deepEqual(claims.aud, ["me"]);
  assert.equal(claims["kubernetes.io"].pod.uid, made.metadata.uid);
  assert.equal((await stat(path)).mode & 0o777, 0o600);
  await manager.setUp(made);
  assert.equal(await readFile(path, "utf8"), first);
  clock.advance(0.79 * 3600_000);
  await manager.setUp(made);
  assert.equal(await readFile(path, "utf8"), first);
  clock.advance(0.02 * 3600_000);
  while ((await readFile(path, "utf8")) === first) await new Promise(setImmediate);
});

test("VolumeManager makes emptyDirs of disk, memory and huge pages", async (t) => {
  const { manager, open, pod, mounts, root } = await start(t);
  const made = await pod(
    [
      { name: "disk", emptyDir: {} },
      { name: "memory", emptyDir: { medium: "Memory", sizeLimit: "64Mi" } },
    ],
    { securityContext: { fsGroup: process.getgid?.() ?? 0 } },
  );
  const volumes = await manager.setUp(made);
  const [disk] = await volumes.mountsOf(made.spec!.containers[0]!);
  assert.equal((await stat(disk!.hostPath!)).mode & 0o7777, 0o2777);
  assert.deepEqual(volumes.fsGroups, [process.getgid?.() ?? 0]);
  // What the pod made of it stays when the kubelet starts anew.
  await chmod(disk!.hostPath!, 0o700);
  await manager.setUp(made);
  await open().setUp(made);
  assert.equal((await stat(disk!.hostPath!)).mode & 0o7777, 0o700);
  const at = `${root}/pods/${made.metadata.uid}/volumes/kubernetes.io~empty-dir/memory`;
  assert.deepEqual(
    mounts.entries.map(({ target, type, options }) => [target, type, options]),
    [[at, "tmpfs", ["mode=3777", `gid=${process.getgid?.() ?? 0}`, `size=${64 << 20}`]]],
  );
});

test("VolumeManager checks what hostPaths are", async (t) => {
  const { manager, pod, root } = await start(t);
  await writeFile(join(root, "file"), "");
  await mkdir(join(root, "dir"));
  const attempt = async (path: string, type: string) => {
    const made = await pod([{ name: "v", hostPath: { path: join(root, path), type } }]);
    const [mount] = await (await manager.setUp(made)).mountsOf(made.spec!.containers[0]!);
    return mount!.hostPath;
  };
  const wrong = (path: string, what: string) =>
    refused(
      `MountVolume.SetUp failed for volume "v" : hostPath type check failed: ${root}/${path} is not ${what}`,
    );
  await assert.rejects(attempt("file", "Directory"), wrong("file", "a directory"));
  await assert.rejects(attempt("none", "Directory"), wrong("none", "a directory"));
  await assert.rejects(attempt("dir", "File"), wrong("dir", "a file"));
  await assert.rejects(attempt("dir", "FileOrCreate"), wrong("dir", "a file"));
  await assert.rejects(attempt("file", "Socket"), wrong("file", "a socket file"));
  await assert.rejects(attempt("file", "CharDevice"), wrong("file", "a character device"));
  await assert.rejects(attempt("file", "BlockDevice"), wrong("file", "a block device"));
  for (const [path, type] of [
    ["dir", "Directory"],
    ["new/dir", "DirectoryOrCreate"],
    ["new/file", "FileOrCreate"],
    ["absent", ""],
  ]) {
    assert.equal(await attempt(path!, type!), join(root, path!));
  }
  assert.ok((await stat(join(root, "new/dir"))).isDirectory());
  assert.ok((await stat(join(root, "new/file"))).isFile());
});

async function claim(
  client: Awaited<ReturnType<typeof start>>["client"],
  name: string,
  spec: Partial<PersistentVolumeSpec>,
  annotations = {},
) {
  const claims = client.resource(PersistentVolumeClaim, "default");
  const made = await claims.create({
    metadata: { name },
    spec: {
      accessModes: ["ReadWriteOnce"],
      resources: { requests: { storage: "1Gi" } },
      volumeName: `pv-${name}`,
    },
  } as never);
  await client.resource(PersistentVolume).create({
    metadata: { name: `pv-${name}`, annotations },
    spec: {
      accessModes: ["ReadWriteOnce"],
      capacity: { storage: "1Gi" },
      claimRef: { namespace: "default", name, uid: made.metadata.uid },
      ...spec,
    },
  } as never);
  return async () => claims.updateStatus({ ...made, status: { phase: "Bound" } } as never);
}

const ON = (name: string): Partial<PersistentVolumeSpec> => ({
  nodeAffinity: {
    required: {
      nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: [name] }] }],
    },
  },
});

test("VolumeManager mounts what claims are bound to, on the node that has it", async (t) => {
  const { client, manager, pod, root } = await start(t);
  const using = (claimName: string) => pod([{ name: "v", persistentVolumeClaim: { claimName } }]);
  const unprocessed = (why: string) =>
    refused(
      `Unable to attach or mount volumes: unmounted volumes=[v], unattached volumes=[], failed to process volumes=[v]: error processing PVC default/${why}`,
    );
  await assert.rejects(
    manager.setUp(await using("none")),
    unprocessed('none: failed to fetch PVC from API server: persistentvolumeclaims "none" not found'),
  );
  const path = join(root, "storage/pv-a");
  const by = { "pv.kubernetes.io/provisioned-by": "kybern.dev/local-path" };
  const bind = await claim(client, "a", { local: { path }, ...ON("n") }, by);
  const first = await using("a");
  await assert.rejects(manager.setUp(first), unprocessed("a: PVC is not bound"));
  await bind();
  const [mount] = await (await manager.setUp(first)).mountsOf(first.spec!.containers[0]!);
  assert.equal(mount!.hostPath, path);
  assert.equal((await stat(path)).mode & 0o777, 0o777);
  await (await claim(client, "b", { local: { path: join(root, "absent") }, ...ON("n") }))();
  await assert.rejects(
    manager.setUp(await using("b")),
    refused(`MountVolume.SetUp failed for volume "pv-b" : path "${root}/absent" does not exist`),
  );
  await (await claim(client, "c", { local: { path }, ...ON("m") }))();
  await assert.rejects(
    manager.setUp(await using("c")),
    refused('MountVolume.NodeAffinity check failed for volume "pv-c" : no matching NodeSelectorTerms'),
  );
  const once = { accessModes: ["ReadWriteOncePod"], hostPath: { path: root } };
  await (await claim(client, "d", once))();
  await manager.setUp(await using("d"));
  await assert.rejects(manager.setUp(await using("d")), refused(/is already in use by another pod$/));
});

test("VolumeManager mounts image volumes when a container wants them, and takes them down", async (t) => {
  const { manager, open, pod, mounts, views } = await start(t);
  const made = await pod([{ name: "v", image: { reference: "a.io/b:1", pullPolicy: "IfNotPresent" } }]);
  const [container] = made.spec!.containers;
  const volumes = await manager.setUp(made);
  await assert.rejects(
    volumes.mountsOf(container!),
    refused('failed to mount image volume "v": its image was not pulled', "CreateContainerError"),
  );
  await volumes.pullImages(container!);
  assert.deepEqual(mounts.entries, []);
  const [mount] = await volumes.mountsOf(container!);
  assert.match(mount!.hostPath!, /\/volumes\/kubernetes\.io~image\/v$/);
  assert.deepEqual(
    mounts.entries.map(({ target, options }) => [target, options]),
    [[mount!.hostPath, ["ro"]]],
  );
  assert.deepEqual([...views], [`kybern-volume-${made.metadata.uid}-v`]);
  const other = open();
  assert.deepEqual(await (await other.setUp(made)).mountsOf(container!), [mount]);
  assert.equal(mounts.entries.length, 1);
  await other.tearDown(made.metadata.uid!);
  assert.deepEqual([mounts.entries, [...views], await other.podUIDs()], [[], [], []]);
  await manager.tearDown(made.metadata.uid!);
  await assert.rejects(
    volumes.mountsOf(container!),
    refused("the volumes of the pod are gone", "CreateContainerError"),
  );
  assert.deepEqual([mounts.entries, [...views]], [[], []]);
  await other.stop();
});

test("VolumeManager refuses mounts that are wrong", async (t) => {
  const { manager, pod } = await start(t);
  const made = await pod([{ name: "v", emptyDir: {} }]);
  const volumes = await manager.setUp(made);
  const mountOf = (mount: object) =>
    volumes.mountsOf({ name: "c", volumeMounts: [{ name: "v", mountPath: "rel", ...mount }] });
  const wrong = (message: string | RegExp) => refused(message, "CreateContainerConfigError");
  await assert.rejects(mountOf({ name: "w" }), wrong('cannot find volume "w" to mount into container "c"'));
  await assert.rejects(mountOf({ subPath: "/a" }), wrong("error SubPath `/a` must not be an absolute path"));
  await assert.rejects(
    mountOf({ subPath: "a/../b" }),
    wrong("unable to provision SubPath `a/../b`: must not contain '..'"),
  );
  await assert.rejects(mountOf({ subPathExpr: "$(NONE)" }), wrong('missing value for "NONE"'));
  await assert.rejects(
    mountOf({ readOnly: true, recursiveReadOnly: "Enabled" }),
    wrong('volume "v" requested recursive read-only mode, but it is not supported by the runtime'),
  );
  const [mount] = await mountOf({
    mountPropagation: "Bidirectional",
    readOnly: true,
    recursiveReadOnly: "IfPossible",
  });
  const { hostPath: _, ...rest } = mount!;
  assert.deepEqual(rest, { containerPath: "/rel", readonly: true, propagation: 2, recursiveReadOnly: false });
});

test("VolumeManager asks for mounts below read-only ones to be so where the pod's runtime can", async (t) => {
  const { client, manager, handlers, pod, informers } = await start(t);
  await client.resource(RuntimeClass).create({ metadata: { name: "able" }, handler: "one" });
  const classes = informers.of(RuntimeClass);
  await classes.until(() => classes.lister.get("", "able") !== undefined);
  handlers.push({ name: "", features: undefined });
  handlers.push({ name: "one", features: { recursiveReadOnlyMounts: true, userNamespaces: false } });
  const volumeMounts = [
    { name: "v", mountPath: "/v", readOnly: true, recursiveReadOnly: "IfPossible" },
    { name: "v", mountPath: "/w", readOnly: true },
  ];
  const asked = async (more: object) => {
    const made = await pod([{ name: "v", emptyDir: {} }], more);
    const mounts = await (await manager.setUp(made)).mountsOf({ name: "c", volumeMounts });
    return mounts.map(({ recursiveReadOnly }) => recursiveReadOnly);
  };
  assert.deepEqual(await asked({ runtimeClassName: "able" }), [true, false]);
  assert.deepEqual(await asked({}), [false, false]);
});

test("VolumeManager follows what it shows of the pod itself, also of pods of its former life", {
  timeout: 240_000,
}, async (t) => {
  const { client, manager, pod, open } = await start(t);
  const items = [{ path: "labels", fieldRef: { fieldPath: "metadata.labels" } }];
  const made = await pod([{ name: "d", downwardAPI: { items } }]);
  const [mount] = await (await manager.setUp(made)).mountsOf(made.spec!.containers[0]!);
  const path = join(mount!.hostPath!, "labels");
  assert.equal(await readFile(path, "utf8"), 'a="1"');
  const pods = client.resource(PodKind, "default");
  const name = made.metadata.name!;
  await pods.patch(name, { metadata: { labels: { a: "2" } } }, { type: "merge" });
  await becomes(path, 'a="2"');
  await pods.patch(name, { status: { phase: "Running" } }, { type: "merge", subresource: "status" });
  await manager.stop();
  await pods.patch(name, { metadata: { labels: { a: "3" } } }, { type: "merge" });
  const next = open();
  t.after(() => next.stop());
  await next.start();
  await becomes(path, 'a="3"');
  await pods.patch(name, { metadata: { labels: { a: "4" } } }, { type: "merge" });
  await becomes(path, 'a="4"');
});

test("VolumeManager gives its node a CSINode, which has no drivers yet", { timeout: 240_000 }, async (t) => {
  const { client } = await start(t);
  const seen = client.resource(CSINode).watch({
    fieldSelector: "metadata.name=n",
    sendInitialEvents: true,
    resourceVersionMatch: "NotOlderThan",
    allowWatchBookmarks: true,
  });
  for await (const { type, object } of seen) {
    if (type !== "ADDED") continue;
    assert.deepEqual(object.spec.drivers ?? [], []);
    assert.equal(object.metadata.ownerReferences?.[0]?.kind, "Node");
    break;
  }
});

test("VolumeManager removes what pods leave, and nothing that their links lead to", async (t) => {
  const { manager, pod, root, mounts } = await start(t);
  const made = await pod([
    { name: "disk", emptyDir: {} },
    { name: "memory", emptyDir: { medium: "Memory" } },
    { name: "d", downwardAPI: { items: [{ path: "p", fieldRef: { fieldPath: "metadata.name" } }] } },
  ]);
  const volumes = await manager.setUp(made);
  const [disk] = await volumes.mountsOf(made.spec!.containers[0]!);
  await mkdir(join(root, "outside"));
  await writeFile(join(root, "outside/file"), "");
  await symlink(join(root, "outside"), join(disk!.hostPath!, "link"));
  const uid = made.metadata.uid!;
  assert.deepEqual(await manager.podUIDs(), [uid]);
  await manager.tearDown(uid);
  await manager.tearDown(uid);
  assert.deepEqual(await manager.podUIDs(), []);
  assert.ok(await lstat(join(root, "outside/file")));
  assert.deepEqual(
    mounts.entries.map(({ target }) => target),
    [`${root}/volatile`],
  );
  for (const wrong of ["", "..", "a/b"]) await assert.rejects(manager.tearDown(wrong), /is no uid of a pod/);
});

test("VolumeManager deletes nothing as long as something is mounted there", async (t) => {
  const { manager, root, mounts } = await start(t);
  await mkdir(join(root, "pods/u/volumes/x"), { recursive: true });
  mounts.unmountBelow = async () => {};
  mounts.entries.push({
    id: 1,
    parentID: 0,
    device: "",
    root: "/",
    target: join(root, "pods/u/volumes/x"),
    options: [],
    propagation: [],
    type: "none",
    source: "",
    superOptions: [],
  });
  await assert.rejects(manager.tearDown("u"), /something is mounted at/);
  assert.deepEqual(await manager.podUIDs(), ["u"]);
});
