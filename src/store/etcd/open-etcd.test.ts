import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, type TestContext, test } from "node:test";
import { storeContract } from "../contract.ts";
import type { Change } from "../store.ts";
import { StoreUnavailable } from "../store.ts";
import { openEtcd } from "./open-etcd.ts";
import { noEtcd, type RealEtcd, startEtcd } from "./real-etcd.ts";

const skip = noEtcd;
let shared: RealEtcd | undefined;
let folder = "";

before(async () => {
  if (skip) return;
  folder = await mkdtemp(join(tmpdir(), "kybern-etcd-"));
  shared = await startEtcd(folder);
});

after(async () => {
  await shared?.stop();
  if (folder) await rm(folder, { recursive: true, force: true });
});

storeContract("etcd", async () => ({ store: await openEtcd({ endpoints: [shared!.endpoint] }) }), {
  embedded: false,
  skip,
});

async function own(t: TestContext): Promise<RealEtcd> {
  const place = await mkdtemp(join(tmpdir(), "kybern-etcd-"));
  const etcd = await startEtcd(place);
  t.after(async () => {
    await etcd.stop();
    await rm(place, { recursive: true, force: true });
  });
  return etcd;
}

test("openEtcd says that no server can be reached", async () => {
  await assert.rejects(
    openEtcd({ endpoints: ["http://127.0.0.1:1"] }),
    (error) => error instanceof StoreUnavailable && !error.maybe,
  );
});

test("openEtcd uses the endpoint that answers", { skip: skip ?? false }, async () => {
  const store = await openEtcd({ endpoints: ["http://127.0.0.1:1", shared!.endpoint] });
  assert.ok((await store.current()) > 0);
  await store[Symbol.asyncDispose]();
});

test("an etcd watch goes on where it was when the server is killed", { skip: skip ?? false }, async (t) => {
  const etcd = await own(t);
  const store = await openEtcd({ endpoints: [etcd.endpoint] });
  t.after(() => store[Symbol.asyncDispose]());
  const seen: Change[] = [];
  let wake = (): void => {};
  const until = async (count: number): Promise<void> => {
    while (seen.length < count) await new Promise<void>((resolve) => (wake = resolve));
  };
  await store.watch({ from: "/a/", to: "/a0" }, 0, {
    changed: (changes) => {
      seen.push(...changes);
      wake();
    },
    failed: () => {},
  });
  const put = (name: string) => store.write({ key: `/a/${name}`, value: Uint8Array.of(1), expect: 0 });
  await put("1");
  await until(1);
  await etcd.restart();
  assert.equal((await put("2")).won, true);
  await put("3");
  await until(3);
  assert.deepEqual(
    seen.map((change) => change.key),
    ["/a/1", "/a/2", "/a/3"],
  );
});

test("etcd deletes a key after its time to live", { skip: skip ?? false }, async () => {
  const store = await openEtcd({ endpoints: [shared!.endpoint] });
  const gone = Promise.withResolvers<Change>();
  await store.watch({ from: "/ttl/", to: "/ttl0" }, await store.current(), {
    changed: (changes) => {
      for (const change of changes) if (!change.now) gone.resolve(change);
    },
    failed: gone.reject,
  });
  await store.write({ key: "/ttl/a", value: Uint8Array.of(7), expect: 0, ttl: 1 });
  const change = await gone.promise;
  assert.deepEqual([change.key, Array.from(change.was!.value)], ["/ttl/a", [7]]);
  await store[Symbol.asyncDispose]();
});

/** A CA, a certificate for 127.0.0.1 and one for a client, as files `ca`, `server` and `client` with .pem and .key. */
async function certificates(place: string): Promise<(name: string) => string> {
  const file = (name: string): string => join(place, name);
  const run = (...args: string[]): void => {
    execFileSync("openssl", args, { stdio: "ignore" });
  };
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
  run("req", "-x509", ...key, "-keyout", file("ca.key"), "-out", file("ca.pem"), "-subj", "/CN=test-ca");
  for (const [name, usage] of [
    ["server", "serverAuth,clientAuth"],
    ["client", "clientAuth"],
  ] as const) {
    run("req", ...key, "-keyout", file(`${name}.key`), "-out", file(`${name}.csr`), "-subj", `/CN=${name}`);
    await writeFile(file(`${name}.ext`), `subjectAltName=IP:127.0.0.1\nextendedKeyUsage=${usage}\n`);
    const ca = ["-CA", file("ca.pem"), "-CAkey", file("ca.key"), "-CAcreateserial"];
    const names = ["-in", file(`${name}.csr`), "-out", file(`${name}.pem`), "-extfile", file(`${name}.ext`)];
    run("x509", "-req", ...names, ...ca, "-days", "1");
  }
  return file;
}

const noTls = skip ?? (spawnSync("openssl", ["version"]).status === 0 ? false : "no openssl is found");

test("openEtcd shows its certificate, and trusts only the CA it was given", { skip: noTls }, async (t) => {
  const place = await mkdtemp(join(tmpdir(), "kybern-etcd-"));
  const file = await certificates(place);
  const secure = ["--cert-file", file("server.pem"), "--key-file", file("server.key"), "--client-cert-auth"];
  const etcd = await startEtcd(place, [...secure, "--trusted-ca-file", file("ca.pem")], "https");
  t.after(async () => {
    await etcd.stop();
    await rm(place, { recursive: true, force: true });
  });
  const [ca, cert, key] = await Promise.all(
    ["ca.pem", "client.pem", "client.key"].map((name) => readFile(file(name))),
  );
  const store = await openEtcd({ endpoints: [etcd.endpoint], tls: { ca, cert, key } });
  assert.ok((await store.write({ key: "/a", value: Uint8Array.of(1), expect: 0 })).won);
  await store[Symbol.asyncDispose]();
  await assert.rejects(openEtcd({ endpoints: [etcd.endpoint], tls: { ca } }), StoreUnavailable);
  await assert.rejects(openEtcd({ endpoints: [etcd.endpoint], tls: { cert, key } }), StoreUnavailable);
});
