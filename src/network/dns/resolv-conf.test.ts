import assert from "node:assert/strict";
import { mkdtemp, readFile, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { systemClock } from "../../base/clock.ts";
import { followResolvConf, parseResolvConf } from "./forward/resolv-conf.ts";
import { podResolvConf } from "./pod-resolv-conf.ts";

async function directory(t: TestContext): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), "kybern-resolv-"));
  t.after(() => rm(made, { recursive: true }));
  return made;
}

test("parseResolvConf takes addresses of resolvers, each once", () => {
  const text =
    "# x\nnameserver 192.0.2.1\n\tnameserver\t2001:db8::1 \nnameserver 192.0.2.1\nnameserver host\nsearch a\nnameserver";
  assert.deepEqual(parseResolvConf(text), ["192.0.2.1", "2001:db8::1"]);
  assert.equal(parseResolvConf("nameserver 10.0.0.1\n".repeat(3)).length, 1);
});

/** What was told, one after the other. */
function follow(t: TestContext, path: string): () => Promise<readonly string[]> {
  const told: (readonly string[])[] = [];
  let waiting: ((servers: readonly string[]) => void) | undefined;
  const stop = followResolvConf(path, systemClock, (servers) => {
    if (waiting) waiting(servers);
    else told.push(servers);
    waiting = undefined;
  });
  // The system's timers hold no process alive, and nothing else is going on here.
  const alive = setInterval(() => {}, 1000);
  t.after(() => {
    stop();
    clearInterval(alive);
  });
  return () => {
    const first = told.shift();
    return first ? Promise.resolve(first) : new Promise((resolve) => (waiting = resolve));
  };
}

test("followResolvConf tells of a file that is replaced, and of what a link leads to", async (t) => {
  const [own, behind] = [await directory(t), await directory(t)];
  const path = join(own, "resolv.conf");
  await writeFile(join(behind, "real"), "nameserver 192.0.2.1\n");
  await symlink(join(behind, "real"), path);
  const next = follow(t, path);
  assert.deepEqual(await next(), ["192.0.2.1"]);
  await writeFile(join(behind, "new"), "nameserver 192.0.2.2\n");
  await rename(join(behind, "new"), join(behind, "real"));
  assert.deepEqual(await next(), ["192.0.2.2"]);
  await writeFile(join(own, "new"), "nameserver 192.0.2.3\n");
  await rename(join(own, "new"), path);
  assert.deepEqual(await next(), ["192.0.2.3"]);
  await writeFile(path, "search x\nnameserver 192.0.2.3\n");
  await rm(path);
  assert.deepEqual(await next(), []);
});

test("followResolvConf takes a file that is missing for an empty one, until it comes", async (t) => {
  const path = join(await directory(t), "resolv.conf");
  const next = follow(t, path);
  assert.deepEqual(await next(), []);
  await writeFile(path, "nameserver 192.0.2.1\n");
  assert.deepEqual(await next(), ["192.0.2.1"]);
});

test("podResolvConf takes the host's file, what is behind its stub, or the cluster's DNS", async (t) => {
  const runDir = await directory(t);
  const [resolvConf, systemdResolvConf] = [join(runDir, "etc"), join(runDir, "systemd")];
  const options = { resolvConf, systemdResolvConf, clusterDNS: ["10.96.0.10"], runDir };
  await writeFile(resolvConf, "nameserver 127.0.0.53\nsearch example.com\noptions edns0\n");
  const made = await podResolvConf(options);
  assert.equal(await readFile(made, "utf8"), "nameserver 10.96.0.10\nsearch example.com\noptions edns0\n");
  await writeFile(systemdResolvConf, "nameserver 192.0.2.1\n");
  assert.equal(await podResolvConf(options), systemdResolvConf);
  await writeFile(resolvConf, "nameserver 127.0.0.1\nnameserver 192.0.2.1\n");
  assert.equal(await podResolvConf(options), resolvConf);
});
