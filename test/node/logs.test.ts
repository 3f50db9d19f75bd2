/** kubectl logs of real containers: as far as asked, while they run, and over rotation. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { readdir, rename, rm, symlink } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";
import { Pod } from "../../src/api/core/pod/pod.ts";
import { systemClock } from "../../src/base/clock.ts";
import { containerLogManager } from "../../src/kubelet/logs/rotation.ts";
import { cannotRunContainers } from "./harness/machine.ts";
import { saidUntil, startStreamingCluster } from "./streaming-cluster.ts";

const HEAD = "for i in 1 2 3 4 5; do echo out $i; done;";

test("logs", { skip: cannotRunContainers }, async (t) => {
  const cluster = await startStreamingCluster(t);
  const ok = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await cluster.run(["logs", ...args]);
    assert.equal(code, 0, stderr);
    return stdout.toString();
  };
  const refused = async (...args: string[]): Promise<string> => {
    const { code, stderr } = await cluster.run(["logs", ...args]);
    assert.equal(code, 1);
    return stderr.trim();
  };
  const raw = async (path: string): Promise<string> => {
    const { code, stdout, stderr } = await cluster.run([
      "get",
      "--raw",
      `/api/v1/namespaces/default/pods/${path}`,
    ]);
    assert.equal(code, 0, stderr);
    return stdout.toString();
  };
  // Says what it is told over its input, so that the test decides when.
  const speaker = `${HEAD} while read -r line; do echo "$line"; [ "$line" = end ] && exit 0; done`;
  const pod = await cluster.runPod("talker", [
    { name: "speaker", command: ["/bin/sh", "-c", speaker], stdin: true },
    { name: "quiet", command: ["/bin/sh", "-c", "echo wrong >&2; sleep 3600"] },
  ]);
  const attached = cluster.kubectl(["attach", "-i", "talker", "-c", "speaker"]);
  const follower = cluster.kubectl(["logs", "-f", "talker", "-c", "speaker", "--tail", "1"]);
  attached.stdin!.write("begin\n");
  await saidUntil(follower, "begin\n");
  const other = cluster.kubectl(["logs", "-f", "talker", "-c", "quiet"]);
  await saidUntil(other, "wrong\n");
  other.kill();

  await t.test("a part of a log is what was asked for", async () => {
    const all = await ok("talker", "-c", "speaker");
    assert.match(all, /^out 1\nout 2\nout 3\nout 4\nout 5\n/);
    assert.equal(await ok("talker", "-c", "speaker", "--tail", "1"), "begin\n");
    assert.equal(await ok("talker", "-c", "speaker", "--tail", "0"), "");
    assert.equal(await ok("talker", "-c", "speaker", "--limit-bytes", "8"), "out 1\nou");
    assert.equal(await ok("talker", "-c", "speaker", "--since", "1h"), all);
    assert.equal(await ok("talker", "-c", "speaker", "--since-time", "2100-01-01T00:00:00Z"), "");
    const stamped = await ok("talker", "-c", "speaker", "--timestamps", "--limit-bytes", "43");
    assert.match(stamped, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}(Z|[+-]\d\d:\d\d) out 1\n/);
    assert.equal(await raw("talker/log?container=quiet&stream=Stderr"), "wrong\n");
    assert.equal(await raw("talker/log?container=quiet&stream=Stdout"), "");
    assert.equal(await raw("talker/log?container=speaker&stream=Stderr"), "");
    // kubectl asks for the containers in any order.
    const last = await ok("talker", "--all-containers", "--tail", "1");
    assert.ok(["begin\nwrong\n", "wrong\nbegin\n"].includes(last), last);
  });

  await t.test("a follower sees what is written later, and the end", async () => {
    attached.stdin!.write("more\n");
    await saidUntil(follower, "more\n");
  });

  await t.test("a follower goes on with the next file, and misses nothing", async () => {
    const directory = join(cluster.podLogs, `default_talker_${pod.uid}`, "speaker");
    const manager = containerLogManager({
      runtime: cluster.runtime,
      running: () => [{ id: pod.containers.get("speaker")!, path: join(directory, "0.log") }],
      clock: { ...systemClock, setTimer: () => () => {} },
      maxSize: 1,
      maxFiles: 3,
      log: () => {},
    });
    const said = saidUntil(follower, "round 4\n");
    for (let round = 1; round <= 4; round++) {
      attached.stdin!.write(`round ${round}\n`);
      await saidUntil(follower, `round ${round}\n`);
      await manager.rotate();
    }
    await said;
    const files = (await readdir(directory)).sort();
    assert.equal(files.length, 3, files.join());
    assert.equal(files.filter((name) => name.endsWith(".gz")).length, 1);
    attached.stdin!.write("end\n");
    const [code] = await once(follower, "close");
    assert.equal(code, 0);
    await cluster.refresh("talker");
  });

  await t.test("refusals are upstream's", async () => {
    assert.match(
      await raw("talker/log?container=speaker&tailLines=1"),
      /^end\n$/,
      "the log of a container that has ended is there",
    );
    assert.equal(
      await refused("talker", "-c", "speaker", "--previous"),
      'Error from server (BadRequest): previous terminated container "speaker" in pod "talker" not found',
    );
    assert.equal(
      await refused("talker", "-c", "nobody"),
      "error: container nobody is not valid for pod talker",
    );
    const { stderr } = await cluster.run(["get", "--raw", "/api/v1/namespaces/default/pods/talker/log"]);
    assert.equal(
      stderr.trim(),
      "Error from server (BadRequest): a container name must be specified for pod talker, choose one of: [speaker quiet]",
    );
    assert.equal(
      await refused("nobody"),
      'error: error from server (NotFound): pods "nobody" not found in namespace "default"',
    );
  });

  await t.test("a log that became a link shows nothing", async () => {
    const path = join(cluster.podLogs, `default_talker_${pod.uid}`, "quiet/0.log");
    await rename(path, `${path}.kept`);
    await symlink("/etc/hostname", path);
    assert.match(await refused("talker", "-c", "quiet"), /is not a log of a pod/);
    await rm(path);
    await rename(`${path}.kept`, path);
  });

  await t.test("a container that waits has no log yet", async () => {
    const pods = cluster.client.resource(Pod, "default");
    await cluster.runPod("waiter", [{ name: "main", command: ["/bin/sleep", "3600"] }]);
    const waiting = { waiting: { reason: "ContainerCreating" } };
    await cluster.setState("waiter", "main", waiting);
    assert.equal(
      await refused("waiter"),
      'Error from server (BadRequest): container "main" in pod "waiter" is waiting to start: ContainerCreating',
    );
    assert.ok(await pods.get("waiter"));
  });
});
