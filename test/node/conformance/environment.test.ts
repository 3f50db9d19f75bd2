import assert from "node:assert/strict";
import { ConfigMap } from "../../../src/api/core/config-map.ts";
import { Node } from "../../../src/api/core/node.ts";
import { Pod } from "../../../src/api/core/pods.ts";
import { Secret } from "../../../src/api/core/secret.ts";
import { Service } from "../../../src/api/core/services.ts";
import type { Container, EnvVar } from "../../../src/api/schema/core.v1.generated.ts";
import { behaviour, outputOf, shellPod, type World } from "./behaviour.ts";

const DATA = { "data-1": "value-1", "data-2": "value-2", "data-3": "value-3" };

async function configMap({ client, namespace }: World): Promise<void> {
  await client.resource(ConfigMap, namespace).create({ metadata: { name: "source" }, data: DATA });
}

async function secret({ client, namespace }: World): Promise<void> {
  const entries = Object.entries(DATA).map(([key, text]) => [key, Buffer.from(text).toString("base64")]);
  const data = Object.fromEntries(entries);
  await client.resource(Secret, namespace).create({ metadata: { name: "source" }, data });
}

/** What `env` says in a container, sorted. */
async function environment(world: World, container: Partial<Container>): Promise<string[]> {
  // Not by the shell: it keeps from its children what it could not name itself.
  const spec = shellPod("", {}, { command: ["env"], ...container });
  return (await outputOf(world, spec)).trim().split("\n").sort();
}

function includes(lines: readonly string[], ...wanted: string[]): void {
  assert.deepEqual(
    wanted.filter((line) => !lines.includes(line)),
    [],
    lines.join("\n"),
  );
}

behaviour(
  "[sig-node] ConfigMap should be consumable via environment variable [NodeConformance] [Conformance]",
  async (world) => {
    await configMap(world);
    const valueFrom = { configMapKeyRef: { name: "source", key: "data-1" } };
    includes(await environment(world, { env: [{ name: "CONFIG", valueFrom }] }), "CONFIG=value-1");
  },
);

behaviour(
  "[sig-node] ConfigMap should be consumable via the environment [NodeConformance] [Conformance]",
  async (world) => {
    await configMap(world);
    const envFrom = [
      { configMapRef: { name: "source" } },
      { prefix: "p_", configMapRef: { name: "source" } },
    ];
    includes(await environment(world, { envFrom }), "data-1=value-1", "p_data-3=value-3");
  },
);

behaviour(
  "[sig-node] ConfigMap should be consumable as environment variable names with various prefixes [Conformance]",
  async (world) => {
    await configMap(world);
    const envFrom = ["p-", "p.", "#p", "0"].map((prefix) => ({ prefix, configMapRef: { name: "source" } }));
    includes(
      await environment(world, { envFrom }),
      "p-data-1=value-1",
      "p.data-2=value-2",
      "#pdata-3=value-3",
      "0data-1=value-1",
    );
  },
);

behaviour(
  "[sig-node] Secrets should be consumable from pods in env vars [NodeConformance] [Conformance]",
  async (world) => {
    await secret(world);
    const valueFrom = { secretKeyRef: { name: "source", key: "data-1" } };
    includes(await environment(world, { env: [{ name: "SECRET", valueFrom }] }), "SECRET=value-1");
  },
);

behaviour(
  "[sig-node] Secrets should be consumable via the environment [NodeConformance] [Conformance]",
  async (world) => {
    await secret(world);
    const envFrom = [{ secretRef: { name: "source" } }, { prefix: "p_", secretRef: { name: "source" } }];
    includes(await environment(world, { envFrom }), "data-1=value-1", "p_data-3=value-3");
  },
);

behaviour(
  "[sig-node] Secrets should be consumable as environment variable names variable names with various prefixes [Conformance]",
  async (world) => {
    await secret(world);
    const envFrom = ["p-", "p.", "#p", "0"].map((prefix) => ({ prefix, secretRef: { name: "source" } }));
    includes(
      await environment(world, { envFrom }),
      "p-data-1=value-1",
      "p.data-2=value-2",
      "#pdata-3=value-3",
      "0data-1=value-1",
    );
  },
);

const field = (name: string, fieldPath: string): EnvVar => ({ name, valueFrom: { fieldRef: { fieldPath } } });
const resource = (name: string, of: string): EnvVar => ({
  name,
  valueFrom: { resourceFieldRef: { resource: of } },
});

behaviour(
  "[sig-node] Downward API should provide pod name, namespace and IP address as env vars [NodeConformance] [Conformance]",
  async (world) => {
    const env = [
      field("NAME", "metadata.name"),
      field("NAMESPACE", "metadata.namespace"),
      field("IP", "status.podIP"),
    ];
    const said = await outputOf(world, shellPod('echo "$NAME $NAMESPACE $IP"', {}, { env }));
    assert.match(said, new RegExp(`^output-\\w+ ${world.namespace} \\d+\\.\\d+\\.\\d+\\.\\d+\\n$`));
  },
);

behaviour(
  "[sig-node] Downward API should provide pod UID as env vars [NodeConformance] [Conformance]",
  async (world) => {
    const said = await outputOf(
      world,
      shellPod("echo $UID_OF", {}, { env: [field("UID_OF", "metadata.uid")] }),
    );
    const { items } = await world.client.resource(Pod, world.namespace).list();
    assert.equal(said.trim(), items[0]?.metadata.uid);
  },
);

behaviour(
  "[sig-node] Downward API should provide host IP as an env var [NodeConformance] [Conformance]",
  async (world) => {
    const said = await outputOf(world, shellPod("echo $IP", {}, { env: [field("IP", "status.hostIP")] }));
    assert.equal(said.trim(), await nodeAddress(world));
  },
);

behaviour(
  "[sig-node] Downward API should provide hostIPs as an env var [NodeConformance] [Conformance]",
  async (world) => {
    const said = await outputOf(world, shellPod("echo $IPS", {}, { env: [field("IPS", "status.hostIPs")] }));
    assert.equal(said.trim().split(",")[0], await nodeAddress(world));
  },
);

async function nodeAddress({ client, node }: World): Promise<string | undefined> {
  const { status } = await client.resource(Node).get(node.name);
  return status?.addresses?.find(({ type }) => type === "InternalIP")?.address;
}

const AMOUNTS = [
  resource("CPU_LIMIT", "limits.cpu"),
  resource("MEMORY_LIMIT", "limits.memory"),
  resource("CPU_REQUEST", "requests.cpu"),
  resource("MEMORY_REQUEST", "requests.memory"),
];

behaviour(
  "[sig-node] Downward API should provide container's limits.cpu/memory and requests.cpu/memory as env vars [NodeConformance] [Conformance]",
  async (world) => {
    const resources = { requests: { cpu: "250m", memory: "32Mi" }, limits: { cpu: "1250m", memory: "64Mi" } };
    const found = await environment(world, { env: AMOUNTS, resources });
    includes(found, "CPU_LIMIT=2", "MEMORY_LIMIT=67108864", "CPU_REQUEST=1", "MEMORY_REQUEST=33554432");
  },
);

behaviour(
  "[sig-node] Downward API should provide default limits.cpu/memory from node allocatable [NodeConformance] [Conformance]",
  async (world) => {
    const found = await environment(world, { env: AMOUNTS.slice(0, 2) });
    const { status } = await world.client.resource(Node).get(world.node.name);
    includes(found, `CPU_LIMIT=${Math.ceil(Number(status?.allocatable?.cpu))}`);
    assert.ok(found.some((line) => /^MEMORY_LIMIT=[1-9]\d+$/.test(line)));
  },
);

behaviour(
  "[sig-node] Variable Expansion should allow composing env vars into new env vars [NodeConformance] [Conformance]",
  async (world) => {
    const env = [
      { name: "FOO", value: "foo-value" },
      { name: "BAR", value: "bar-value" },
      { name: "FOOBAR", value: "$(FOO);;$(BAR) $$(FOO) $(NONE)" },
    ];
    includes(await environment(world, { env }), "FOOBAR=foo-value;;bar-value $(FOO) $(NONE)");
  },
);

const TEST_VAR = [{ name: "TEST_VAR", value: "test-value" }];

behaviour(
  "[sig-node] Variable Expansion should allow substituting values in a container's command [NodeConformance] [Conformance]",
  async (world) => {
    const command = ["/bin/sh", "-c", 'TEST_VAR=wrong echo "$(TEST_VAR)"'];
    assert.equal(await outputOf(world, shellPod("", {}, { command, env: TEST_VAR })), "test-value\n");
  },
);

behaviour(
  "[sig-node] Variable Expansion should allow substituting values in a container's args [NodeConformance] [Conformance]",
  async (world) => {
    const container = {
      command: ["/bin/sh", "-c"],
      args: ['TEST_VAR=wrong echo "$(TEST_VAR)"'],
      env: TEST_VAR,
    };
    assert.equal(await outputOf(world, shellPod("", {}, container)), "test-value\n");
  },
);

behaviour(
  "[sig-node] Pods should contain environment variables for services [NodeConformance] [Conformance]",
  async (world) => {
    const { client, namespace } = world;
    const service = await client.resource(Service, namespace).create({
      metadata: { name: "fooservice" },
      spec: { selector: { name: "server" }, ports: [{ port: 8765, targetPort: 8080 }] },
    });
    const ip = service.spec?.clusterIP;
    includes(
      await environment(world, {}),
      `FOOSERVICE_SERVICE_HOST=${ip}`,
      "FOOSERVICE_SERVICE_PORT=8765",
      `FOOSERVICE_PORT=tcp://${ip}:8765`,
      `FOOSERVICE_PORT_8765_TCP=tcp://${ip}:8765`,
      "FOOSERVICE_PORT_8765_TCP_PORT=8765",
      "FOOSERVICE_PORT_8765_TCP_PROTO=tcp",
      `FOOSERVICE_PORT_8765_TCP_ADDR=${ip}`,
    );
  },
);

/* The image runs `/bin/echo` with `image default` where a container says nothing else. */

function commands(codename: string, container: Partial<Container>, expected: string): void {
  behaviour(codename, async (world) => {
    const own: Container = { name: "main", image: world.node.images.echo, ...container };
    const spec = { restartPolicy: "Never", containers: [own] };
    assert.equal(await outputOf(world, spec), expected);
  });
}

commands(
  "[sig-node] Containers should use the image defaults if command and args are blank [NodeConformance] [Conformance]",
  {},
  "image default\n",
);
commands(
  "[sig-node] Containers should be able to override the image's default arguments (container cmd) [NodeConformance] [Conformance]",
  { args: ["override", "arguments"] },
  "override arguments\n",
);
commands(
  "[sig-node] Containers should be able to override the image's default command (container entrypoint) [NodeConformance] [Conformance]",
  { command: ["/bin/basename", "/a/override"] },
  "override\n",
);
commands(
  "[sig-node] Containers should be able to override the image's default command and arguments [NodeConformance] [Conformance]",
  { command: ["/bin/basename"], args: ["/an/override"] },
  "override\n",
);
