import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { KubeConfig } from "@kubernetes/client-node";
import { parse } from "yaml";
import {
  emptyKubeconfig,
  makeKubeconfig,
  mergeKubeconfig,
  printKubeconfig,
  readKubeconfig,
  writeKubeconfig,
} from "./kubeconfig.ts";

const admin = makeKubeconfig({
  server: "https://127.0.0.1:6443",
  ca: "authority",
  certificate: "certificate",
  key: "key",
});

async function inFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "kubeconfig-"));
  try {
    await run(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("a written kubeconfig reads back the same and is its owner's alone", () =>
  inFolder(async (folder) => {
    const path = join(folder, "new", "admin.conf");
    await writeKubeconfig(path, admin);
    assert.deepEqual(await readKubeconfig(path), admin);
    assert.equal((await stat(path)).mode & 0o777, 0o600);
  }));

test("the official client reads a written kubeconfig", () => {
  const client = new KubeConfig();
  client.loadFromString(printKubeconfig(admin));
  assert.equal(client.getCurrentContext(), "kubernetes-admin@kubernetes");
  assert.equal(client.getCurrentCluster()?.server, "https://127.0.0.1:6443");
  assert.equal(client.getCurrentUser()?.certData, Buffer.from("certificate").toString("base64"));
});

test("printing keeps values that YAML would read as something else", () => {
  const odd = {
    ...emptyKubeconfig(),
    extensions: [["1.0", "true", "no", "", "a: b", "# c", "~", "a\nb", "é", "-", "x:", 5, null, [], {}]],
    nested: { list: [{ a: 1, b: { c: ["d"] } }] },
  };
  assert.deepEqual(parse(printKubeconfig(odd)), odd);
});

test("a merge keeps other entries and replaces those of the same name", () => {
  const mine = makeKubeconfig({
    ...{ server: "https://old", ca: "", certificate: "", key: "" },
    clusterName: "mine",
  });
  const stale = mergeKubeconfig(
    mine,
    makeKubeconfig({ server: "https://stale", ca: "", certificate: "", key: "" }),
  );
  const merged = mergeKubeconfig(stale, admin);
  assert.deepEqual(
    merged.clusters.map(({ name, cluster }) => [name, cluster.server]),
    [
      ["mine", "https://old"],
      ["kubernetes", "https://127.0.0.1:6443"],
    ],
  );
  assert.equal(merged["current-context"], "kubernetes-admin@mine");
  assert.equal(
    mergeKubeconfig(stale, admin, { use: true })["current-context"],
    "kubernetes-admin@kubernetes",
  );
});

test("a file that is no kubeconfig is refused without quoting it, a missing one is undefined", () =>
  inFolder(async (folder) => {
    const path = join(folder, "config");
    assert.equal(await readKubeconfig(path), undefined);
    await writeFile(path, "users: [secret");
    await assert.rejects(readKubeconfig(path), (error: Error) => !error.message.includes("secret"));
    await writeFile(path, "kind: Pod\napiVersion: v1\n");
    await assert.rejects(readKubeconfig(path), { message: /is not a kubeconfig of v1/ });
    await writeFile(path, "clusters: null\n");
    assert.deepEqual(await readKubeconfig(path), emptyKubeconfig());
    assert.equal(await readFile(path, "utf8"), "clusters: null\n");
  }));
