import assert from "node:assert/strict";
import { mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { makeAuthority } from "./certificate.ts";
import type { WatchedPEM } from "./watch-certificates.ts";
import { watchCertificates } from "./watch-certificates.ts";

const NOW = new Date("2026-05-01T12:00:00Z");

async function watched(
  run: (at: {
    files: { certificate: string; key: string };
    changed: () => Promise<WatchedPEM>;
    failure: () => Promise<Error>;
  }) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), "certificates-"));
  const files = { certificate: join(folder, "tls.crt"), key: join(folder, "tls.key") };
  const first = makeAuthority("first", NOW);
  await writeFile(files.certificate, first.certificate);
  await writeFile(files.key, first.key);
  let tell: (pem: WatchedPEM) => void = () => {};
  let tellFailure: (error: Error) => void = () => {};
  const watch = watchCertificates(
    { serving: files },
    { serving: first },
    (_, pem) => tell(pem),
    (error) => tellFailure(error),
  );
  try {
    await run({
      files,
      changed: () => new Promise((resolve) => (tell = resolve)),
      failure: () => new Promise((resolve) => (tellFailure = resolve)),
    });
  } finally {
    watch.close();
    await rm(folder, { recursive: true });
  }
}

test("a renewed pair is told once both halves match", () =>
  watched(async ({ files, changed, failure }) => {
    const next = makeAuthority("next", NOW);
    const mismatch = failure();
    const told = changed();
    await writeFile(`${files.certificate}.new`, next.certificate);
    await rename(`${files.certificate}.new`, files.certificate);
    assert.match((await mismatch).message, /do not match/);
    await writeFile(`${files.key}.new`, next.key);
    await rename(`${files.key}.new`, files.key);
    assert.deepEqual(await told, { certificate: next.certificate, key: next.key });
  }));

test("a damaged file is reported without its content and the next good one is told", () =>
  watched(async ({ files, changed, failure }) => {
    const broken = failure();
    await writeFile(files.key, "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----\n");
    const { message } = await broken;
    assert.doesNotMatch(message, /c2VjcmV0|PRIVATE/);
    const told = changed();
    const next = makeAuthority("next", NOW);
    await writeFile(files.certificate, next.certificate);
    await writeFile(files.key, next.key);
    assert.equal((await told).key, next.key);
  }));
