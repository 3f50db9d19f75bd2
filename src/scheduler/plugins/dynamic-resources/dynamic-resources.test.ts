import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../../api/core/pods.ts";
import type { KubeObject } from "../../../api/object.ts";
import { DeviceClass } from "../../../api/resource/device-class.ts";
import { ResourceClaim } from "../../../api/resource/resource-claim.ts";
import { ResourceSlice } from "../../../api/resource/resource-slice.ts";
import { AlignedRejections } from "../../cycle/aligned-rejections.ts";
import type { Trial } from "../../framework/plugin.ts";
import {
  contextOf,
  cycleOf,
  mayHelp,
  nodeNamed,
  podNamed,
  reasons,
  startPlugin,
  synced,
  TestNodes,
} from "../../testing/cluster.ts";
import { dynamicResources } from "./dynamic-resources.ts";

type Fields = Record<string, unknown>;
const object = (kind: string, name: string, fields: Fields): KubeObject =>
  ({
    apiVersion: "resource.k8s.io/v1",
    kind,
    ...fields,
    metadata: { name, uid: `uid-${name}`, ...(fields.metadata as Fields) },
  }) as KubeObject;

const claim = (name: string, fields: Fields = {}, deviceClassName = "gpu") =>
  object("ResourceClaim", name, {
    spec: { devices: { requests: [{ name: "r", exactly: { deviceClassName } }] } },
    ...fields,
    metadata: { namespace: "default", ...(fields.metadata as Fields) },
  });
const slice = (node: string, ...devices: string[]) =>
  object("ResourceSlice", `slice-${node}`, {
    spec: {
      driver: "gpu.example.com",
      nodeName: node,
      pool: { name: node, generation: 1, resourceSliceCount: 1 },
      devices: devices.map((name) => ({ name })),
    },
  });
const deviceClass = (name: string, expression: string) =>
  object("DeviceClass", name, { spec: { selectors: [{ cel: { expression } }] } });
const allocatedOn = (node: string, device: string) => ({
  devices: { results: [{ request: "r", driver: "gpu.example.com", pool: node, device }] },
  nodeSelector: {
    nodeSelectorTerms: [{ matchFields: [{ key: "metadata.name", operator: "In", values: [node] }] }],
  },
});
const using = (name: string, ...claims: string[]): Pod =>
  podNamed(name, {
    resourceClaims: claims.map((resourceClaimName) => ({ name: resourceClaimName, resourceClaimName })),
  });

const nodes = new TestNodes([nodeNamed("a"), nodeNamed("b")]);

async function setUp(claims: KubeObject[], slices = [slice("a", "gpu0")]) {
  const context = await contextOf({
    resourceclaims: claims,
    resourceslices: slices,
    deviceclasses: [
      deviceClass("gpu", 'device.driver == "gpu.example.com"'),
      deviceClass("odd", "device.attributes.size() > 3"),
    ],
  });
  const plugin = await startPlugin(dynamicResources, undefined, context);
  await synced(context, ResourceClaim, ResourceSlice, DeviceClass);
  return { context, plugin, stop: () => context.informers.stop() };
}

const NO_TRIAL = {} as Trial;
const REJECTED = new AlignedRejections([], []);

test("DynamicResources keeps pods out of the queue until their claims are there", async () => {
  const { plugin, stop } = await setUp([
    claim("leaving", { metadata: { deletionTimestamp: "2026-01-01T00:00:00Z" } }),
    claim("foreign"),
  ]);
  const why = (pod: Pod) => plugin.preEnqueue?.(pod)?.reasons.join();
  assert.equal(why(using("p", "none")), 'resourceclaim.resource.k8s.io "none" not found');
  assert.equal(why(using("p", "leaving")), 'resourceclaim "leaving" is being deleted');
  const templated = podNamed("p", { resourceClaims: [{ name: "c", resourceClaimTemplateName: "t" }] });
  assert.equal(why(templated), 'pod "default/p": ResourceClaim not created yet');
  templated.status = { resourceClaimStatuses: [{ name: "c", resourceClaimName: "foreign" }] };
  assert.equal(
    why(templated),
    "ResourceClaim default/foreign was not created for pod default/p (pod is not owner)",
  );
  assert.equal(why(using("p", "foreign")), undefined);
  assert.equal(why(podNamed("p")), undefined);
  await stop();
});

test("DynamicResources keeps a pod to nodes with devices, which nobody else gets meanwhile", async () => {
  const { plugin, stop } = await setUp([claim("one"), claim("two")]);
  const none = "cannot allocate all claims";
  const cycle = cycleOf(using("p", "one"), nodes);
  assert.deepEqual(reasons(plugin, cycle), { a: undefined, b: none });
  plugin.reserve?.(cycle, nodes.at("a"));
  assert.deepEqual(reasons(plugin, cycleOf(using("q", "two"), nodes)), { a: none, b: none });
  assert.match(
    reasons(plugin, cycleOf(using("r", "one"), nodes)).a ?? "",
    /^resource claim default\/one is in the process of being allocated$/,
  );
  plugin.unreserve?.(cycle, nodes.at("a"));
  assert.equal(reasons(plugin, cycleOf(using("q", "two"), nodes)).a, undefined);
  await stop();
});

test("DynamicResources keeps a pod where its claims have their devices already", async () => {
  const status = { allocation: allocatedOn("b", "gpu0") };
  const { plugin, stop } = await setUp([claim("there", { status })]);
  assert.deepEqual(reasons(plugin, cycleOf(using("p", "there"), nodes)), {
    a: "resourceclaim not available on the node",
    b: undefined,
  });
  await stop();
});

test("DynamicResources says of what it cannot tell that it cannot", async () => {
  const { plugin, stop } = await setUp([claim("odd", {}, "odd"), claim("classless", {}, "none")]);
  assert.match(reasons(plugin, cycleOf(using("p", "odd"), nodes)).a ?? "", /cannot be evaluated/);
  assert.match(
    reasons(plugin, cycleOf(using("p", "classless"), nodes)).a ?? "",
    /^claim default\/classless, request r: could not retrieve device class none$/,
  );
  await stop();
});

test("DynamicResources writes the finalizer, the devices and the user", async () => {
  const { context, plugin, stop } = await setUp([claim("one")]);
  const pod = using("p", "one");
  const cycle = cycleOf(pod, nodes);
  reasons(plugin, cycle);
  plugin.reserve?.(cycle, nodes.at("a"));
  await plugin.preBind?.(cycle, nodes.at("a"));
  const [first, second] = context.requests;
  assert.deepEqual((first!.body as KubeObject).metadata.finalizers, [
    "resource.kubernetes.io/delete-protection",
  ]);
  assert.equal(second?.path, "/apis/resource.k8s.io/v1/namespaces/default/resourceclaims/one/status");
  const { status } = second!.body as ResourceClaim;
  assert.deepEqual(status?.reservedFor, [{ resource: "pods", name: "p", uid: pod.metadata.uid }]);
  assert.equal(status?.allocation?.devices?.results?.[0]?.device, "gpu0");
  assert.equal(context.requests.length, 2);
  await stop();
});

test("DynamicResources frees an unused claim whose devices are out of reach, and says what it did", async () => {
  const status = { allocation: allocatedOn("elsewhere", "gpu0") };
  const reservedFor = [{ resource: "pods", name: "other", uid: "other" }];
  const { context, plugin, stop } = await setUp([
    claim("idle", { status }),
    claim("busy", { status: { ...status, reservedFor } }),
  ]);
  const answer = async (pod: Pod) => {
    const cycle = cycleOf(pod, nodes);
    reasons(plugin, cycle);
    return (await plugin.postFilter?.(cycle, REJECTED, NO_TRIAL))?.message;
  };
  assert.equal(await answer(podNamed("p")), "no new claims to deallocate");
  assert.equal(await answer(using("p", "busy")), "still not schedulable");
  assert.equal(context.requests.length, 0);
  assert.equal(await answer(using("p", "idle")), "deallocation of ResourceClaim completed");
  assert.deepEqual((context.requests[0]!.body as ResourceClaim).status, {});
  await stop();
});

test("DynamicResources looks again when its claim changes or another one gives its devices back", async () => {
  const { plugin, stop } = await setUp([]);
  const waiting = using("p", "own");
  const busy = claim("other", { status: { allocation: allocatedOn("a", "gpu0") } });
  assert.equal(mayHelp(plugin, "resourceclaims", waiting, { now: claim("own") }), true);
  assert.equal(mayHelp(plugin, "resourceclaims", waiting, { now: claim("other") }), false);
  assert.equal(mayHelp(plugin, "resourceclaims", waiting, { was: busy }), true);
  assert.equal(mayHelp(plugin, "resourceslices", waiting, { now: slice("a", "gpu1") }), true);
  await stop();
});
