import assert from "node:assert/strict";
import test from "node:test";
import type { Container, Pod } from "../../schema/core.v1.generated.ts";
import { validatePodStatusUpdate } from "./validate-status.ts";

/** What is wrong with saying that a container, which ended with exit code 1, waits now. */
function leavesItsEnd(spec: { restartPolicy: string; containers: Container[] }): string[] {
  const pod = (state: object): Pod => ({
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", namespace: "ns" },
    spec,
    status: {
      containerStatuses: [{ name: "main", ready: false, restartCount: 0, image: "", imageID: "", state }],
    },
  });
  const errors = validatePodStatusUpdate(pod({ waiting: {} }), pod({ terminated: { exitCode: 1 } }));
  return errors.map(({ field, body }) => `${field}: ${body}`);
}

const main = { name: "main" };

test("validatePodStatusUpdate keeps containers ended that their policy does not restart", () => {
  assert.deepEqual(leavesItsEnd({ restartPolicy: "Never", containers: [main] }), [
    "status.containerStatuses[0].state: Forbidden: may not be transitioned to non-terminated state",
  ]);
  assert.deepEqual(leavesItsEnd({ restartPolicy: "OnFailure", containers: [main] }), []);
});

test("validatePodStatusUpdate lets all containers begin anew where a rule of any may ask for it", () => {
  const action = "RestartAllContainers";
  const asks = { name: "asks", restartPolicy: "Never", restartPolicyRules: [{ action }] };
  assert.deepEqual(leavesItsEnd({ restartPolicy: "Never", containers: [main, asks] }), []);
});
