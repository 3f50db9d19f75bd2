import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { AdmissionRequest } from "../admission/plugin.ts";
import type { Ports } from "../api/ports.ts";
import { ResourceClaim } from "../api/resource/resource-claim.ts";
import type { ResourceClaimStatus } from "../api/schema/resource.v1.generated.ts";
import type { Attributes } from "../api/user.ts";
import { StatusError } from "../machinery/status/status-error.ts";
import { changedDrivers, claimStatusAuthorization } from "./claim-status-authorization.ts";

const device = { driver: "dra.example.com", pool: "p", device: "d" };
const onNode = {
  nodeSelector: {
    nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: ["n1"] }] }],
  },
};

/** What is asked of the authorizer for a change, and what the client is told where it allows `allowed` alone. */
async function asked(
  now: ResourceClaimStatus,
  old: ResourceClaimStatus,
  { verb = "update", node = "", allowed = [] as string[] } = {},
) {
  const questions: string[] = [];
  const authorizer = {
    authorize: ({ verb, resource, subresource, namespace, name }: Attributes) => {
      questions.push(`${verb} ${resource}/${subresource} ${namespace}/${name}`);
      return { decision: allowed.includes(verb) ? ("allow" as const) : ("none" as const), reason: "" };
    },
  };
  const extra = node === "" ? {} : { "authentication.kubernetes.io/node-name": [node] };
  const user = { name: "system:serviceaccount:a:driver", groups: [], extra };
  const claim = {
    apiVersion: "resource.k8s.io/v1",
    kind: "ResourceClaim",
    metadata: { name: "c" },
    spec: {},
  };
  const request = {
    operation: "UPDATE",
    resource: ResourceClaim,
    subresource: "status",
    namespace: "a",
    name: "c",
    verb,
    user,
    object: { ...claim, status: now },
    old: { ...claim, status: old },
  } as unknown as AdmissionRequest;
  const plugin = claimStatusAuthorization.start({ authorizer } as unknown as Ports);
  let said = "";
  try {
    await plugin.validate?.(request);
  } catch (error) {
    assert.ok(error instanceof StatusError);
    said = error.message;
  }
  return { questions, said };
}

describe("the status of a resource claim", () => {
  it("asks nothing while neither its allocation nor its devices change", async () => {
    const status = { allocation: onNode, devices: [device] };
    assert.deepEqual(await asked(structuredClone(status), status), { questions: [], said: "" });
  });

  it("is allocated and reserved by those who may bind claims in the whole cluster", async () => {
    const allowed = ["patch"];
    const reserved = { reservedFor: [{ resource: "pods", name: "p", uid: "1" }] };
    assert.deepEqual(await asked({ allocation: onNode }, {}, { verb: "patch", allowed }), {
      questions: ["patch resourceclaims/binding /"],
      said: "",
    });
    const { said } = await asked(reserved, {}, { allowed });
    assert.equal(
      said,
      'ResourceClaim.resource.k8s.io "c" is invalid: status: Forbidden: changing status.allocation or status.reservedFor requires resource="resourceclaims/binding", verb="update" permission: resourceclaims.resource.k8s.io is forbidden: User "system:serviceaccount:a:driver" cannot update resource "resourceclaims/binding" in API group "resource.k8s.io" at the cluster scope',
    );
  });

  it("is told of devices by their drivers, by those on the claim's node with less", async () => {
    const old = { allocation: onNode };
    const now = { allocation: onNode, devices: [device] };
    const near = "associated-node:update resourceclaims/driver a/dra.example.com";
    const far = "arbitrary-node:update resourceclaims/driver a/dra.example.com";
    const allowed = ["associated-node:update"];
    assert.deepEqual(await asked(now, old, { node: "n1", allowed }), { questions: [near], said: "" });
    const elsewhere = await asked(now, old, { node: "n2", allowed });
    assert.deepEqual(elsewhere.questions, [far]);
    assert.match(elsewhere.said, /status\.devices: Forbidden: changing status\.devices requires resource=/);
    assert.deepEqual((await asked(now, old, { node: "n1" })).questions, [near, far]);
  });

  it("names the drivers of devices that came, went or changed", () => {
    const [a, b, c] = ["a", "b", "c"].map((driver) => ({ ...device, driver }));
    assert.ok(a && b && c);
    const now = { devices: [c, { ...b, data: { x: 1 } }] };
    assert.deepEqual(changedDrivers(now, { devices: [a, b, c] }), ["a", "b"]);
  });
});
