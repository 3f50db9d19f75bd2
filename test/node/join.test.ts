/** Two machines: one has the cluster, the other joins it by a token. */
import assert from "node:assert/strict";
import { readdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import test from "node:test";
import { imageArchive } from "../../src/host/oci/image.ts";
import { BUSYBOX, busyboxImage } from "./harness/images.ts";
import { cannotRunContainers } from "./harness/machine.ts";
import { machinePlace, ok, type Place } from "./harness/machine-place.ts";
import { networkNamespaces } from "./harness/network-namespaces.ts";

const skip = cannotRunContainers;

async function importBusybox({ directory, kybern }: Place): Promise<void> {
  const archive = join(dirname(directory), "busybox.tar");
  await writeFile(archive, imageArchive([await busyboxImage()]));
  await ok(kybern("images", "import", archive));
  await rm(archive);
}

function podOn(nodeName: string): string {
  const readinessProbe = { httpGet: { path: "/", port: 8080 }, periodSeconds: 1, timeoutSeconds: 30 };
  return JSON.stringify({ spec: { nodeName, containers: [{ name: `on-${nodeName}`, readinessProbe }] } });
}

test("a machine joins by a token, and its pods reach those of the other and the cluster's Services", {
  skip,
}, async (t) => {
  const machines = await networkNamespaces(t, { a: ["192.168.78.1/24"], b: ["192.168.78.2/24"] });
  await using a = await machinePlace(machines.a.name);
  await using b = await machinePlace(machines.b.name);
  await ok(a.kybern("up", "--node-name", "node-a"));
  await importBusybox(a);
  const { out } = await ok(a.kybern("token", "create", "--ttl", "1h", "--description", "for a test"));
  const [, address = "", token = "", hash = ""] =
    /join (\S+) --token (\S+) --discovery-token-ca-cert-hash (\S+)/.exec(out) ?? [];
  assert.equal(address, "192.168.78.1:6443");
  assert.match((await ok(a.kybern("token", "list"))).out, new RegExp(`^${token} .*for a test$`, "m"));
  const join_ = (...flags: string[]) => b.kybern("join", address, "--node-name", "node-b", ...flags);

  await t.test("a wrong digest or token is refused, and leaves nothing", async () => {
    const other = await join_("--token", token, "--discovery-token-ca-cert-hash", `sha256:${"0".repeat(64)}`);
    assert.equal(other.code, 1);
    assert.match(other.err, /do not join it/);
    const unknown = await join_("--token", "aaaaaa.0123456789abcdef", "--discovery-token-ca-cert-hash", hash);
    assert.match(unknown.err, /does not know the token aaaaaa/);
    const wrong = `${token.slice(0, 7)}0123456789abcdef`;
    const forged = await join_("--token", wrong, "--discovery-token-ca-cert-hash", hash);
    assert.match(forged.err, /did not prove/);
    assert.deepEqual(await readdir(b.directory), ["run"]);
  });

  await ok(join_("--token", token, "--discovery-token-ca-cert-hash", hash));
  await importBusybox(b);
  await ok(a.kubectl("wait", "--for=condition=Ready", "node/node-b", "--timeout=60s"));
  for (const node of ["node-a", "node-b"]) {
    const script = "mkdir /www && hostname > /www/index.html && exec httpd -f -p 8080 -h /www";
    const words = [
      "run",
      `on-${node}`,
      `--image=${BUSYBOX}`,
      "--labels=app=web",
      "--override-type=strategic",
      `--overrides=${podOn(node)}`,
    ];
    await ok(a.kubectl(...words, "--", "sh", "-c", script));
  }
  await ok(
    a.kubectl(
      "expose",
      "pod",
      "on-node-a",
      "--name=of-a",
      "--port=80",
      "--target-port=8080",
      "--selector=run=on-node-a",
    ),
  );
  await ok(a.kubectl("label", "pod", "on-node-a", "run=on-node-a"));
  await ok(a.kubectl("wait", "--for=condition=Ready", "pod", "--all", "--timeout=60s"));

  await t.test(
    "logs and exec reach the node that joined, by a certificate that the cluster issued",
    async () => {
      assert.equal((await ok(a.kubectl("exec", "on-node-b", "--", "hostname"))).out, "on-node-b\n");
    },
  );

  await t.test(
    "pods reach each other across nodes, and Services and names from the node that joined",
    async () => {
      const ip = (await ok(a.kubectl("get", "pod", "on-node-b", "-o", "jsonpath={.status.podIP}"))).out;
      const inPod = (pod: string, script: string) =>
        ok(a.kubectl("exec", pod, "--", "timeout", "60", "sh", "-c", script));
      // The proxy and DNS of a node see a moment later what there is, and tell nobody: they are asked until then.
      const get = (pod: string, url: string) => inPod(pod, `until wget -q -O - ${url}; do sleep 0.1; done`);
      assert.equal((await get("on-node-a", `http://${ip}:8080/`)).out, "on-node-b\n");
      const service = (await ok(a.kubectl("get", "service", "of-a", "-o", "jsonpath={.spec.clusterIP}"))).out;
      assert.equal((await get("on-node-b", `http://${service}/`)).out, "on-node-a\n");
      const name = "of-a.default.svc.cluster.local";
      await inPod("on-node-b", `until nslookup ${name} | grep -F ${service}; do sleep 0.1; done`);
    },
  );

  await t.test("restarted, the node comes back by the certificate that it has", async () => {
    await ok(a.kybern("token", "delete", token));
    await ok(b.kybern("restart"));
    assert.match((await ok(b.kybern("status"))).out, /node node-b +Ready/);
    assert.equal((await ok(a.kubectl("exec", "on-node-b", "--", "hostname"))).out, "on-node-b\n");
  });
});
