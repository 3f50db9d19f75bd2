import assert from "node:assert/strict";
import test from "node:test";
import type { Pod } from "../../schema/core.v1.generated.ts";
import { mayRestartAll } from "./restart-rules.ts";

const pod = (spec: object): Pod => ({ spec }) as unknown as Pod;
const ruled = (action: string) => [{ name: "a", restartPolicyRules: [{ action: "Restart" }, { action }] }];

test("mayRestartAll tells pods with such a rule, of an init container too", () => {
  assert.equal(mayRestartAll(pod({ containers: ruled("Restart") })), false);
  assert.equal(mayRestartAll(pod({ containers: ruled("RestartAllContainers") })), true);
  assert.equal(mayRestartAll(pod({ initContainers: ruled("RestartAllContainers"), containers: [] })), true);
});
