import assert from "node:assert/strict";
import test from "node:test";
import type { ContainerStatus } from "../../api/schema/core.v1.generated.ts";
import type { ContainerRecord } from "../pods/runtime-state.ts";
import { lastLines, limitMessages, terminationMessage } from "./termination-message.ts";

const record = (more: Partial<ContainerRecord> = {}): ContainerRecord =>
  ({
    message: "",
    terminationMessagePath: "/dev/termination-log",
    terminationMessagePolicy: "File",
    exitCode: 1,
    logPath: "/log",
    mounts: [{ containerPath: "/dev/termination-log", hostPath: "/said" }],
    ...more,
  }) as ContainerRecord;
const files =
  (said: string, log = "") =>
  async (path: string, bytes: number, fromEnd: boolean) => {
    const text = path === "/said" ? said : log;
    return Buffer.from(fromEnd ? text.slice(-bytes) : text.slice(0, bytes));
  };
const LOG =
  "2026-01-01T00:00:00Z stderr F one\n2026-01-01T00:00:00Z stdout P tw\n2026-01-01T00:00:00Z stdout F o\n";

test("terminationMessage is what the file says, no more than 4096 bytes of it", async () => {
  assert.equal(await terminationMessage(record(), files("bye")), "bye");
  assert.equal((await terminationMessage(record(), files("x".repeat(5000)))).length, 4096);
});

test("terminationMessage comes after what the runtime says", async () => {
  assert.equal(await terminationMessage(record({ message: "killed" }), files("bye")), "killed: bye");
  assert.equal(await terminationMessage(record({ message: "killed" }), files("")), "killed");
});

test("terminationMessage falls back to the log of a container that failed and said nothing", async () => {
  const terminationMessagePolicy = "FallbackToLogsOnError";
  assert.equal(await terminationMessage(record({ terminationMessagePolicy }), files("", LOG)), "one\ntwo\n");
  assert.equal(await terminationMessage(record({ terminationMessagePolicy }), files("bye", LOG)), "bye");
  assert.equal(
    await terminationMessage(record({ terminationMessagePolicy, exitCode: 0 }), files("", LOG)),
    "",
  );
  assert.equal(await terminationMessage(record(), files("", LOG)), "");
});

test("terminationMessage says why it could not be read", async () => {
  const read = async (): Promise<Buffer> => {
    throw new Error("ELOOP");
  };
  assert.equal(await terminationMessage(record(), read), "Error on reading termination log /said: ELOOP");
});

test("lastLines is the text of the last 80 lines, no more than 2048 bytes", () => {
  const many = Array.from({ length: 100 }, (_, i) => `t stdout F ${i}`).join("\n");
  assert.ok(lastLines(many).startsWith("20\n21\n"));
  const long = Array.from({ length: 50 }, () => `t stdout F ${"x".repeat(99)}`).join("\n");
  assert.equal(lastLines(long).length, 2048);
});

test("limitMessages lets all containers of a pod share 12 KiB", () => {
  const message = "x".repeat(4096);
  const status: ContainerStatus = {
    name: "a",
    image: "",
    imageID: "",
    ready: false,
    restartCount: 0,
    state: { terminated: { exitCode: 1, message } },
    lastState: { terminated: { exitCode: 1, message: "short" } },
  };
  assert.equal(limitMessages(status, 3), status);
  const limited = limitMessages(status, 12);
  assert.equal(limited.state?.terminated?.message?.length, 1024);
  assert.equal(limited.lastState?.terminated?.message, "short");
});
