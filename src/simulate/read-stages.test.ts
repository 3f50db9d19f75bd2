import assert from "node:assert/strict";
import { test } from "node:test";
import { parseYAML } from "../machinery/yaml/yaml.ts";
import { readStages } from "./read-stages.ts";

test("readStages reads everything that a stage can say", () => {
  const stages = readStages(
    parseYAML(`
- match: { ownerKind: Job, labels: "tier=batch", namespace: jobs, annotations: { a: b }, image: "busybox:*" }
  exit: { after: { after: 2s, jitter: 500ms }, code: 0, failureRate: 0.1, failureCode: 3 }
- start: never
- start: 1m30s
  initialize: 0
  ready: never
  unready: { every: 1h, for: 30s }
  terminate: 1.5s
`),
  );
  assert.deepEqual(stages, [
    {
      match: {
        ownerKind: "Job",
        labels: "tier=batch",
        namespace: "jobs",
        annotations: { a: "b" },
        image: "busybox:*",
      },
      exit: { after: { ms: 2000, jitter: 500 }, code: 0, failureRate: 0.1, failureCode: 3 },
    },
    { start: "never" },
    {
      start: 90_000,
      initialize: 0,
      ready: "never",
      unready: { every: 3_600_000, for: 30_000 },
      terminate: 1500,
    },
  ]);
});

test("readStages says what is wrong, and where", () => {
  const cases: [string, string][] = [
    ["{}", "stages must be a list"],
    ["- 1", "stages[0] must have fields"],
    [
      "- { startt: 1s }",
      "stages[0].startt is not known; there are match, start, initialize, ready, unready, exit, terminate",
    ],
    [
      "- { constructor: 1s }",
      "stages[0].constructor is not known; there are match, start, initialize, ready, unready, exit, terminate",
    ],
    ["- { start: 5 }", "stages[0].start must be a duration such as 500ms or 1m30s"],
    ["- { start: -5s }", "stages[0].start must be a duration such as 500ms or 1m30s"],
    ["- { exit: { code: 1 } }", "stages[0].exit.after is missing"],
    ["- { exit: { after: 1s, code: 256 } }", "stages[0].exit.code must be a whole number from 0 to 255"],
    ["- { exit: { after: 1s, failureRate: 2 } }", "stages[0].exit.failureRate must be a number from 0 to 1"],
    ["- { match: { image: 1 } }", "stages[0].match.image must be a text"],
  ];
  for (const [text, message] of cases) {
    assert.throws(() => readStages(parseYAML(text)), { name: "TypeError", message }, text);
  }
});
