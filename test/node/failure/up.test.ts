/** `kybern up` where ports are taken, files are damaged and its supervisor is killed: it says so, or mends it. */
import assert from "node:assert/strict";
import { readFile, truncate, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import test from "node:test";
import { layoutOf } from "../../../src/cluster/layout.ts";
import { imageArchive } from "../../../src/host/oci/image.ts";
import { BUSYBOX, busyboxImage } from "../harness/images.ts";
import { cannotRunContainers as skip } from "../harness/machine.ts";
import { machinePlace, ok } from "../harness/machine-place.ts";
import { networkNamespaces } from "../harness/network-namespaces.ts";
import { killUntilReplaced } from "./pid-file.ts";
import { WAIT } from "./pods.ts";

test("a cluster of a machine on which something went wrong", { skip, timeout: 460_000 }, async (t) => {
  const { host } = await networkNamespaces(t, { host: ["192.168.77.1/24"] });
  await using at = await machinePlace(host.name);
  const { kybern, kubectl, directory } = at;
  const layout = layoutOf(directory);
  await ok(kybern("up", "--node-name", "n"));
  const archive = join(dirname(directory), "busybox.tar");
  await writeFile(archive, imageArchive([await busyboxImage()]));
  await ok(kybern("images", "import", archive));
  await ok(kubectl("run", "a", `--image=${BUSYBOX}`, "--", "sh", "-c", WAIT));
  await ok(kubectl("wait", "--for=condition=Ready", "pod/a", "--timeout=60s"));
  const container = async (): Promise<string> => {
    await ok(kubectl("wait", "--for=condition=Ready", "pod/a", "--timeout=60s"));
    const path = "jsonpath={.status.containerStatuses[0].containerID}";
    return (await ok(kubectl("get", "pod", "a", "-o", path))).out;
  };
  const before = await container();

  await t.test("gets another supervisor where its own was killed", async () => {
    const { pid } = await at.status();
    await killUntilReplaced(layout.supervisorPid);
    assert.match((await ok(kybern("up"))).out, /Node n Ready|up already/);
    assert.notEqual((await at.status()).pid, pid);
    assert.equal(await container(), before);
  });

  await t.test("comes up over files that are empty or cut short, and containers go on", async () => {
    await ok(kybern("down"));
    for (const [path, size] of [
      [join(layout.pki, "apiserver.crt"), 300],
      [layout.adminConfig, 0],
      [join(layout.runDir, "boot-id"), 0],
      [join(layout.runDir, "overlay-sysctls.json"), 1],
      [join(layout.containerd.run, "config.toml"), 0],
      [join(layout.containerd.run, "pid"), 0],
      [join(layout.cniConfDir, "10-kybern.conflist"), 0],
    ] as const)
      await truncate(path, size);
    await ok(kybern("up"));
    assert.equal(await container(), before);
  });

  await t.test("is refused, in a sentence, where that would harm", async () => {
    await ok(kybern("down"));
    const settings = await readFile(layout.settings);
    await truncate(layout.settings, settings.length / 2);
    const forgetful = await kybern("up");
    assert.equal(forgetful.code, 1);
    assert.match(forgetful.err, /^kybern: .*up\.json, which says how this cluster runs, is damaged/);
    await writeFile(layout.settings, settings);

    const key = join(layout.pki, "ca.key");
    const whole = await readFile(key);
    await truncate(key, 50);
    const keyless = await kybern("up");
    assert.equal(keyless.code, 1);
    assert.match(keyless.err, /kybern: .*ca\.key is damaged \(.*\): restore it/);
    assert.doesNotMatch(keyless.err, /\n\s+at /);
    await writeFile(key, whole);

    const script = "require('net').createServer().listen(6443, () => console.log('listens'))";
    const listening = host.spawn(process.execPath, ["-e", script]);
    await new Promise((resolve) => listening.stdout?.once("data", resolve));
    const portless = await kybern("up");
    assert.equal(portless.code, 1);
    assert.match(portless.err, /port 6443, for the API server \(--secure-port\), is taken/);
    listening.kill("SIGKILL");
    await new Promise((resolve) => listening.once("exit", resolve));

    await ok(kybern("up"));
    assert.equal(await container(), before);
  });
});
