import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, readlink, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { runCommand } from "../command.ts";
import { imageArchive, makeImage } from "./image.ts";
import { tar } from "./tar.ts";

async function unpacked(t: TestContext, archive: Uint8Array): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), "kybern-oci-"));
  t.after(() => rm(directory, { recursive: true }));
  await writeFile(join(directory, "archive.tar"), archive);
  await runCommand("tar", ["-xf", "archive.tar"], { cwd: directory });
  return directory;
}

test("tar writes files, directories and links as the system's tar reads them", async (t) => {
  const directory = await unpacked(
    t,
    tar([
      { path: "bin" },
      { path: "bin/run", mode: 0o750, content: Buffer.from("x".repeat(700)) },
      { path: "bin/also", linkTo: "run" },
      { path: "empty", mode: 0o600, content: new Uint8Array() },
    ]),
  );
  assert.deepEqual((await readdir(directory)).sort(), ["archive.tar", "bin", "empty"]);
  assert.equal(await readlink(join(directory, "bin/also")), "run");
  const { mode, size } = await stat(join(directory, "bin/also"));
  assert.deepEqual([mode & 0o777, size], [0o750, 700]);
  assert.equal((await stat(join(directory, "empty"))).size, 0);
});

test("tar refuses a path that does not fit", () => {
  assert.throws(() => tar([{ path: "a".repeat(101), content: new Uint8Array() }]), /too long/);
});

test("imageArchive is an OCI layout whose blobs are named by their digests, and the same every time", async (t) => {
  const make = (): Uint8Array =>
    imageArchive([
      makeImage({
        name: "localhost/a:1",
        architecture: "amd64",
        layers: [[{ path: "a", content: Buffer.from("a") }]],
        cmd: ["/a"],
        exposedPorts: ["80/tcp"],
      }),
    ]);
  assert.deepEqual(make(), make());
  const directory = await unpacked(t, make());
  const read = async (path: string) => JSON.parse(await readFile(join(directory, path), "utf8"));
  assert.equal((await read("oci-layout")).imageLayoutVersion, "1.0.0");
  const [entry] = (await read("index.json")).manifests;
  assert.equal(entry.annotations["io.containerd.image.name"], "localhost/a:1");
  const blob = (digest: string): string => `blobs/${digest.replace(":", "/")}`;
  const manifest = await read(blob(entry.digest));
  const config = await read(blob(manifest.config.digest));
  assert.deepEqual(config.config.ExposedPorts, { "80/tcp": {} });
  const { stdout } = {
    stdout: await runCommand("sha256sum", [join(directory, blob(manifest.layers[0].digest))]),
  };
  assert.equal(`sha256:${stdout.split(" ")[0]}`, manifest.layers[0].digest);
});
