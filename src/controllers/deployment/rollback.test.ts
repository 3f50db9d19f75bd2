import assert from "node:assert/strict";
import { test } from "node:test";
import type { Deployment } from "../../api/apps/deployment.ts";
import type { ReplicaSet } from "../../api/apps/replica-set.ts";
import { rollbackOf } from "./rollback.ts";

const ROLLBACK_TO = "deprecated.deployment.rollback.to";
const REVISION = "deployment.kubernetes.io/revision";

function template(image: string, labels: Record<string, string> = {}) {
  return { metadata: { labels: { app: "web", ...labels } }, spec: { containers: [{ name: "c", image }] } };
}

function deployment(to: string, image = "three"): Deployment {
  return {
    apiVersion: "apps/v1",
    kind: "Deployment",
    metadata: { name: "web", annotations: { [ROLLBACK_TO]: to, [REVISION]: "3", team: "now" } },
    spec: { selector: { matchLabels: { app: "web" } }, template: template(image) },
  };
}

function replicaSet(image: string, revision: string): ReplicaSet {
  const annotations = { [REVISION]: revision, team: image, "deployment.kubernetes.io/desired-replicas": "2" };
  return {
    apiVersion: "apps/v1",
    kind: "ReplicaSet",
    metadata: { name: `web-${image}`, annotations },
    spec: { selector: {}, template: template(image, { "pod-template-hash": image }) },
  };
}

const SETS = [replicaSet("one", "1"), replicaSet("two", "2"), replicaSet("three", "3")];

test("a revision is gone back to with its template and the annotations of its time", () => {
  const { deployment: to, event } = rollbackOf(deployment("1"), SETS)!;
  assert.deepEqual(to.spec?.template, template("one"));
  assert.deepEqual(to.metadata.annotations, { [REVISION]: "3", team: "one" });
  assert.deepEqual(event, {
    type: "Normal",
    reason: "DeploymentRollback",
    note: 'Rolled back deployment "web" to revision 1',
  });
});

test("revision 0 is the one before the last, where there is one", () => {
  assert.deepEqual(rollbackOf(deployment("0"), SETS)?.deployment.spec?.template, template("two"));
  const { deployment: to, event } = rollbackOf(deployment("0"), [SETS[2]!])!;
  assert.deepEqual(to.metadata.annotations, { [REVISION]: "3", team: "now" });
  assert.deepEqual(to.spec?.template, template("three"));
  assert.deepEqual(event, {
    type: "Warning",
    reason: "DeploymentRollbackRevisionNotFound",
    note: "Unable to find last revision.",
  });
});

test("a revision that is not there, or is the present one, changes nothing but the request", () => {
  for (const [to, reason, note] of [
    ["7", "DeploymentRollbackRevisionNotFound", "Unable to find the revision to rollback to."],
    [
      "3",
      "DeploymentRollbackTemplateUnchanged",
      'The rollback revision contains the same template as current deployment "web"',
    ],
  ] as const) {
    const found = rollbackOf(deployment(to), SETS)!;
    assert.deepEqual(found.event, { type: "Warning", reason, note });
    assert.deepEqual(found.deployment.spec, deployment(to).spec);
    assert.equal(found.deployment.metadata.annotations?.[ROLLBACK_TO], undefined);
  }
});

test("nothing is gone back to unless a number asks for it", () => {
  assert.equal(rollbackOf(deployment(""), SETS), undefined);
  assert.equal(rollbackOf(deployment("first"), SETS), undefined);
});
