/** `kybern up` and the verbs around it, as a user runs them, on real containers. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import test, { type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import type { ClusterStatus } from "../../src/cluster/cluster-status.ts";
import { layoutOf } from "../../src/cluster/layout.ts";
import { openMounts } from "../../src/host/mounts/mounts.ts";
import { imageArchive } from "../../src/host/oci/image.ts";
import { unpackTools } from "../e2e/tools.ts";
import { BUSYBOX, busyboxImage } from "./harness/images.ts";
import { cannotRunContainers } from "./harness/machine.ts";
import { networkNamespaces } from "./harness/network-namespaces.ts";

const skip = cannotRunContainers;
const PROGRAM = fileURLToPath(new URL("../../bin/kybern.js", import.meta.url));
const LONGEST = 180_000;

interface Ran {
  code: number | null;
  out: string;
  err: string;
}

interface Place {
  directory: string;
  kybern(...words: string[]): Promise<Ran>;
  kubectl(...words: string[]): Promise<Ran>;
  status(): Promise<ClusterStatus>;
  /** What there is that a cluster could leave behind. */
  traces(): Promise<Record<string, string[]>>;
}

/** A machine of its own as far as networks go, with a directory of its own. */
async function place(t: TestContext): Promise<Place> {
  const { host } = await networkNamespaces(t, { host: ["192.168.77.1/24"] });
  const directory = join(await mkdtemp(join(tmpdir(), "kyup-")), "data");
  const { kubectl } = await unpackTools();
  const inside = (command: string, words: readonly string[]): Promise<Ran> =>
    run("nsenter", [`--net=/run/netns/${host.name}`, command, ...words]);
  const kybern = (...words: string[]): Promise<Ran> =>
    inside(process.execPath, [PROGRAM, ...words, "--data-dir", directory]);
  t.after(async () => {
    await kybern("reset", "--yes");
    await rm(dirname(directory), { recursive: true, force: true });
  });
  // Addresses that the kernel gives links by itself come when it likes.
  const lines = (text: string): string[] =>
    text
      .split("\n")
      .filter((line) => line !== "" && !line.includes("fe80::"))
      .sort();
  return {
    directory,
    kybern,
    kubectl: (...words) => inside(kubectl, ["--kubeconfig", join(directory, "admin.conf"), ...words]),
    status: async () => JSON.parse((await ok(kybern("status", "-o", "json"))).out) as ClusterStatus,
    async traces() {
      const [links, routes, rules, mounts, groups] = await Promise.all([
        inside("ip", ["-brief", "link"]),
        inside("ip", ["route", "show", "table", "all"]),
        inside("nft", ["list", "ruleset"]),
        openMounts().table(),
        cgroups(layoutOf(directory).cgroupRoot),
      ]);
      return {
        links: lines(links.out),
        routes: lines(routes.out),
        rules: lines(rules.out),
        mounts: mounts.map(({ target }) => target).filter((target) => target.startsWith(directory)),
        cgroups: groups,
        processes: await processesWith(directory),
        addresses: lines((await inside("ip", ["-4", "-brief", "address"])).out),
        files: await readdir(dirname(directory)),
      };
    },
  };
}

function run(command: string, words: readonly string[]): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, words, { stdio: ["ignore", "pipe", "pipe"], timeout: LONGEST });
    const [out, err]: [Buffer[], Buffer[]] = [[], []];
    child.stdout.on("data", (chunk: Buffer) => out.push(chunk));
    child.stderr.on("data", (chunk: Buffer) => err.push(chunk));
    child.on("error", reject);
    child.on("exit", (code) => {
      const text = (chunks: Buffer[]): string => Buffer.concat(chunks).toString();
      resolve({ code, out: text(out), err: text(err) });
    });
  });
}

async function ok(ran: Promise<Ran>): Promise<Ran> {
  const done = await ran;
  assert.equal(done.code, 0, `${done.out}\n${done.err}`);
  return done;
}

async function cgroups(root: string): Promise<string[]> {
  const hierarchies = await readdir("/sys/fs/cgroup");
  const found = await Promise.all(
    ["", ...hierarchies].map(async (name) => {
      const path = join("/sys/fs/cgroup", name, root);
      return (await readdir(path).catch(() => undefined)) ? [path] : [];
    }),
  );
  return found.flat();
}

async function processesWith(text: string): Promise<string[]> {
  const pids = (await readdir("/proc")).filter((name) => /^[0-9]+$/.test(name));
  const commands = await Promise.all(
    pids.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")),
  );
  return commands.filter((command) => command.includes(text)).map((command) => command.replaceAll("\0", " "));
}

async function containerOf({ kubectl }: Place, pod: string): Promise<string> {
  const path =
    "jsonpath={.status.containerStatuses[0].containerID} {.status.containerStatuses[0].restartCount}";
  return (await ok(kubectl("get", "pod", pod, "-o", path))).out;
}

test("up brings a node that runs containers, recovers from a kill, and reset leaves nothing", {
  skip,
}, async (t) => {
  const at = await place(t);
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
  assert.equal((await ok(kubectl("logs", "a"))).out, "hello\n");
  assert.equal((await ok(kubectl("exec", "a", "--", "hostname"))).out, "a\n");
  const names = await ok(kubectl("exec", "a", "--", "nslookup", "kubernetes.default.svc.cluster.local"));
  assert.match(names.out, /10\.96\.0\.1\b/);
  const container = await containerOf(at, "a");

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
    process.kill(Number(await readFile(layout.supervisorPid, "utf8")), "SIGKILL");
    process.kill((await at.status()).pid, "SIGKILL");
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
    const refused = await kybern("reset");
    assert.equal(refused.code, 1);
    assert.match(refused.err, /--yes/);
    await ok(kybern("reset", "--yes"));
    assert.deepEqual(await at.traces(), before);
    await ok(kybern("reset", "--yes"));
    assert.deepEqual(await at.traces(), before);
  });
});
