import assert from "node:assert/strict";
import { watch } from "node:fs";
import { appendFile, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { isAlive } from "../processes.ts";
import { keepLogSmall } from "./keep-log-small.ts";
import {
  findSupervised,
  lastLines,
  type SupervisorPlaces,
  startSupervised,
  stopSupervised,
} from "./supervisor.ts";

const LONGEST = { timeout: 240_000 };
/** Milliseconds that a program gets to end, on a machine that is busy. */
const GRACE = 60_000;

async function places(t: TestContext): Promise<SupervisorPlaces> {
  const directory = await mkdtemp(join(tmpdir(), "kybern-supervisor-"));
  const of: SupervisorPlaces = {
    supervisorPid: join(directory, "supervisor.pid"),
    programPid: join(directory, "program.pid"),
    log: join(directory, "log"),
    isProgram: (command) => command.includes(directory) && command.includes("program"),
  };
  t.after(async () => {
    await stopSupervised(of, GRACE);
    await rm(directory, { recursive: true });
  });
  return of;
}

/** Resolves when the file holds what is looked for, told by the kernel. */
async function until(path: string, holds: (text: string) => boolean): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const look = async (): Promise<void> => {
    const text = await readFile(path, "utf8").catch(() => "");
    if (holds(text)) resolve(text);
  };
  const watcher = watch(join(path, ".."), () => void look());
  await look();
  return promise.finally(() => watcher.close());
}

function program(of: SupervisorPlaces, script: string): string[] {
  return ["/bin/sh", "-c", script, "program", join(of.log, "..")];
}

test(
  "a supervised program is started again when it is killed, and ends in good order",
  LONGEST,
  async (t) => {
    const of = await places(t);
    await startSupervised(
      of,
      program(of, "trap 'echo ended; exit 0' TERM; echo begun; while :; do sleep 0.1; done"),
    );
    await until(of.log, (text) => text.includes("begun"));
    const first = await findSupervised(of);
    assert.ok(first.supervisor !== undefined && first.program !== undefined);
    process.kill(first.program, "SIGKILL");
    await until(of.log, (text) => text.split("begun").length === 3);
    const second = await findSupervised(of);
    assert.equal(second.supervisor, first.supervisor);
    assert.notEqual(second.program, first.program);
    await stopSupervised(of, GRACE);
    assert.match(await readFile(of.log, "utf8"), /status 137[\s\S]*ended/);
    assert.deepEqual(await findSupervised(of), { supervisor: undefined, program: undefined });
    assert.equal(isAlive(first.supervisor), false);
    await stopSupervised(of, GRACE);
  },
);

test("a program that ends by itself with 0 is not started again", LONGEST, async (t) => {
  const of = await places(t);
  await startSupervised(of, program(of, 'until [ -e "$1/go" ]; do sleep 0.1; done; echo once'));
  await until(of.programPid, (text) => text !== "");
  await writeFile(join(of.log, "../go"), "");
  // Removed when the program has ended; told to end before that, it would be killed by the signal.
  await until(of.programPid, (text) => text === "");
  await stopSupervised(of, GRACE);
  assert.deepEqual(await lastLines(of.log, 5), ["once"]);
});

test(
  "both are found without the files that name them, and a file that names another is not believed",
  LONGEST,
  async (t) => {
    const of = await places(t);
    await startSupervised(of, program(of, "echo begun; while :; do sleep 0.1; done"));
    await until(of.log, (text) => text.includes("begun"));
    const found = await findSupervised(of);
    await writeFile(of.supervisorPid, "1\n");
    await rm(of.programPid);
    assert.deepEqual(await findSupervised(of), found);
  },
);

test(
  "keepLogSmall puts a log that got too large aside, and its writer goes on in an empty one",
  LONGEST,
  async (t) => {
    const of = await places(t);
    await writeFile(of.log, "");
    t.after(keepLogSmall(of.log, 100));
    await appendFile(of.log, `${"x".repeat(200)}\n`);
    assert.match(await until(`${of.log}.1`, (text) => text.length > 200), /^x+\n$/);
    await until(of.log, (text) => text === "");
    await appendFile(of.log, "more\n");
    assert.equal((await stat(of.log)).size, 5);
  },
);
