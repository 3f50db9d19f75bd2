/** `kybern up` on a machine that has IPv6 alone. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import test from "node:test";
import { imageArchive } from "../../src/host/oci/image.ts";
import { BUSYBOX, busyboxImage } from "./harness/images.ts";
import { cannotRunContainers as skip } from "./harness/machine.ts";
import { machinePlace, ok } from "./harness/machine-place.ts";
import { networkNamespaces } from "./harness/network-namespaces.ts";

const NETWORKS = ["--cluster-cidr", "fd00:10:244::/56", "--service-cluster-ip-range", "fd00:10:96::/112"];

test("a machine with IPv6 alone is told of networks that do not suit it, and runs a cluster with others", {
  skip,
  timeout: 300_000,
}, async (t) => {
  const { host } = await networkNamespaces(t, { host: ["fd01:2::1/64"] });
  await using at = await machinePlace(host.name);
  const { kybern, kubectl, directory } = at;
  const refused = await kybern("up");
  assert.equal(refused.code, 1);
  assert.match(
    refused.err,
    /^kybern: this machine's address fd01:2::1 is of IPv6, and .* are not: give .* --cluster-cidr fd00:/,
  );
  await ok(kybern("up", ...NETWORKS));
  const archive = join(dirname(directory), "busybox.tar");
  await writeFile(archive, imageArchive([await busyboxImage()]));
  await ok(kybern("images", "import", archive));
  await ok(kubectl("run", "pod", `--image=${BUSYBOX}`, "--", "sleep", "1000"));
  await ok(kubectl("wait", "--for=condition=Ready", "pod/pod", "--timeout=120s"));
  // The API server reaches the kubelet, and the pod the API server by its Service's name.
  const script = "until nc kubernetes.default 443 < /dev/null; do sleep 0.1; done; cat /etc/resolv.conf";
  const { out } = await ok(kubectl("exec", "pod", "--", "sh", "-c", script));
  assert.match(out, /^nameserver fd00:10:96::a$/m);
});
