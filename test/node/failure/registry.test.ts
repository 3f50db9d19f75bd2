/** Registries that are away, refuse or send what they should not: pods say so, and run once that is mended. */
import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import test from "node:test";
import { Pod } from "../../../src/api/core/pods.ts";
import { Secret } from "../../../src/api/core/secret.ts";
import { busyboxImage } from "../harness/images.ts";
import { cannotRunContainers as skip } from "../harness/machine.ts";
import { startTestNode, type TestNode } from "../harness/test-node.ts";
import { type Fault, faultyRegistry } from "./faulty-registry.ts";
import { isReady, podWhere, untilTold, WAIT } from "./pods.ts";

const PASSWORD = "me:secret";

async function addSecret({ client }: TestNode, name: string, host: string, password: string): Promise<void> {
  const auths = { [`http://${host}`]: { auth: Buffer.from(password).toString("base64") } };
  const data = { ".dockerconfigjson": Buffer.from(JSON.stringify({ auths })).toString("base64") };
  await client.resource(Secret, "default").create({
    metadata: { name },
    type: "kubernetes.io/dockerconfigjson",
    data,
  });
}

const waitsFor = ({ status }: Pod) => status?.containerStatuses?.[0]?.state?.waiting;

test("a registry that fails", { skip, timeout: 400_000 }, async (t) => {
  await using node = await startTestNode();
  // The other end of the node's wire.
  const address = node.address.replace(/\d+$/, "1");
  // With a layer that the node has not got from elsewhere.
  const image = await busyboxImage({ files: { "etc/of-the-registry": "x".repeat(100_000) } });
  const registry = await faultyRegistry(image, PASSWORD, address);
  t.after(() => registry.down());
  const { host } = registry;
  const place = join(node.layout.registries, host);
  await mkdir(place, { recursive: true });
  const server = `http://${host}`;
  await writeFile(join(place, "hosts.toml"), `server = "${server}"\n\n[host."${server}"]\n`);
  await addSecret(node, "right", host, PASSWORD);
  await addSecret(node, "wrong", host, "me:other");
  const pods = node.client.resource(Pod, "default");
  const run = (name: string, secret?: string, image = `${host}/${name}:1`) =>
    pods.create({
      metadata: { name },
      spec: {
        terminationGracePeriodSeconds: 2,
        containers: [{ name: "c", image, command: ["/bin/sh", "-c", WAIT] }],
        ...(secret ? { imagePullSecrets: [{ name: secret }] } : {}),
      },
    });
  /** The pod waits, for good reason, and its events tell why. */
  const refused = async (name: string, why: RegExp): Promise<void> => {
    const pod = await podWhere(node, name, (now) => waitsFor(now)?.reason === "ImagePullBackOff");
    assert.match(
      waitsFor(pod)?.message ?? "",
      /^Back-off pulling image ".*": ErrImagePull: rpc error: code = /,
    );
    assert.match(waitsFor(pod)?.message ?? "", why);
    const image = pod.spec?.containers[0]?.image;
    await untilTold(
      node,
      name,
      `Pulling Pulling image "${image}"`,
      `Failed Failed to pull image "${image}": rpc error`,
      "Failed Error: ErrImagePull",
    );
  };

  for (const [name, fault, why] of [
    ["fails", "fails", /500 Internal Server Error/],
    ["cut", "is cut off", /unexpected EOF/],
    ["other", "is wrong", /unexpected commit digest sha256:[0-9a-f]{64}, expected sha256:/],
  ] as [string, Fault, RegExp][]) {
    await t.test(`and ${fault} is told of as it is`, async () => {
      registry.fault = fault;
      await run(name);
      await refused(name, why);
    });
  }

  await t.test("and asks for credentials gets those of the pod, and no others", async () => {
    registry.fault = "asks for credentials";
    await Promise.all([run("none"), run("wrong", "wrong"), run("missing", "missing"), run("right", "right")]);
    await Promise.all([
      refused("none", /401 Unauthorized/),
      refused("wrong", /401 Unauthorized/),
      refused("missing", /401 Unauthorized/),
      podWhere(node, "right", isReady),
    ]);
    const warning =
      "FailedToRetrieveImagePullSecret Unable to retrieve some image pull secrets (missing); attempting to pull the image may not succeed.";
    await untilTold(node, "missing", warning);
  });

  await t.test("and is away is told of as it is, as is a tag that is not there", async () => {
    registry.fault = "none";
    await run("tag", undefined, `${host}/tag:2`);
    await refused("tag", /code = NotFound .*not found/);
    await registry.down();
    await run("away");
    await refused("away", /connect: connection refused/);
  });

  await t.test("has no pod wait longer than its back-off once it is mended", async () => {
    await registry.up();
    await Promise.all(["none", "away"].map((name) => podWhere(node, name, isReady)));
  });
});
