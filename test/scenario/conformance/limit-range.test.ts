import assert from "node:assert/strict";
import { LimitRange } from "../../../src/api/core/limit-range.ts";
import { Pod } from "../../../src/api/core/pods.ts";
import { behaviour, makeNamespace, names } from "./behaviour.ts";

type Amounts = Record<string, string>;

const MIN = { cpu: "50m", memory: "100Mi", "ephemeral-storage": "100Gi" };
const MAX = { cpu: "500m", memory: "500Mi", "ephemeral-storage": "500Gi" };
const DEFAULT_REQUEST = { cpu: "100m", memory: "200Mi", "ephemeral-storage": "200Gi" };
const DEFAULT = { cpu: "500m", memory: "500Mi", "ephemeral-storage": "500Gi" };

function podOf(name: string, requests?: Amounts, limits?: Amounts) {
  const resources = { requests, limits };
  return { metadata: { name }, spec: { containers: [{ name: "main", image: "web:1", resources }] } };
}

behaviour(
  "[sig-scheduling] LimitRange should create a LimitRange with defaults and ensure pod has those defaults applied. [Conformance]",
  async ({ client, namespace, until }) => {
    const ranges = client.resource(LimitRange, namespace);
    const limits = [
      { type: "Container", min: MIN, max: MAX, default: DEFAULT, defaultRequest: DEFAULT_REQUEST },
    ];
    const made = await ranges.create({ metadata: { name: "range" }, spec: { limits } });
    assert.deepEqual(made.spec?.limits?.[0]?.min, MIN);

    const pods = client.resource(Pod, namespace);
    const plain = await pods.create(podOf("plain"));
    assert.deepEqual(plain.spec?.containers[0]?.resources, { requests: DEFAULT_REQUEST, limits: DEFAULT });
    const some = await pods.create(podOf("some", { cpu: "300m", memory: "150Mi" }, { cpu: "300m" }));
    assert.deepEqual(some.spec?.containers[0]?.resources, {
      requests: { cpu: "300m", memory: "150Mi", "ephemeral-storage": "200Gi" },
      limits: { cpu: "300m", memory: "500Mi", "ephemeral-storage": "500Gi" },
    });
    await assert.rejects(
      pods.create(podOf("small", { cpu: "10m" })),
      /minimum cpu usage per Container is 50m/,
    );
    await assert.rejects(
      pods.create(podOf("large", { cpu: "600m" }, { cpu: "600m" })),
      /maximum cpu usage per Container is 500m/,
    );

    const lower = { cpu: "9m", memory: "1Mi", "ephemeral-storage": "1Gi" };
    await ranges.update({
      ...(await ranges.get("range")),
      spec: { limits: [{ ...limits[0]!, min: lower }] },
    });
    assert.deepEqual((await ranges.get("range")).spec?.limits?.[0]?.min, lower);
    await pods.create(podOf("small", { cpu: "10m" }));
    await assert.rejects(
      pods.create(podOf("large", { cpu: "600m" }, { cpu: "600m" })),
      /maximum cpu usage per Container is 500m/,
    );
    await ranges.delete("range");
    await until(async () => (await names(ranges)).length === 0);
    await pods.create(podOf("free", { cpu: "600m" }, { cpu: "600m" }));
  },
);

behaviour(
  "[sig-scheduling] LimitRange should list, patch and delete a LimitRange by collection [Conformance]",
  async ({ client, namespace, until }) => {
    const labels = { "e2e-limit-range": "some" };
    const spec = { limits: [{ type: "Container", min: MIN, max: MAX }] };
    await makeNamespace(client, until, "elsewhere");
    const here = client.resource(LimitRange, namespace);
    const there = client.resource(LimitRange, "elsewhere");
    await here.create({ metadata: { name: "range", labels }, spec });
    await there.create({ metadata: { name: "range", labels }, spec });
    const everywhere = client.resource(LimitRange);
    assert.equal((await names(everywhere, "e2e-limit-range=some")).length, 2);
    const lower = { cpu: "10m", memory: "10Mi", "ephemeral-storage": "10Gi" };
    const patch = {
      metadata: { labels: { range: "patched" } },
      spec: { limits: [{ type: "Container", min: lower, max: MAX }] },
    };
    const patched = await here.patch("range", patch, { type: "strategic" });
    assert.equal(patched.metadata.labels?.range, "patched");
    assert.deepEqual(patched.spec?.limits?.[0]?.min, lower);
    await here.deleteCollection({ labelSelector: "range=patched" });
    await until(async () => (await names(here)).length === 0);
    assert.equal((await names(everywhere, "e2e-limit-range=some")).length, 1);
  },
);
