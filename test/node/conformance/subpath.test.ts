import assert from "node:assert/strict";
import { ConfigMap } from "../../../src/api/core/config-map.ts";
import { Pod } from "../../../src/api/core/pods.ts";
import { Secret } from "../../../src/api/core/secret.ts";
import type { Volume } from "../../../src/api/schema/core.v1.generated.ts";
import { until } from "../../scenario/until.ts";
import { behaviour, isReady, outputOf, shellPod, type World } from "./behaviour.ts";

const ITEM = { path: "sub/podname", fieldRef: { fieldPath: "metadata.name" } };
const ITEMS = [{ key: "key", path: "sub/file" }];

function supported(what: string, volume: Omit<Volume, "name">, path: string, expected: RegExp): void {
  behaviour(
    `[sig-storage] Subpath Atomic writer volumes should support subpaths with ${what} pod [Conformance]`,
    async (world) => {
      await data(world);
      assert.match(await read(world, volume, path, "/mounted"), expected);
    },
  );
}

supported("configmap", { configMap: { name: "config", items: ITEMS } }, "sub/file", /^value$/);
supported("secret", { secret: { secretName: "secret", items: ITEMS } }, "sub/file", /^hidden$/);
supported("downward", { downwardAPI: { items: [ITEM] } }, "sub/podname", /^output-\w+$/);
supported(
  "projected",
  { projected: { sources: [{ configMap: { name: "config", items: ITEMS } }] } },
  "sub/file",
  /^value$/,
);

behaviour(
  "[sig-storage] Subpath Atomic writer volumes should support subpaths with configmap pod with mountPath of existing file [Conformance]",
  async (world) => {
    await data(world);
    assert.equal(await read(world, { configMap: { name: "config" } }, "key", "/etc/passwd"), "value");
  },
);

async function data({ client, namespace }: World): Promise<void> {
  await client
    .resource(ConfigMap, namespace)
    .create({ metadata: { name: "config" }, data: { key: "value" } });
  const hidden = { key: Buffer.from("hidden").toString("base64") };
  await client.resource(Secret, namespace).create({ metadata: { name: "secret" }, data: hidden });
}

function read(
  world: World,
  volume: Omit<Volume, "name">,
  subPath: string,
  mountPath: string,
): Promise<string> {
  const volumeMounts = [{ name: "volume", mountPath, subPath }];
  return outputOf(
    world,
    shellPod(`cat ${mountPath}`, { volumes: [{ name: "volume", ...volume }] }, { volumeMounts }),
  );
}

const NAME = { name: "POD_NAME", valueFrom: { fieldRef: { fieldPath: "metadata.name" } } };
const VOLUMES = [{ name: "work", emptyDir: {} }];

behaviour(
  "[sig-node] Variable Expansion should allow substituting values in a volume subpath [Conformance]",
  async (world) => {
    const volumeMounts = [
      { name: "work", mountPath: "/logs", subPathExpr: "$(POD_NAME)" },
      { name: "work", mountPath: "/all" },
    ];
    const command = 'echo here > /logs/file; cat "/all/$POD_NAME/file"';
    const spec = shellPod(command, { volumes: VOLUMES }, { env: [NAME], volumeMounts });
    assert.equal(await outputOf(world, spec), "here\n");
  },
);

behaviour(
  "[sig-node] Variable Expansion should succeed in writing subpaths in container [Conformance]",
  async (world) => {
    const env = [
      NAME,
      { name: "ANNOTATION", valueFrom: { fieldRef: { fieldPath: "metadata.labels['sub']" } } },
    ];
    const volumeMounts = [
      { name: "work", mountPath: "/sub", subPathExpr: "$(ANNOTATION)/$(POD_NAME)" },
      { name: "work", mountPath: "/all" },
    ];
    const command = 'touch /sub/test.log; test -f "/all/$ANNOTATION/$POD_NAME/test.log" && echo found';
    const spec = shellPod(command, { volumes: VOLUMES }, { env, volumeMounts });
    assert.equal(await outputOf(world, spec, { sub: "mypath" }), "found\n");
  },
);

async function neverStarts({ client, namespace }: World, value: string): Promise<void> {
  const env = [{ name: "SUBPATH", value }];
  const volumeMounts = [{ name: "work", mountPath: "/sub", subPathExpr: "$(SUBPATH)" }];
  const pods = client.resource(Pod, namespace);
  await pods.create({
    metadata: { name: "refused" },
    spec: shellPod("true", { volumes: VOLUMES }, { env, volumeMounts }),
  });
  const pod = await until(
    pods,
    "refused",
    (now) => now?.status?.containerStatuses?.[0]?.state?.waiting?.reason === "CreateContainerConfigError",
  );
  assert.equal(pod?.status?.phase, "Pending");
}

behaviour(
  "[sig-node] Variable Expansion should fail substituting values in a volume subpath with absolute path [Conformance]",
  (world) => neverStarts(world, "/tmp"),
);

behaviour(
  "[sig-node] Variable Expansion should fail substituting values in a volume subpath with backticks [Conformance]",
  (world) => neverStarts(world, "../up"),
);

behaviour(
  "[sig-node] Variable Expansion should verify that a failing subpath expansion can be modified during the lifecycle of a container [Slow] [Conformance]",
  async ({ client, namespace }) => {
    const env = [
      { name: "SUB", valueFrom: { fieldRef: { fieldPath: "metadata.annotations['mysubpath']" } } },
    ];
    const volumeMounts = [{ name: "work", mountPath: "/sub", subPathExpr: "$(SUB)" }];
    const pods = client.resource(Pod, namespace);
    await pods.create({
      metadata: { name: "mended", annotations: { mysubpath: "/absolute" } },
      spec: shellPod("sleep 1000", { volumes: VOLUMES }, { env, volumeMounts }),
    });
    const waits = (pod: Pod | undefined): boolean =>
      pod?.status?.containerStatuses?.[0]?.state?.waiting?.reason === "CreateContainerConfigError";
    await until(pods, "mended", waits);
    await pods.patch("mended", { metadata: { annotations: { mysubpath: "mypath" } } }, { type: "merge" });
    await until(pods, "mended", (pod) => pod !== undefined && isReady(pod));
  },
);
