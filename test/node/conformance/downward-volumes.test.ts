import assert from "node:assert/strict";
import { Node } from "../../../src/api/core/node.ts";
import { Pod } from "../../../src/api/core/pods.ts";
import type {
  DownwardAPIVolumeFile,
  ResourceRequirements,
  Volume,
} from "../../../src/api/schema/core.v1.generated.ts";
import { Quantity } from "../../../src/machinery/quantity/quantity.ts";
import { behaviour, outputOf, shellPod, type World } from "./behaviour.ts";

type Plugin = (items: DownwardAPIVolumeFile[], defaultMode?: number) => Omit<Volume, "name">;

const downward: Plugin = (items, defaultMode) => ({ downwardAPI: { items, defaultMode } });
const projected: Plugin = (items, defaultMode) => ({
  projected: { defaultMode, sources: [{ downwardAPI: { items } }] },
});

const RESOURCES: ResourceRequirements = {
  requests: { cpu: "250m", memory: "32Mi" },
  limits: { cpu: "1250m", memory: "64Mi" },
};
const NAME = { path: "podname", fieldRef: { fieldPath: "metadata.name" } };

function resource(name: string, divisor = "1"): DownwardAPIVolumeFile {
  return { path: "file", resourceFieldRef: { containerName: "main", resource: name, divisor } };
}

async function read(
  world: World,
  volume: Omit<Volume, "name">,
  command: string,
  resources?: ResourceRequirements,
): Promise<string> {
  const volumeMounts = [{ name: "podinfo", mountPath: "/etc/podinfo" }];
  const spec = shellPod(command, { volumes: [{ name: "podinfo", ...volume }] }, { volumeMounts, resources });
  return outputOf(world, spec, { updated: "before" });
}

function tellsPod(what: string, plugin: Plugin): void {
  behaviour(
    `[sig-storage] ${what} should provide podname only [NodeConformance] [Conformance]`,
    async (world) => {
      assert.match(await read(world, plugin([NAME]), "cat /etc/podinfo/podname"), /^output-\w+$/);
    },
  );
  behaviour(
    `[sig-storage] ${what} should set DefaultMode on files [LinuxOnly] [NodeConformance] [Conformance]`,
    async (world) => {
      const command = "stat -L -c %a /etc/podinfo/podname";
      assert.equal(await read(world, plugin([NAME], 0o400), command), "400\n");
    },
  );
  behaviour(
    `[sig-storage] ${what} should set mode on item file [LinuxOnly] [NodeConformance] [Conformance]`,
    async (world) => {
      const command = "stat -L -c %a /etc/podinfo/podname";
      assert.equal(await read(world, plugin([{ ...NAME, mode: 0o400 }]), command), "400\n");
    },
  );
  behaviour(
    `[sig-storage] ${what} should update labels on modification [NodeConformance] [Conformance]`,
    (world) => updates(world, plugin, "labels"),
  );
  behaviour(
    `[sig-storage] ${what} should update annotations on modification [NodeConformance] [Conformance]`,
    (world) => updates(world, plugin, "annotations"),
  );
}

async function updates(world: World, plugin: Plugin, field: "labels" | "annotations"): Promise<void> {
  const items = [{ path: field, fieldRef: { fieldPath: `metadata.${field}` } }];
  const command = `until grep -q 'updated="after"' /etc/podinfo/${field}; do sleep 0.1; done; cat /etc/podinfo/${field}`;
  const said = read(world, plugin(items), command);
  const name = await world.node.untilRunning(world.namespace, "updated=before");
  const patch = { metadata: { [field]: { updated: "after" } } };
  await world.client.resource(Pod, world.namespace).patch(name, patch, { type: "merge" });
  assert.match(await said, /updated="after"/);
}

function tellsResources(what: string, plugin: Plugin): void {
  const cat = "cat /etc/podinfo/file";
  behaviour(
    `[sig-storage] ${what} should provide container's cpu limit [NodeConformance] [Conformance]`,
    async (world) => {
      assert.equal(await read(world, plugin([resource("limits.cpu")]), cat, RESOURCES), "2");
    },
  );
  behaviour(
    `[sig-storage] ${what} should provide container's memory limit [NodeConformance] [Conformance]`,
    async (world) => {
      assert.equal(await read(world, plugin([resource("limits.memory")]), cat, RESOURCES), "67108864");
    },
  );
  behaviour(
    `[sig-storage] ${what} should provide container's cpu request [NodeConformance] [Conformance]`,
    async (world) => {
      assert.equal(await read(world, plugin([resource("requests.cpu", "1m")]), cat, RESOURCES), "250");
    },
  );
  behaviour(
    `[sig-storage] ${what} should provide container's memory request [NodeConformance] [Conformance]`,
    async (world) => {
      assert.equal(await read(world, plugin([resource("requests.memory", "1Mi")]), cat, RESOURCES), "32");
    },
  );
  behaviour(
    `[sig-storage] ${what} should provide node allocatable (cpu) as default cpu limit if the limit is not set [NodeConformance] [Conformance]`,
    async (world) => {
      const said = await read(world, plugin([resource("limits.cpu", "1m")]), cat);
      assert.equal(said, String((await allocatable(world, "cpu")) * 1000));
    },
  );
  behaviour(
    `[sig-storage] ${what} should provide node allocatable (memory) as default memory limit if the limit is not set [NodeConformance] [Conformance]`,
    async (world) => {
      const said = await read(world, plugin([resource("limits.memory")]), cat);
      assert.equal(said, String(await allocatable(world, "memory")));
    },
  );
}

async function allocatable({ client, node }: World, name: string): Promise<number> {
  const { status } = await client.resource(Node).get(node.name);
  return Quantity.parse(status?.allocatable?.[name] ?? "0").approximate();
}

tellsPod("Downward API volume", downward);
tellsPod("Projected downwardAPI", projected);
tellsResources("Downward API volume", downward);
tellsResources("Projected downwardAPI", projected);
