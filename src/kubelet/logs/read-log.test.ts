import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { appendFile, mkdir, mkdtemp, rename, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import type { LogQuery } from "./log-query.ts";
import { LogFileError, openLog } from "./open-log.ts";
import { readLog } from "./read-log.ts";

const QUERY: LogQuery = {
  ...{ follow: false, previous: false, timestamps: false, since: undefined },
  ...{ tailLines: undefined, limitBytes: undefined, stream: "All" },
};

async function podLogs(t: TestContext): Promise<{ root: string; path: string }> {
  const root = await mkdtemp(join(tmpdir(), "kybern-logs-"));
  t.after(() => rm(root, { recursive: true, force: true }));
  await mkdir(join(root, "ns_pod_uid/main"), { recursive: true });
  return { root, path: join(root, "ns_pod_uid/main/0.log") };
}

function line(text: string): string {
  return `2026-05-01T12:00:00Z stdout F ${text}\n`;
}

/** Collects what a reader writes, and lets a test wait for a text among it. */
class Seen {
  text = "";
  private waiting: (() => void)[] = [];
  readonly write = (piece: Buffer): void => {
    this.text += piece;
    for (const look of this.waiting.splice(0)) look();
  };
  async until(text: string): Promise<void> {
    while (!this.text.endsWith(text)) await new Promise<void>((resolve) => this.waiting.push(resolve));
  }
}

async function tailOf(place: { root: string; path: string }, tailLines: number): Promise<string> {
  const seen = new Seen();
  const signal = new AbortController().signal;
  await readLog({
    ...place,
    query: { ...QUERY, tailLines },
    write: seen.write,
    signal,
    ended: async () => {},
  });
  return seen.text;
}

test("the last lines are found from the end, over many blocks", async (t) => {
  const place = await podLogs(t);
  const texts = Array.from({ length: 5000 }, (_, i) => `${i} ${"x".repeat(i % 97)}`);
  await writeFile(place.path, texts.map(line).join(""));
  for (const count of [0, 1, 2, 999, 4999, 5000, 6000]) {
    const expected =
      count === 0
        ? ""
        : texts
            .slice(-count)
            .map((text) => `${text}\n`)
            .join("");
    assert.equal(await tailOf(place, count), expected);
  }
  await writeFile(place.path, "");
  assert.equal(await tailOf(place, 3), "");
});

test("a follower goes on over rotations to the end of the container", async (t) => {
  const place = await podLogs(t);
  await writeFile(place.path, line("0"));
  const seen = new Seen();
  let end = (): void => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const { signal } = new AbortController();
  const query = { ...QUERY, follow: true };
  const reading = readLog({ ...place, query, write: seen.write, signal, ended: () => ended });
  await seen.until("0\n");
  for (let round = 1; round <= 20; round++) {
    await appendFile(place.path, line(`before ${round}`));
    await rename(place.path, `${place.path}.${round}`);
    // The runtime writes to the old file until it has begun the new one.
    await appendFile(`${place.path}.${round}`, line(`late ${round}`));
    await writeFile(place.path, line(`after ${round}`));
    await seen.until(`after ${round}\n`);
  }
  await appendFile(place.path, line("last"));
  end();
  await reading;
  const rounds = Array.from({ length: 20 }, (_, i) => i + 1);
  const expected = rounds.map((round) => `before ${round}\nlate ${round}\nafter ${round}\n`).join("");
  assert.equal(seen.text, `0\n${expected}last\n`);
});

test("a follower stops when its client leaves", async (t) => {
  const place = await podLogs(t);
  await writeFile(place.path, line("0"));
  const gone = new AbortController();
  const seen = new Seen();
  const never = new Promise<void>(() => {});
  const query = { ...QUERY, follow: true };
  const reading = readLog({ ...place, query, write: seen.write, signal: gone.signal, ended: () => never });
  await seen.until("0\n");
  gone.abort();
  await reading;
  assert.equal(seen.text, "0\n");
});

test("a reader waits for who takes its pieces", async (t) => {
  const place = await podLogs(t);
  await writeFile(place.path, line("x".repeat(1000)).repeat(1000));
  let [taking, most, pieces] = [0, 0, 0];
  const write = async (): Promise<void> => {
    pieces++;
    most = Math.max(most, ++taking);
    await new Promise(setImmediate);
    taking--;
  };
  await readLog({
    ...place,
    query: QUERY,
    write,
    signal: new AbortController().signal,
    ended: async () => {},
  });
  assert.ok(pieces > 1);
  assert.equal(most, 1);
});

test("only regular files below the pods' logs are opened", async (t) => {
  const { root, path } = await podLogs(t);
  const outside = await mkdtemp(join(tmpdir(), "kybern-outside-"));
  t.after(() => rm(outside, { recursive: true }));
  await writeFile(join(outside, "secret"), "secret");
  const refused = (one: string) => assert.rejects(openLog(one, root), LogFileError, one);
  await symlink(join(outside, "secret"), path);
  await refused(path);
  await symlink(outside, join(root, "ns_pod_uid/linked"));
  await refused(join(root, "ns_pod_uid/linked/secret"));
  await refused(join(outside, "secret"));
  await refused(`${root}/../${outside.split("/").at(-1)}/secret`);
  await refused(join(root, "ns_pod_uid/main"));
  const pipe = join(root, "ns_pod_uid/main/pipe");
  execFileSync("mkfifo", [pipe]);
  await refused(pipe);
  await assert.rejects(openLog(join(root, "ns_pod_uid/main/1.log"), root), { code: "ENOENT" });
  await writeFile(join(root, "ns_pod_uid/main/2.log"), "");
  await (await openLog(join(root, "ns_pod_uid/main/2.log"), root)).close();
});
