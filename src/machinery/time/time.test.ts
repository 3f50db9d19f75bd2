import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ageSince, canonicalDuration, formatDuration, humanDuration, parseDuration } from "./duration.ts";
import { canonicalMicroTime, canonicalTime, formatMicroTime, formatTime, parseTime } from "./time.ts";

describe("time", () => {
  it("is stored in UTC by seconds", () => {
    const cases = [
      ["2026-01-02T03:04:05Z", "2026-01-02T03:04:05Z"],
      ["2026-01-02T03:04:05.999Z", "2026-01-02T03:04:05Z"],
      ["2026-01-02T03:04:05+02:00", "2026-01-02T01:04:05Z"],
      ["2024-02-29T00:00:00-00:30", "2024-02-29T00:30:00Z"],
      ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00Z"],
    ] as const;
    for (const [given, expected] of cases) assert.equal(canonicalTime(given), expected);
    assert.equal(formatTime(Date.parse("2026-01-02T03:04:05.6Z")), "2026-01-02T03:04:05Z");
    assert.deepEqual(parseTime("1970-01-01T00:00:01.25Z"), { seconds: 1, nanos: 250_000_000 });
  });

  it("keeps microseconds of a MicroTime", () => {
    assert.equal(canonicalMicroTime("2026-01-02T03:04:05.123456Z"), "2026-01-02T03:04:05.123456Z");
    assert.equal(canonicalMicroTime("2026-01-02T03:04:05.123456+01:00"), "2026-01-02T02:04:05.123456Z");
    assert.equal(canonicalMicroTime("2026-01-31T03:04:05,123456Z"), "2026-01-31T03:04:05.123456Z");
    assert.equal(formatMicroTime({ seconds: 1, nanos: 1_000_999 }), "1970-01-01T00:00:01.001000Z");
    assert.throws(() => canonicalMicroTime("2026-01-02T03:04:05Z"), {
      message:
        'parsing time "2026-01-02T03:04:05Z" as "2006-01-02T15:04:05.000000Z07:00": cannot parse "Z" as ".000000"',
    });
  });

  it("says where a text stops being a time", () => {
    const layout = '"2006-01-02T15:04:05Z07:00"';
    const cases = [
      ["x", `parsing time "x" as ${layout}: cannot parse "x" as "2006"`],
      [
        "2026-1-02T00:00:00Z",
        `parsing time "2026-1-02T00:00:00Z" as ${layout}: cannot parse "1-02T00:00:00Z" as "01"`,
      ],
      ["2026-02-30T00:00:00Z", 'parsing time "2026-02-30T00:00:00Z": day out of range'],
      ["9999-12-31T23:59:59-01:00", "Time.MarshalJSON: year outside of range [0,9999]"],
      [
        "2026-02-20T20:00:00+25:00",
        'parsing time "2026-02-20T20:00:00+25:00": time zone offset hour out of range',
      ],
      ["2026-02-20T24:00:00Z", 'parsing time "2026-02-20T24:00:00Z": hour out of range'],
      ["2026-02-20T20:00:00Zz", 'parsing time "2026-02-20T20:00:00Zz": extra text: "z"'],
      ["2026-02-20T20:00:00", `parsing time "2026-02-20T20:00:00" as ${layout}: cannot parse "" as "Z07:00"`],
    ] as const;
    for (const [text, message] of cases)
      assert.throws(() => canonicalTime(text), { name: "TimeError", message });
  });
});

describe("duration", () => {
  it("is written as Go writes it", () => {
    const cases = [
      ["0", "0s"],
      ["90m", "1h30m0s"],
      ["1.5h", "1h30m0s"],
      ["1500ms", "1.5s"],
      ["-2us", "-2µs"],
      ["1ns", "1ns"],
      ["1h0m0.001s", "1h0m0.001s"],
      ["2562047h47m16.854775807s", "2562047h47m16.854775807s"],
    ] as const;
    for (const [given, expected] of cases) assert.equal(canonicalDuration(given), expected);
    assert.equal(formatDuration(parseDuration("100ms") * 3n), "300ms");
  });

  it("says why a text is none", () => {
    const cases = [
      ["", 'time: invalid duration ""'],
      ["5", 'time: missing unit in duration "5"'],
      ["5d", 'time: unknown unit "d" in duration "5d"'],
      ["s", 'time: invalid duration "s"'],
      ["2562047h47m16.854775808s", 'time: invalid duration "2562047h47m16.854775808s"'],
    ] as const;
    for (const [text, message] of cases)
      assert.throws(() => parseDuration(text), { name: "DurationError", message });
  });

  it("is shown to people in two figures", () => {
    const minute = 60;
    const hour = 60 * minute;
    const day = 24 * hour;
    const cases: [number, string][] = [
      [-2, "<invalid>"],
      [-1, "0s"],
      [119, "119s"],
      [2 * minute, "2m"],
      [2 * minute + 5, "2m5s"],
      [10 * minute + 5, "10m"],
      [3 * hour, "3h"],
      [3 * hour + 5 * minute, "3h5m"],
      [8 * hour + minute, "8h"],
      [2 * day, "2d"],
      [2 * day + hour, "2d1h"],
      [8 * day + hour, "8d"],
      [730 * day, "2y"],
      [731 * day, "2y1d"],
      [8 * 365 * day + day, "8y"],
    ];
    for (const [seconds, expected] of cases) assert.equal(humanDuration(seconds * 1000), expected);
    assert.equal(ageSince(undefined, new Date(0)), "<unknown>");
    assert.equal(ageSince("2026-01-01T00:00:00Z", new Date("2026-01-01T00:01:00Z")), "60s");
  });
});
