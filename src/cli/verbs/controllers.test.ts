import assert from "node:assert/strict";
import { test } from "node:test";
import { controllersTable } from "./controllers.ts";

test("the table of controllers is sorted and tells what is off", () => {
  const controllers = [
    { name: "podgc-controller", account: "pod-garbage-collector", offByDefault: true },
    { name: "job-controller", account: "job-controller" },
  ];
  assert.equal(
    controllersTable(controllers),
    [
      "NAME               DEFAULT   SERVICE ACCOUNT",
      "job-controller     on        job-controller",
      "podgc-controller   off       pod-garbage-collector",
      "",
    ].join("\n"),
  );
});
