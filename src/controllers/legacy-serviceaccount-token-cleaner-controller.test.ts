import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../api/core/pods.ts";
import type { Secret } from "../api/core/secret.ts";
import type { ServiceAccount } from "../api/core/service-account.ts";
import { VirtualClock } from "../base/clock.ts";
import { ObjectStore } from "../client/informer/object-store.ts";
import { StatusError } from "../machinery/status/status-error.ts";
import {
  fateOf,
  legacyServiceAccountTokenCleaner,
} from "./legacy-serviceaccount-token-cleaner-controller.ts";
import type { ControllerContext } from "./runtime/controller.ts";

const NOW = Date.parse("2026-06-15T12:00:00Z");
const DAY = 24 * 3_600_000;
const INVALID_SINCE = "kubernetes.io/legacy-token-invalid-since";
const LAST_USED = "kubernetes.io/legacy-token-last-used";

function secret(name: string, labels: Record<string, string> = {}, made = "2024-01-01T00:00:00Z"): Secret {
  const annotations = { "kubernetes.io/service-account.name": "robot" };
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: { namespace: "default", name, uid: name, creationTimestamp: made, annotations, labels },
  };
}

const account: ServiceAccount = {
  apiVersion: "v1",
  kind: "ServiceAccount",
  metadata: { namespace: "default", name: "robot" },
  secrets: [{ name: "s" }, { name: "old" }, { name: "mounted" }],
};

test("fateOf marks what was not used for a year, deletes what was marked a year ago, and keeps the rest", () => {
  const fate = (labels: Record<string, string>, of: ServiceAccount | undefined = account, made?: string) =>
    fateOf(secret("s", labels, made), NOW, of);
  assert.equal(fate({}), "invalidate");
  assert.equal(fate({ [LAST_USED]: "2025-06-14" }), "invalidate");
  assert.equal(fate({ [LAST_USED]: "2025-06-15" }), "keep");
  assert.equal(fate({ [LAST_USED]: "lately" }), "keep", "who knows when");
  assert.equal(fate({ [INVALID_SINCE]: "2025-06-14" }), "delete");
  assert.equal(fate({ [INVALID_SINCE]: "2025-06-15" }), "keep");
  assert.equal(fate({ [INVALID_SINCE]: "lately" }), "invalidate");
  assert.equal(fate({}, account, "2025-12-01T00:00:00Z"), "keep");
  assert.equal(fate({}, { ...account, secrets: [] }), "keep", "somebody asked for it");
});

test("the cleaner acts only once use was tracked for a year, and spares what pods mount", async () => {
  let since: string | undefined;
  const done: string[] = [];
  const resource = (_: unknown, namespace: string) => ({
    async get() {
      assert.equal(namespace, "kube-system");
      if (since === undefined) throw new StatusError("NotFound", "not found");
      return { data: { since } };
    },
    patch: async (name: string, patch: { metadata: { labels: object } }) =>
      done.push(`patch ${name} ${JSON.stringify(patch.metadata.labels)}`),
    delete: async (name: string) => done.push(`delete ${name}`),
  });
  const context = { client: { resource }, clock: new VirtualClock(NOW), again() {} };
  const stores = {
    accounts: new ObjectStore<ServiceAccount>(),
    secrets: new ObjectStore<Secret>(),
    pods: new ObjectStore<Pod>(),
  };
  stores.accounts.set("default/robot", account);
  const mark = { [INVALID_SINCE]: "2025-01-01" };
  for (const one of [secret("s"), secret("old", mark), secret("mounted", mark)]) {
    stores.secrets.set(`default/${one.metadata.name}`, one);
  }
  stores.pods.set("default/p", {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { namespace: "default", name: "p" },
    spec: { containers: [], volumes: [{ name: "v", secret: { secretName: "mounted" } }] },
  });
  const cleanUp = legacyServiceAccountTokenCleaner.start(
    context as unknown as ControllerContext,
    stores as never,
  );
  for (since of [undefined, "never", "2025-06-15"]) {
    assert.deepEqual(await cleanUp("secrets"), { after: DAY });
    assert.deepEqual(done, []);
  }
  since = "2025-06-14";
  assert.deepEqual(await cleanUp("secrets"), { after: DAY });
  assert.deepEqual(done, [`patch s {"${INVALID_SINCE}":"2026-06-15"}`, "delete old"]);
});
