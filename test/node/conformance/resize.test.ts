import assert from "node:assert/strict";
import { Pod } from "../../../src/api/core/pods.ts";
import type { Container, ResourceRequirements } from "../../../src/api/schema/core.v1.generated.ts";
import { until } from "../../scenario/until.ts";
import { behaviour, isReady, runningPod, shell, shellPod, updated, type World } from "./behaviour.ts";

type Amounts = [cpu: string, memory: string];

const RESIZE_POLICY = [
  { resourceName: "cpu", restartPolicy: "NotRequired" },
  { resourceName: "memory", restartPolicy: "NotRequired" },
];

function sized(name: string, resources: ResourceRequirements): Container {
  return shell("sleep 1000", { name, resources, resizePolicy: RESIZE_POLICY });
}

function both(cpu: string, memory: string): ResourceRequirements {
  return { requests: { cpu, memory }, limits: { cpu, memory } };
}

/** Brings the containers to their new sizes in place: the kubelet tells them, and nothing is restarted. */
async function resized(
  { client, namespace }: World,
  containers: readonly { name: string; resources: ResourceRequirements }[],
): Promise<Pod> {
  const pods = client.resource(Pod, namespace);
  const patched = await pods.patch(
    "sized",
    { spec: { containers } },
    { type: "strategic", subresource: "resize" },
  );
  const { generation } = patched.metadata;
  const pod = await until(pods, "sized", (now) => {
    const statuses = now?.status?.containerStatuses ?? [];
    const pending = now?.status?.conditions?.some(({ type }) => type.startsWith("PodResize"));
    const reached = containers.every(({ name, resources }) => {
      const told = statuses.find((status) => status.name === name)?.resources;
      return same(told?.requests, resources.requests) && same(told?.limits, resources.limits);
    });
    return now?.status?.observedGeneration === generation && !pending && reached;
  });
  assert.ok(pod && isReady(pod));
  for (const status of pod.status?.containerStatuses ?? []) assert.equal(status.restartCount, 0, status.name);
  return pod;
}

function same(told: Record<string, string> | undefined, wanted: Record<string, string> | undefined): boolean {
  return Object.entries(wanted ?? {}).every(([name, amount]) => told?.[name] === amount);
}

function guaranteed(codename: string, before: readonly Amounts[], after: readonly Amounts[]): void {
  behaviour(codename, async (world) => {
    const name = (at: number): string => `c${at + 1}`;
    const containers = before.map((amounts, at) => sized(name(at), both(...amounts)));
    const made = await runningPod(world, "sized", { ...shellPod(""), restartPolicy: "Always", containers });
    assert.equal(made.status?.qosClass, "Guaranteed");
    const wanted = after.map((amounts, at) => ({ name: name(at), resources: both(...amounts) }));
    assert.equal((await resized(world, wanted)).status?.qosClass, "Guaranteed");
    const memory = await world.node.memoryLimit(world.namespace, "sized", "c1");
    assert.equal(memory, Number.parseInt(after[0]![1], 10) * 1024 * 1024);
  });
}

guaranteed(
  "[sig-node] Pod InPlace Resize Container guaranteed pods with multiple containers 3 containers - increase cpu & mem on c1, c2, decrease cpu & mem on c3 - net increase [MinimumKubeletVersion:1.34] [Conformance]",
  [
    ["20m", "35Mi"],
    ["20m", "35Mi"],
    ["20m", "35Mi"],
  ],
  [
    ["25m", "40Mi"],
    ["25m", "40Mi"],
    ["15m", "30Mi"],
  ],
);
guaranteed(
  "[sig-node] Pod InPlace Resize Container guaranteed pods with multiple containers 3 containers - increase cpu & mem on c1, decrease cpu & mem on c2, c3 - net decrease [MinimumKubeletVersion:1.34] [Conformance]",
  [
    ["20m", "35Mi"],
    ["20m", "35Mi"],
    ["20m", "35Mi"],
  ],
  [
    ["25m", "40Mi"],
    ["15m", "30Mi"],
    ["15m", "30Mi"],
  ],
);
guaranteed(
  "[sig-node] Pod InPlace Resize Container guaranteed pods with multiple containers 3 containers - increase: CPU (c1,c3), memory (c2, c3) ; decrease: CPU (c2) [MinimumKubeletVersion:1.34] [Conformance]",
  [
    ["20m", "35Mi"],
    ["20m", "35Mi"],
    ["20m", "35Mi"],
  ],
  [
    ["25m", "35Mi"],
    ["15m", "40Mi"],
    ["25m", "40Mi"],
  ],
);

behaviour(
  "[sig-node] Pod InPlace Resize Container burstable pods - extended 6 containers - various operations performed (including adding limits and requests) [MinimumKubeletVersion:1.34] [Conformance]",
  async (world) => {
    const containers = [
      sized("c1", {}),
      sized("c2", { requests: { cpu: "20m" } }),
      sized("c3", { requests: { memory: "20Mi" } }),
      sized("c4", { requests: { cpu: "20m", memory: "20Mi" }, limits: { cpu: "40m", memory: "40Mi" } }),
      sized("c5", { requests: { cpu: "20m", memory: "20Mi" } }),
      sized("c6", { requests: { cpu: "20m" }, limits: { cpu: "40m" } }),
    ];
    await runningPod(world, "sized", { ...shellPod(""), restartPolicy: "Always", containers });
    await resized(world, [
      { name: "c1", resources: { requests: { cpu: "10m", memory: "10Mi" } } },
      { name: "c2", resources: { requests: { cpu: "25m" }, limits: { cpu: "50m" } } },
      { name: "c3", resources: { requests: { memory: "25Mi" }, limits: { memory: "50Mi" } } },
      {
        name: "c4",
        resources: { requests: { cpu: "15m", memory: "15Mi" }, limits: { cpu: "30m", memory: "50Mi" } },
      },
      { name: "c5", resources: { requests: { cpu: "10m", memory: "25Mi" } } },
      { name: "c6", resources: { requests: { cpu: "25m", memory: "10Mi" }, limits: { cpu: "45m" } } },
    ]);
  },
);

behaviour(
  "[sig-node] Pod InPlace Resize Container burstable pods - extended resize with equivalents [MinimumKubeletVersion:1.34] [Conformance]",
  async (world) => {
    const containers = [sized("c1", { requests: { cpu: "2m" }, limits: { cpu: "10m" } })];
    await runningPod(world, "sized", { ...shellPod(""), restartPolicy: "Always", containers });
    await resized(world, [{ name: "c1", resources: { requests: { cpu: "1m" }, limits: { cpu: "5m" } } }]);
  },
);

behaviour(
  "[sig-node] Pod InPlace Resize Container resize pod via the replace endpoint [MinimumKubeletVersion:1.34] [Conformance]",
  async (world) => {
    const { client, namespace } = world;
    const pods = client.resource(Pod, namespace);
    await runningPod(world, "sized", {
      ...shellPod(""),
      restartPolicy: "Always",
      containers: [sized("c1", both("20m", "35Mi"))],
    });
    const resources = both("25m", "40Mi");
    await updated(pods, "sized", "resize", ({ spec }) => ({
      containers: spec!.containers.map((one) => ({ ...one, resources })),
    }));
    await until(
      pods,
      "sized",
      (pod) => pod?.status?.containerStatuses?.[0]?.resources?.limits?.cpu === "25m",
    );
    const [read, main] = [await pods.getSubresource<Pod>("sized", "resize"), await pods.get("sized")];
    assert.deepEqual(read.spec, main.spec);
  },
);
