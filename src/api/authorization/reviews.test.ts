import assert from "node:assert/strict";
import { test } from "node:test";
import { SelfSubjectReview } from "../authentication/self-subject-review.ts";
import { TokenReview } from "../authentication/token-review.ts";
import type { Ports } from "../ports.ts";
import type { RequestContext } from "../resource.ts";
import type { Attributes } from "../user.ts";
import { LocalSubjectAccessReview } from "./local-subject-access-review.ts";
import { SelfSubjectAccessReview } from "./self-subject-access-review.ts";
import { SelfSubjectRulesReview } from "./self-subject-rules-review.ts";
import { SubjectAccessReview } from "./subject-access-review.ts";

const jane = { name: "jane", uid: "7", groups: ["dev"], extra: { scopes: ["x"] } };

function open(): { context: RequestContext; asked: Attributes[] } {
  const asked: Attributes[] = [];
  const ports: Partial<Ports> = {
    authorizer: {
      authorize(attributes) {
        asked.push(attributes);
        return { decision: attributes.verb === "get" ? "allow" : "none", reason: "because" };
      },
      rulesFor: (user, namespace) => ({
        resourceRules: [{ verbs: [user.name], apiGroups: [""], resources: [namespace] }],
        nonResourceRules: [],
        incomplete: false,
      }),
    },
    tokens: {
      audiences: ["api"],
      issue: () => Promise.reject(new Error("not asked for")),
      review: async (token) =>
        token === "good" ? { user: jane, audiences: ["api"] } : { error: "bad token" },
    },
  };
  const now = "2026-05-01T12:00:00Z";
  return { asked, context: { user: jane, now, dryRun: false, warn: () => {}, ports: ports as Ports } };
}

function review(kind: string, spec: object, metadata = {}) {
  return { apiVersion: "authorization.k8s.io/v1", kind, metadata, spec };
}

test("SubjectAccessReview asks for the subject it names", async () => {
  const { context, asked } = open();
  const spec = {
    user: "joe",
    groups: ["ops"],
    resourceAttributes: {
      verb: "list",
      resource: "pods",
      namespace: "n",
      fieldSelector: { requirements: [{ key: "spec.nodeName", operator: "In", values: ["n1"] }] },
    },
  };
  const { status } =
    (await SubjectAccessReview.virtual?.create?.(review("SubjectAccessReview", spec), context)) ?? {};
  assert.deepEqual(status, { allowed: false, reason: "because" });
  assert.deepEqual(asked[0]?.user, { name: "joe", groups: ["ops"] });
  assert.equal(asked[0]?.fieldSelector, "spec.nodeName=n1");
  assert.equal(asked[0]?.isResource, true);
});

test("SelfSubjectAccessReview asks for the one who sends it", async () => {
  const { context, asked } = open();
  const spec = { nonResourceAttributes: { path: "/metrics", verb: "get" } };
  const body = review("SelfSubjectAccessReview", spec);
  const { status } = (await SelfSubjectAccessReview.virtual?.create?.(body, context)) ?? {};
  assert.deepEqual(status, { allowed: true, reason: "because" });
  assert.equal(asked[0]?.user, jane);
  assert.equal(asked[0]?.path, "/metrics");
  assert.equal(asked[0]?.isResource, false);
});

test("SelfSubjectRulesReview lists the rules of a namespace and needs one", async () => {
  const { context } = open();
  const create = SelfSubjectRulesReview.virtual?.create;
  assert.ok(create);
  const { status } = await create(review("SelfSubjectRulesReview", { namespace: "n" }), context);
  assert.deepEqual(status?.resourceRules, [{ verbs: ["jane"], apiGroups: [""], resources: ["n"] }]);
  await assert.rejects(create(review("SelfSubjectRulesReview", {}), context), {
    message: "no namespace on request",
  });
});

test("access reviews are refused with upstream's texts", () => {
  const { context } = open();
  const both = { resourceAttributes: { namespace: "n" }, nonResourceAttributes: { path: "/" } };
  const texts = (errors: { field: string; body: string }[] | undefined) =>
    errors?.map(({ field, body }) => `${field}: ${body.slice(body.lastIndexOf(": ") + 2)}`);
  assert.deepEqual(
    texts(SubjectAccessReview.validate?.(review("SubjectAccessReview", both, { name: "x" }), context)),
    [
      "spec.nonResourceAttributes: cannot be specified in combination with resourceAttributes",
      "spec.user: at least one of user or group must be specified",
      "metadata: must be empty",
    ],
  );
  assert.deepEqual(
    texts(SelfSubjectAccessReview.validate?.(review("SelfSubjectAccessReview", {}), context)),
    ["spec.resourceAttributes: exactly one of nonResourceAttributes or resourceAttributes must be specified"],
  );
  const local = review(
    "LocalSubjectAccessReview",
    { user: "u", resourceAttributes: { namespace: "other" } },
    { namespace: "n" },
  );
  assert.deepEqual(texts(LocalSubjectAccessReview.validate?.(local, context)), [
    "spec.resourceAttributes.namespace: must match metadata.namespace",
  ]);
});

test("TokenReview and SelfSubjectReview show the user", async () => {
  const { context } = open();
  const userInfo = {
    username: "jane",
    uid: "7",
    groups: ["dev"],
    extra: Object.assign(Object.create(null), { scopes: ["x"] }),
  };
  const create = TokenReview.virtual?.create;
  assert.ok(create);
  const good = await create(review("TokenReview", { token: "good" }), context);
  assert.deepEqual(good.status, { authenticated: true, user: userInfo, audiences: ["api"] });
  const bad = await create(review("TokenReview", { token: "bad" }), context);
  assert.deepEqual(bad.status, { user: {}, error: "bad token" });
  await assert.rejects(create(review("TokenReview", {}), context), { message: /token is required/ });
  const self = { apiVersion: "authentication.k8s.io/v1", kind: "SelfSubjectReview", metadata: {} };
  const answer = await SelfSubjectReview.virtual?.create?.(self, context);
  assert.deepEqual(answer?.status?.userInfo, userInfo);
});
