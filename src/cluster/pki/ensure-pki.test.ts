import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { test } from "node:test";
import { connect, createServer } from "node:tls";
import { addressBytes } from "./certificate.ts";
import type { PKIRequest } from "./ensure-pki.ts";
import { ensurePKI } from "./ensure-pki.ts";
import { issueClientCertificate } from "./issue-client-certificate.ts";

const NOW = new Date("2026-05-01T12:00:00Z");
const DAY = 24 * 3_600_000;

async function inFolder(run: (request: PKIRequest) => Promise<void>): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "pki-"));
  try {
    await run({
      directory: join(folder, "pki"),
      now: NOW,
      hostname: "Machine-1",
      dnsDomain: "cluster.local",
      serviceAddresses: ["10.96.0.1"],
    });
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("the PKI has kubeadm's files, readable by their owner only", () =>
  inFolder(async (request) => {
    await ensurePKI(request);
    const files = await readdir(request.directory);
    assert.deepEqual(files.sort(), [
      "admin.crt",
      "admin.key",
      "apiserver-kubelet-client.crt",
      "apiserver-kubelet-client.key",
      "apiserver.crt",
      "apiserver.key",
      "ca.crt",
      "ca.key",
      "controller-manager.crt",
      "controller-manager.key",
      "front-proxy-ca.crt",
      "front-proxy-ca.key",
      "front-proxy-client.crt",
      "front-proxy-client.key",
      "sa.key",
      "sa.pub",
      "scheduler.crt",
      "scheduler.key",
    ]);
    assert.equal((await stat(request.directory)).mode & 0o777, 0o700);
    for (const file of files)
      assert.equal((await stat(join(request.directory, file))).mode & 0o777, 0o600, file);
  }));

test("the serving certificate covers the cluster's names and what is given", () =>
  inFolder(async (request) => {
    const { apiserver, ca } = await ensurePKI({ ...request, addresses: ["192.0.2.7", "2001:db8::7"] });
    const certificate = new X509Certificate(apiserver.certificate);
    assert.equal(
      certificate.subjectAltName,
      "DNS:kubernetes, DNS:kubernetes.default, DNS:kubernetes.default.svc, " +
        "DNS:kubernetes.default.svc.cluster.local, DNS:localhost, DNS:machine-1, IP Address:127.0.0.1, " +
        "IP Address:0:0:0:0:0:0:0:1, IP Address:10.96.0.1, IP Address:192.0.2.7, " +
        "IP Address:2001:DB8:0:0:0:0:0:7",
    );
    assert.equal(certificate.checkIssued(new X509Certificate(ca.certificate)), true);
    assert.equal(new X509Certificate(ca.certificate).ca, true);
    assert.equal(certificate.ca, false);
  }));

test("a second start keeps every file", () =>
  inFolder(async (request) => {
    const first = await ensurePKI(request);
    const second = await ensurePKI(request);
    assert.equal(first.written.length, 18);
    assert.deepEqual(second, { ...first, written: [] });
  }));

test("a missing certificate is made again and the others are kept", () =>
  inFolder(async (request) => {
    const first = await ensurePKI(request);
    await rm(first.scheduler.certificatePath);
    const second = await ensurePKI(request);
    assert.deepEqual(second.written.sort(), [first.scheduler.certificatePath, first.scheduler.keyPath]);
    assert.equal(second.ca.certificate, first.ca.certificate);
  }));

test("the serving certificate is issued again when a name is added", () =>
  inFolder(async (request) => {
    const first = await ensurePKI(request);
    const second = await ensurePKI({ ...request, names: ["api.example.org"] });
    assert.deepEqual(second.written, [first.apiserver.keyPath, first.apiserver.certificatePath]);
    assert.equal(
      new X509Certificate(second.apiserver.certificate).checkHost("api.example.org"),
      "api.example.org",
    );
    const third = await ensurePKI(request);
    assert.deepEqual(third.written, [], "a certificate that covers more is kept");
  }));

test("leaf certificates are issued again near their end, authorities are not", () =>
  inFolder(async (request) => {
    const first = await ensurePKI(request);
    const before = await ensurePKI({ ...request, now: new Date(NOW.getTime() + 270 * DAY) });
    assert.deepEqual(before.written, []);
    const after = await ensurePKI({ ...request, now: new Date(NOW.getTime() + 280 * DAY) });
    assert.equal(after.written.length, 12);
    assert.equal(after.ca.certificate, first.ca.certificate);
  }));

test("leaf certificates of another authority are issued again", () =>
  inFolder(async (request) => {
    const first = await ensurePKI(request);
    await Promise.all([rm(first.ca.certificatePath), rm(first.ca.keyPath)]);
    const second = await ensurePKI(request);
    assert.equal(second.written.length, 2 + 10, "all but the front proxy's");
  }));

test("a key that is not the certificate's stops the start with the file's name", () =>
  inFolder(async (request) => {
    const first = await ensurePKI(request);
    await writeFile(first.apiserver.keyPath, first.scheduler.key);
    await assert.rejects(ensurePKI(request), {
      message: /apiserver\.key is not the key of .*apiserver\.crt/,
    });
  }));

test("certificates and keys that are cut short are issued again, and those that all hangs on are named", () =>
  inFolder(async (request) => {
    const { written, apiserver, admin, ca, frontProxyCA, serviceAccount } = await ensurePKI(request);
    assert.ok(written.length > 0);
    await writeFile(apiserver.certificatePath, apiserver.certificate.slice(0, 300));
    await writeFile(admin.keyPath, admin.key.slice(0, 50));
    const mended = await ensurePKI(request);
    assert.deepEqual(mended.written.map((path) => basename(path)).sort(), [
      "admin.crt",
      "admin.key",
      "apiserver.crt",
      "apiserver.key",
    ]);
    for (const [path, text, said] of [
      [ca.keyPath, ca.key.slice(0, 50), /ca\.key is damaged \(.+\): restore it/],
      [ca.certificatePath, "", /ca\.crt is missing or empty, but .*ca\.key is there: restore it/],
      [frontProxyCA.certificatePath, "?", /front-proxy-ca\.crt is damaged \(.+\): restore it/],
      [serviceAccount.privateKeyPath, "?", /sa\.key is damaged \(.+\): restore it/],
      [serviceAccount.publicKeyPath, "?", /sa\.pub is damaged \(.+\): restore it/],
    ] as const) {
      const before = await readFile(path);
      await writeFile(path, text);
      await assert.rejects(ensurePKI(request), { name: "PKIUnusable", message: said });
      await writeFile(path, before);
    }
    assert.deepEqual((await ensurePKI(request)).written, []);
  }));

test("an authority without its key serves as long as nothing must be issued", () =>
  inFolder(async (request) => {
    const first = await ensurePKI(request);
    await rm(first.ca.keyPath);
    assert.equal((await ensurePKI(request)).ca.key, "");
    await assert.rejects(ensurePKI({ ...request, names: ["more"] }), { message: /ca\.key is missing/ });
  }));

test("sa.pub is made from the sa.key that is there", () =>
  inFolder(async (request) => {
    const { serviceAccount } = await ensurePKI(request);
    await rm(serviceAccount.publicKeyPath);
    const again = await ensurePKI(request);
    assert.deepEqual(again.serviceAccount, serviceAccount);
    assert.equal(await readFile(serviceAccount.publicKeyPath, "utf8"), serviceAccount.publicKey);
  }));

test("a TLS server takes a client certificate of the authority and refuses one of another", () =>
  inFolder(async (request) => {
    const pki = await ensurePKI({ ...request, now: new Date() });
    const stranger = await ensurePKI({ ...request, directory: `${request.directory}-2`, now: new Date() });
    const server = createServer(
      {
        cert: pki.apiserver.certificate,
        key: pki.apiserver.key,
        ca: pki.ca.certificate,
        requestCert: true,
        rejectUnauthorized: false,
      },
      (socket) => {
        socket.end(`${socket.authorized} ${socket.getPeerX509Certificate()?.subject.replaceAll("\n", ",")}`);
      },
    );
    await new Promise<void>((ready) => server.listen(0, "127.0.0.1", ready));
    const { port } = server.address() as AddressInfo;
    const ask = (pair: { certificate: string; key: string }) =>
      new Promise<string>((answered, failed) => {
        const { certificate: cert, key } = pair;
        const socket = connect({ port, host: "127.0.0.1", ca: pki.ca.certificate, cert, key });
        let text = "";
        socket.on("data", (chunk: Buffer) => {
          text += chunk.toString();
        });
        socket.on("end", () => answered(text));
        socket.on("error", failed);
      });
    try {
      const jane = issueClientCertificate({
        ca: pki.ca,
        name: "jane",
        groups: ["dev", "ops"],
        now: new Date(),
      });
      assert.equal(await ask(jane), "true O=dev,O=ops,CN=jane");
      assert.equal(await ask(pki.admin), "true O=system:masters,CN=kubernetes-admin");
      assert.match(await ask(stranger.admin), /^false /);
    } finally {
      server.close();
    }
  }));

test("addressBytes reads every form of an IPv6 address", () => {
  const hex = (address: string) => Buffer.from(addressBytes(address)).toString("hex");
  assert.equal(hex("::"), "00".repeat(16));
  assert.equal(hex("1:2:3:4:5:6:7:8"), "00010002000300040005000600070008");
  assert.equal(hex("2001:db8::"), `20010db8${"00".repeat(12)}`);
  assert.equal(hex("::ffff:1.2.3.4"), `${"00".repeat(10)}ffff01020304`);
  assert.equal(hex("1:2:3:4:5:6:1.2.3.4"), "00010002000300040005000601020304");
  assert.throws(() => addressBytes("fe80::1%eth0"));
});
