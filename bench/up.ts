/**
 * How long `kybern up` takes where nothing runs, until the node is ready, and until the first pod runs then, its image
 * imported between. Of the built program, on a machine of its own as far as networks go. As root.
 *
 *     node bench/up.ts [--rounds N] [--installation DIRECTORY]
 */
import { writeFile } from "node:fs/promises";
import { loadavg } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { imageArchive } from "../src/host/oci/image.ts";
import { BUSYBOX, busyboxImage } from "../test/node/harness/images.ts";
import { machinePlace, ok } from "../test/node/harness/machine-place.ts";
import { networkNamespaces } from "../test/node/harness/network-namespaces.ts";

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    installation: { type: "string", default: fileURLToPath(new URL("..", import.meta.url)) },
  },
});

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}

async function measure(namespace: string): Promise<void> {
  await using at = await machinePlace(namespace, [join(values.installation, "bin/kybern.js")]);
  const { kybern, kubectl } = at;
  const up = await seconds(async () => {
    await ok(kybern("up", "--node-name", "up"));
  });
  const archive = join(dirname(at.directory), "busybox.tar");
  await writeFile(archive, imageArchive([await busyboxImage()]));
  await ok(kybern("images", "import", archive));
  const pod = await seconds(async () => {
    await ok(kubectl("run", "first", `--image=${BUSYBOX}`, "--restart=Never", "--", "sleep", "3600"));
    await ok(kubectl("wait", "--for=condition=Ready", "pod/first", "--timeout=60s"));
  });
  const load = loadavg()[0]!.toFixed(1);
  console.log(
    `nothing runs → node Ready ${up.toFixed(2)} s, → first pod Ready ${pod.toFixed(2)} s with kubectl's own two starts, together ${(up + pod).toFixed(2)} s (load ${load})`,
  );
}

for (let round = 0; round < Number(values.rounds); round++) {
  const ends: (() => unknown)[] = [];
  const machine = { after: (end: () => unknown) => void ends.push(end) } as Parameters<
    typeof networkNamespaces
  >[0];
  const { host } = await networkNamespaces(machine, { host: ["192.168.77.1/24"] });
  try {
    await measure(host.name);
  } finally {
    for (const end of ends.reverse()) await end();
  }
}
