/** `kybern up` and the verbs around it, as a user runs them, on real containers. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import test from "node:test";
import { layoutOf } from "../../src/cluster/layout.ts";
import { imageArchive } from "../../src/host/oci/image.ts";
import { unpackTools } from "../e2e/tools.ts";
import { BUSYBOX, busyboxImage } from "./harness/images.ts";
import { cannotRunContainers } from "./harness/machine.ts";
import { machinePlace, ok, type Place } from "./harness/machine-place.ts";
import { networkNamespaces } from "./harness/network-namespaces.ts";
import { saidUntil } from "./streaming-cluster.ts";

const skip = cannotRunContainers;
async function containerOf({ kubectl }: Place, pod: string): Promise<string> {
  const path =
    "jsonpath={.status.containerStatuses[0].containerID} {.status.containerStatuses[0].restartCount}";
  return (await ok(kubectl("get", "pod", pod, "-o", path))).out;
}

test("up brings a node that runs containers, recovers from a kill, and reset leaves nothing", {
  skip,
}, async (t) => {
  const { host } = await networkNamespaces(t, { host: ["192.168.77.1/24"] });
  await using at = await machinePlace(host.name);
  const { kybern, kubectl } = at;
  const before = await at.traces();

  const first = await ok(kybern("up", "--node-name", "up-test"));
  assert.match(first.out, /Node up-test Ready/);
  assert.match(first.out, new RegExp(`export KUBECONFIG=${at.directory}/admin.conf`));

  const archive = join(dirname(at.directory), "busybox.tar");
  await writeFile(archive, imageArchive([await busyboxImage()]));
  assert.match((await ok(kybern("images", "import", archive))).out, /localhost\/busybox:1 imported/);
  assert.match((await ok(kybern("images", "list"))).out, /^localhost\/busybox:1 /m);
  await rm(archive);

  await ok(kubectl("run", "a", `--image=${BUSYBOX}`, "--", "sh", "-c", "echo hello; exec sleep 1000"));
  await ok(kubectl("wait", "--for=condition=Ready", "pod/a", "--timeout=60s"));
  const { kubectl: program } = await unpackTools();
  const following = host.spawn(program, [
    "--kubeconfig",
    join(at.directory, "admin.conf"),
    "logs",
    "-f",
    "a",
  ]);
  assert.equal(await saidUntil(following, "\n"), "hello\n");
  following.kill("SIGKILL");
  await once(following, "exit");
  assert.equal((await ok(kubectl("exec", "a", "--", "hostname"))).out, "a\n");
  // Rules reach the kernel when they do.
  const lookUp = "until nslookup kubernetes.default.svc.cluster.local; do sleep 0.1; done";
  const names = await ok(kubectl("exec", "a", "--", "sh", "-c", lookUp));
  assert.match(names.out, /10\.96\.0\.1\b/);
  const container = await containerOf(at, "a");

  const closeWait = async (): Promise<string> =>
    (await host.run("cat", ["/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_close_wait"])).trim();

  await t.test("up again is harmless", async () => {
    const { pid } = await at.status();
    assert.match((await ok(kybern("up"))).out, /up already/);
    assert.equal((await at.status()).pid, pid);
  });

  await t.test("a second program on the same data is refused, and says why", async () => {
    const second = await kybern("server", "--secure-port", "0");
    assert.equal(second.code, 1);
    assert.match(second.err, /in use by another process/);
  });

  await t.test("after kill -9 of the program it comes back, and the container is the same", async () => {
    const { pid } = await at.status();
    process.kill(pid, "SIGKILL");
    // Waits until the node is ready again, whoever starts the program.
    await ok(kybern("up"));
    assert.notEqual((await at.status()).pid, pid);
    await ok(kubectl("wait", "--for=condition=Ready", "pod/a", "--timeout=60s"));
    assert.equal(await containerOf(at, "a"), container);
    assert.equal((await ok(kubectl("logs", "a"))).out, "hello\n");
  });

  await t.test("after kill -9 of the supervisor too, up starts all again", async () => {
    const layout = layoutOf(at.directory);
    const { pid } = await at.status();
    const supervisor = Number(await readFile(layout.supervisorPid, "utf8"));
    // At once: the program gets itself another when it sees that it has none.
    for (const one of [supervisor, pid]) process.kill(one, "SIGKILL");
    await ok(kybern("up"));
    await ok(kubectl("wait", "--for=condition=Ready", "pod/a", "--timeout=60s"));
    assert.equal(await containerOf(at, "a"), container);
  });

  await t.test("down leaves containers running, and up finds them", async () => {
    assert.match((await ok(kybern("down"))).out, /1 container\(s\) go on running/);
    const status = await kybern("status");
    assert.equal(status.code, 1);
    assert.match(status.err, /nothing runs here/);
    await ok(kybern("up"));
    await ok(kubectl("wait", "--for=condition=Ready", "pod/a", "--timeout=60s"));
    assert.equal(await containerOf(at, "a"), container);
  });

  await t.test("reset asks first, then leaves nothing, any number of times", async () => {
    // As kube-proxy has it, since the node ran first.
    assert.equal(await closeWait(), "3600");
    const refused = await kybern("reset");
    assert.equal(refused.code, 1);
    assert.match(refused.err, /--yes/);
    await ok(kybern("reset", "--yes"));
    assert.deepEqual(await at.traces(), before);
    // What the kernel begins with.
    assert.equal(await closeWait(), "60");
    await ok(kybern("reset", "--yes"));
    assert.deepEqual(await at.traces(), before);
  });
});
