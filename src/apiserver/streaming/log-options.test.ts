import assert from "node:assert/strict";
import { test } from "node:test";
import { readLogOptions } from "./log-options.ts";

const read = (query: string) => readLogOptions(new URLSearchParams(query), "web");

test("options of a log are passed to the kubelet as it reads them", () => {
  assert.equal(read("").query.toString(), "");
  const { container, follow, insecure, query } = read(
    "container=main&follow=1&previous=false&timestamps=true&tailLines=5&limitBytes=9&sinceSeconds=60&insecureSkipTLSVerifyBackend=true",
  );
  assert.deepEqual({ container, follow, insecure }, { container: "main", follow: true, insecure: true });
  assert.deepEqual(Object.fromEntries(query), {
    ...{ follow: "true", timestamps: "true", tailLines: "5", limitBytes: "9", sinceSeconds: "60" },
  });
  const time = "2026-05-01T12:00:00Z";
  assert.equal(read(`sinceTime=${time}&stream=Stdout`).query.get("sinceTime"), time);
});

test("options of a log are refused in upstream's words", () => {
  for (const [query, message] of [
    [
      "tailLines=-1",
      /^PodLogOptions "web" is invalid: tailLines: Invalid value: -1: must be greater than or equal to 0$/,
    ],
    ["limitBytes=0", /limitBytes: Invalid value: 0: must be greater than 0$/],
    ["sinceSeconds=0", /sinceSeconds: Invalid value: 0: must be greater than 0$/],
    [
      "sinceSeconds=1&sinceTime=2026-05-01T12:00:00Z",
      /Forbidden: at most one of `sinceTime` or `sinceSeconds` may be specified$/,
    ],
    ["stream=Both", /stream: Unsupported value: "Both": supported values: "All", "Stderr", "Stdout"$/],
    [
      "stream=Stderr&tailLines=1",
      /Forbidden: `tailLines` and specific `stream` are mutually exclusive for now$/,
    ],
    ["tailLines=many", /parsing "many": invalid syntax$/],
    ["sinceTime=yesterday", /parsing time "yesterday"/],
  ] as const) {
    assert.throws(() => read(query), { message }, query);
  }
});
