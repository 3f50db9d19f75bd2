import assert from "node:assert/strict";
import { test } from "node:test";
import { LogLines } from "./log-lines.ts";
import { type LogQuery, LogQueryError, nanosOf, readLogQuery } from "./log-query.ts";

const LINES = [
  "2026-05-01T12:00:00.1Z stdout F first",
  "2026-05-01T12:00:00.123456789Z stderr F wrong",
  "2026-05-01T12:00:01Z stdout P begun, ",
  "2026-05-01T12:00:01.5+00:00 stdout F ended",
  "2026-05-01T12:00:02Z stdout F ",
  "no line of a runtime",
  "2026-05-01T12:00:03Z stdout F:tag last",
];
const FILE = Buffer.from(`${LINES.join("\n")}\n`);
const ALL = { timestamps: false, stream: "All", since: undefined, limitBytes: undefined } as const;

function read(query: Partial<LogQuery>, step = FILE.length): string {
  const lines = new LogLines({ ...ALL, ...query });
  let text = "";
  for (let at = 0; at < FILE.length; at += step) text += lines.take(FILE.subarray(at, at + step));
  return text + lines.finish();
}

test("lines of a log come as they were written, however the file is cut", () => {
  const whole = "first\nwrong\nbegun, ended\n\nlast\n";
  for (let step = 1; step <= FILE.length; step++) assert.equal(read({}, step), whole);
});

test("a log is of one stream, from a time on, and of so many bytes", () => {
  assert.equal(read({ stream: "Stderr" }), "wrong\n");
  assert.equal(read({ stream: "Stdout" }), "first\nbegun, ended\n\nlast\n");
  assert.equal(read({ since: nanosOf("2026-05-01T12:00:00.123456789Z") }), "wrong\nbegun, ended\n\nlast\n");
  assert.equal(read({ since: nanosOf("2026-05-01T12:00:00.123456790Z") }), "begun, ended\n\nlast\n");
  for (let limitBytes = 1; limitBytes < 30; limitBytes++) {
    assert.equal(read({ limitBytes }, 7), read({}).slice(0, limitBytes));
  }
});

test("timestamps have nine digits, one for each whole line", () => {
  assert.equal(
    read({ timestamps: true }),
    [
      "2026-05-01T12:00:00.100000000Z first",
      "2026-05-01T12:00:00.123456789Z wrong",
      "2026-05-01T12:00:01.000000000Z begun, ended",
      "2026-05-01T12:00:02.000000000Z ",
      "2026-05-01T12:00:03.000000000Z last\n",
    ].join("\n"),
  );
});

test("the end of a file that has no newline is given at the end", () => {
  const lines = new LogLines(ALL);
  assert.equal(lines.take(Buffer.from("2026-05-01T12:00:00Z stdout F half")).toString(), "");
  assert.equal(lines.finish().toString(), "half");
});

test("a line that never ends is not gathered", () => {
  const lines = new LogLines(ALL);
  const block = Buffer.alloc(600 * 1024, 0x78);
  for (let i = 0; i < 4; i++) assert.equal(lines.take(block).length, 0);
  assert.equal(lines.take(Buffer.from("\n2026-05-01T12:00:00Z stdout F after\n")).toString(), "after\n");
});

test("a query of a log is read as upstream's kubelet reads it", () => {
  const now = Date.parse("2026-05-01T12:00:00Z");
  const read = (text: string): LogQuery => readLogQuery(new URLSearchParams(text), now);
  assert.deepEqual(read(""), {
    ...ALL,
    follow: false,
    previous: false,
    tailLines: undefined,
  });
  assert.equal(read("sinceSeconds=60").since, nanosOf("2026-05-01T11:59:00Z"));
  assert.equal(read("sinceTime=2026-05-01T13:59:00%2B02:00").since, nanosOf("2026-05-01T11:59:00Z"));
  const { follow, previous, timestamps, tailLines } = read(
    "follow=true&previous=1&timestamps=false&tailLines=0",
  );
  assert.deepEqual(
    { follow, previous, timestamps, tailLines },
    { follow: true, previous: true, timestamps: false, tailLines: 0 },
  );
  for (const wrong of [
    ...[
      "tailLines=-1",
      "tailLines=x",
      "limitBytes=0",
      "sinceSeconds=0",
      "sinceTime=yesterday",
      "stream=Both",
    ],
    ...["sinceSeconds=1&sinceTime=2026-05-01T12:00:00Z", "stream=Stdout&tailLines=1"],
  ]) {
    assert.throws(() => read(wrong), LogQueryError, wrong);
  }
});
