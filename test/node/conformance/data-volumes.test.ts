import assert from "node:assert/strict";
import { ConfigMap } from "../../../src/api/core/config-map.ts";
import { Secret } from "../../../src/api/core/secret.ts";
import type { KeyToPath, Volume } from "../../../src/api/schema/core.v1.generated.ts";
import { makeImage } from "../../../src/host/oci/image.ts";
import { startRegistry } from "../harness/registry.ts";
import { behaviour, makeNamespace, outputOf, shell, shellPod, untilSaid, type World } from "./behaviour.ts";

interface VolumeOptions {
  defaultMode?: number;
  items?: KeyToPath[];
  optional?: boolean;
}

/** Where data of a volume comes from: a ConfigMap or a Secret, plain or projected. */
interface Source {
  write(world: World, name: string, data: Record<string, string>): Promise<unknown>;
  delete(world: World, name: string): Promise<unknown>;
  volume(name: string, options?: VolumeOptions): Omit<Volume, "name">;
}

const encoded = (data: Record<string, string>): Record<string, string> =>
  Object.fromEntries(Object.entries(data).map(([key, text]) => [key, Buffer.from(text).toString("base64")]));

const config: Omit<Source, "volume"> = {
  write: ({ client, namespace }, name, data) =>
    client
      .resource(ConfigMap, namespace)
      .apply({ metadata: { name }, data }, { fieldManager: "behaviour", force: true }),
  delete: ({ client, namespace }, name) => client.resource(ConfigMap, namespace).delete(name),
};
const secret: Omit<Source, "volume"> = {
  write: ({ client, namespace }, name, data) =>
    client
      .resource(Secret, namespace)
      .apply({ metadata: { name }, data: encoded(data) }, { fieldManager: "behaviour", force: true }),
  delete: ({ client, namespace }, name) => client.resource(Secret, namespace).delete(name),
};

const configMap: Source = { ...config, volume: (name, more) => ({ configMap: { name, ...more } }) };
const secretVolume: Source = {
  ...secret,
  volume: (secretName, more) => ({ secret: { secretName, ...more } }),
};
const projectedConfigMap: Source = {
  ...config,
  volume: (name, { defaultMode, ...more } = {}) => ({
    projected: { defaultMode, sources: [{ configMap: { name, ...more } }] },
  }),
};
const projectedSecret: Source = {
  ...secret,
  volume: (name, { defaultMode, ...more } = {}) => ({
    projected: { defaultMode, sources: [{ secret: { name, ...more } }] },
  }),
};

const DATA = { "data-1": "value-1", "data-2": "value-2" };
const MAPPED = [{ key: "data-2", path: "path/to/data-2" }];
const MAPPED_WITH_MODE = [{ key: "data-2", path: "path/to/data-2", mode: 0o400 }];
const mounts = (names: readonly string[]) =>
  names.map((name) => ({ name, mountPath: `/etc/${name}`, readOnly: true }));

/** What a pod reads in a volume of the source. */
async function read(
  world: World,
  source: Source,
  command: string,
  options: VolumeOptions = {},
  securityContext: object = {},
): Promise<string> {
  await source.write(world, "data", DATA);
  const volumes = [{ name: "volume", ...source.volume("data", options) }];
  const spec = shellPod(command, { volumes, securityContext }, { volumeMounts: mounts(["volume"]) });
  return outputOf(world, spec);
}

function consumable(what: string, source: Source): void {
  behaviour(
    `[sig-storage] ${what} should be consumable from pods in volume [NodeConformance] [Conformance]`,
    async (world) => {
      const said = await read(world, source, "cat /etc/volume/data-1; stat -L -c ' %a' /etc/volume/data-1");
      assert.equal(said, "value-1 644\n");
    },
  );
  behaviour(
    `[sig-storage] ${what} should be consumable from pods in volume with defaultMode set [LinuxOnly] [NodeConformance] [Conformance]`,
    async (world) => {
      const options = { defaultMode: 0o400 };
      assert.equal(await read(world, source, "stat -L -c %a /etc/volume/data-1", options), "400\n");
    },
  );
  behaviour(
    `[sig-storage] ${what} should be consumable from pods in volume with mappings [NodeConformance] [Conformance]`,
    async (world) => {
      const options = { items: MAPPED };
      const said = await read(world, source, "ls /etc/volume; cat /etc/volume/path/to/data-2", options);
      assert.equal(said, "path\nvalue-2");
    },
  );
}

function mappedWithMode(codename: string, source: Source): void {
  behaviour(codename, async (world) => {
    const command = "cat /etc/volume/path/to/data-2; stat -L -c ' %a' /etc/volume/path/to/data-2";
    assert.equal(await read(world, source, command, { items: MAPPED_WITH_MODE }), "value-2 400\n");
  });
}

function asNonRoot(what: string, source: Source): void {
  behaviour(
    `[sig-storage] ${what} should be consumable from pods in volume as non-root [NodeConformance] [Conformance]`,
    async (world) => {
      const user = { runAsUser: 1000 };
      assert.equal(await read(world, source, "id -u; cat /etc/volume/data-1", {}, user), "1000\nvalue-1");
    },
  );
  behaviour(
    `[sig-storage] ${what} should be consumable from pods in volume with mappings as non-root [NodeConformance] [Conformance]`,
    async (world) => {
      const user = { runAsUser: 1000 };
      const command = "id -u; cat /etc/volume/path/to/data-2";
      assert.equal(await read(world, source, command, { items: MAPPED }, user), "1000\nvalue-2");
    },
  );
}

function asNonRootOfGroup(what: string, source: Source): void {
  behaviour(
    `[sig-storage] ${what} should be consumable from pods in volume as non-root with defaultMode and fsGroup set [LinuxOnly] [NodeConformance] [Conformance]`,
    async (world) => {
      const user = { runAsUser: 1000, fsGroup: 1001 };
      const command = "cat /etc/volume/data-1; stat -L -c ' %a %g' /etc/volume/data-1";
      assert.equal(await read(world, source, command, { defaultMode: 0o440 }, user), "value-1 440 1001\n");
    },
  );
}

function inSeveral(codename: string, source: Source): void {
  behaviour(codename, async (world) => {
    await source.write(world, "data", DATA);
    const volumes = ["one", "two"].map((name) => ({ name, ...source.volume("data") }));
    const command = "cat /etc/one/data-1 /etc/two/data-1";
    const spec = shellPod(command, { volumes }, { volumeMounts: mounts(["one", "two"]) });
    assert.equal(await outputOf(world, spec), "value-1value-1");
  });
}

function updates(what: string, source: Source): void {
  behaviour(
    `[sig-storage] ${what} updates should be reflected in volume [NodeConformance] [Conformance]`,
    async (world) => {
      await source.write(world, "data", DATA);
      const volumes = [{ name: "volume", ...source.volume("data") }];
      const command =
        "cat /etc/volume/data-1; echo; until grep -q other /etc/volume/data-1; do sleep 0.1; done; cat /etc/volume/data-1";
      const spec = shellPod(command, { volumes }, { volumeMounts: mounts(["volume"]) });
      const said = outputOf(world, spec, { updated: "yes" });
      await untilSaid(world, await world.node.untilRunning(world.namespace, "updated=yes"), "value-1\n");
      await source.write(world, "data", { "data-1": "other" });
      assert.equal(await said, "value-1\nother");
    },
  );
}

function optionalUpdates(what: string, source: Source): void {
  behaviour(
    `[sig-storage] ${what} optional updates should be reflected in volume [NodeConformance] [Conformance]`,
    async (world) => {
      await source.write(world, "deleted", DATA);
      await source.write(world, "updated", DATA);
      const names = ["deleted", "updated", "created"];
      const volumes = names.map((name) => ({ name, ...source.volume(name, { optional: true }) }));
      const command = [
        "cat /etc/deleted/data-1 /etc/updated/data-1",
        "test ! -e /etc/created/data-1 || exit 1; echo",
        "while test -e /etc/deleted/data-1; do sleep 0.1; done",
        "until grep -q other /etc/updated/data-1; do sleep 0.1; done",
        "until test -e /etc/created/data-1; do sleep 0.1; done",
        "cat /etc/created/data-1",
      ].join("; ");
      const said = outputOf(world, shellPod(command, { volumes }, { volumeMounts: mounts(names) }), {
        updated: "yes",
      });
      await untilSaid(world, await world.node.untilRunning(world.namespace, "updated=yes"), "\n");
      await source.delete(world, "deleted");
      await source.write(world, "updated", { "data-1": "other" });
      await source.write(world, "created", DATA);
      assert.equal(await said, "value-1value-1\nvalue-1");
    },
  );
}

consumable("ConfigMap", configMap);
consumable("Projected configMap", projectedConfigMap);
consumable("Secrets", secretVolume);
consumable("Projected secret", projectedSecret);
asNonRoot("ConfigMap", configMap);
asNonRoot("Projected configMap", projectedConfigMap);
asNonRootOfGroup("Secrets", secretVolume);
asNonRootOfGroup("Projected secret", projectedSecret);
updates("ConfigMap", configMap);
updates("Projected configMap", projectedConfigMap);
optionalUpdates("ConfigMap", configMap);
optionalUpdates("Projected configMap", projectedConfigMap);
optionalUpdates("Secrets", secretVolume);
optionalUpdates("Projected secret", projectedSecret);
mappedWithMode(
  "[sig-storage] ConfigMap should be consumable from pods in volume with mappings and Item mode set [LinuxOnly] [NodeConformance] [Conformance]",
  configMap,
);
mappedWithMode(
  "[sig-storage] Projected configMap should be consumable from pods in volume with mappings and Item mode set [LinuxOnly] [NodeConformance] [Conformance]",
  projectedConfigMap,
);
mappedWithMode(
  "[sig-storage] Secrets should be consumable from pods in volume with mappings and Item Mode set [LinuxOnly] [NodeConformance] [Conformance]",
  secretVolume,
);
mappedWithMode(
  "[sig-storage] Projected secret should be consumable from pods in volume with mappings and Item Mode set [LinuxOnly] [NodeConformance] [Conformance]",
  projectedSecret,
);
inSeveral(
  "[sig-storage] ConfigMap should be consumable in multiple volumes in the same pod [NodeConformance] [Conformance]",
  configMap,
);
inSeveral(
  "[sig-storage] Projected configMap should be consumable in multiple volumes in the same pod [NodeConformance] [Conformance]",
  projectedConfigMap,
);
inSeveral(
  "[sig-storage] Secrets should be consumable in multiple volumes in a pod [NodeConformance] [Conformance]",
  secretVolume,
);
inSeveral(
  "[sig-storage] Projected secret should be consumable in multiple volumes in a pod [NodeConformance] [Conformance]",
  projectedSecret,
);

behaviour(
  "[sig-storage] ConfigMap binary data should be reflected in volume [NodeConformance] [Conformance]",
  async (world) => {
    await world.client.resource(ConfigMap, world.namespace).create({
      metadata: { name: "data" },
      data: { text: "value-1" },
      binaryData: { binary: Buffer.from([0xde, 0xca, 0xfe, 0xba, 0xd0, 0x00, 0xff]).toString("base64") },
    });
    const volumes = [{ name: "volume", ...configMap.volume("data") }];
    const command = "cat /etc/volume/text; hexdump -v -e '1/1 \"%02x\"' /etc/volume/binary";
    const spec = shellPod(command, { volumes }, { volumeMounts: mounts(["volume"]) });
    assert.equal(await outputOf(world, spec), "value-1decafebad000ff");
  },
);

behaviour(
  "[sig-storage] Secrets should be able to mount in a volume regardless of a different secret existing with same name in different namespace [NodeConformance] [Conformance]",
  async (world) => {
    const other = { ...world, namespace: `${world.namespace}-other` };
    await makeNamespace(world.client, other.namespace);
    await secret.write(other, "data", { "data-1": "of another" });
    const command = "cat /etc/volume/data-1; stat -L -c ' %A' /etc/volume/data-1";
    assert.equal(await read(world, secretVolume, command), "value-1 -rw-r--r--\n");
  },
);

behaviour("[sig-storage] EmptyDir wrapper volumes should not conflict [Conformance]", async (world) => {
  await config.write(world, "config", DATA);
  await secret.write(world, "secret", DATA);
  const volumes = [
    { name: "secret", ...secretVolume.volume("secret") },
    { name: "config", ...configMap.volume("config") },
  ];
  const command = "cat /etc/secret/data-1 /etc/config/data-2";
  const spec = shellPod(command, { volumes }, { volumeMounts: mounts(["secret", "config"]) });
  assert.equal(await outputOf(world, spec), "value-1value-2");
});

behaviour(
  "[sig-storage] EmptyDir wrapper volumes should not cause race condition when used for configmaps [Serial] [Conformance]",
  async (world) => {
    const names = Array.from({ length: 50 }, (_, at) => `racey-${at}`);
    await Promise.all(names.map((name) => config.write(world, name, DATA)));
    const volumes = names.map((name) => ({ name, ...configMap.volume(name) }));
    const spec = shellPod("cat /etc/racey-*/data-1 | wc -c", { volumes }, { volumeMounts: mounts(names) });
    const said = await Promise.all(Array.from({ length: 5 }, () => outputOf(world, spec)));
    assert.deepEqual(new Set(said), new Set(["350\n"]));
  },
);

behaviour(
  "[sig-storage] Projected combined should project all components that make up the projection API [Projection] [NodeConformance] [Conformance]",
  async (world) => {
    await config.write(world, "config", { "configmap-data": "configmap-value" });
    await secret.write(world, "secret", { "secret-data": "secret-value" });
    const sources = [
      { secret: { name: "secret" } },
      { configMap: { name: "config" } },
      { downwardAPI: { items: [{ path: "podname", fieldRef: { fieldPath: "metadata.name" } }] } },
      { serviceAccountToken: { path: "token", expirationSeconds: 3600 } },
    ];
    const volumes = [{ name: "all", projected: { sources } }];
    // Tokens are without the padding that busybox wants.
    const decode = "awk '{ while (length($0) % 4) $0 = $0 \"=\"; print }' | base64 -d";
    const command = `cd /etc/all; cat configmap-data secret-data podname; cut -d. -f1 token | ${decode}`;
    const container = shell(command, { volumeMounts: mounts(["all"]) });
    const said = await outputOf(world, { ...shellPod(command, { volumes }), containers: [container] });
    assert.match(said, /^configmap-valuesecret-valueoutput-\w+\{"alg":/);
  },
);

behaviour(
  "[sig-node] ImageVolume should succeed with pod and pull policy of Always [LinuxOnly] [MinimumKubeletVersion:1.35] [Conformance]",
  async (world) => {
    const { node } = world;
    const file = (path: string, text: string) => [{ path, mode: 0o644, content: Buffer.from(text) }];
    const layers = [file("etc/os-release", "Alpine Linux\n"), file("data.json", "kitten.jpg\n")];
    await using registry = await startRegistry({
      images: { kitten: makeImage({ name: "kitten", layers }) },
      // This machine's end of the node's link.
      address: node.address.replace(/\d+$/, "1"),
      registries: node.layout.registries,
    });
    const image = { reference: `${registry.host}/kitten:1`, pullPolicy: "Always" };
    const volumes = [{ name: "volume", image }];
    const spec = shellPod(
      "cd /etc/volume; cat data.json etc/os-release; touch file 2>&1 || true",
      { volumes },
      { volumeMounts: mounts(["volume"]) },
    );
    assert.equal(
      await outputOf(world, spec),
      "kitten.jpg\nAlpine Linux\ntouch: file: Read-only file system\n",
    );
    assert.ok(registry.requests.includes("HEAD /v2/kitten/manifests/1"), String(registry.requests));
  },
);
