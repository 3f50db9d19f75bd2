/** A containerd of one test's own, in a temporary directory, gone with all that it ran when the test ends. */
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { systemClock } from "../../../src/base/clock.ts";
import { openContainerd } from "../../../src/host/containerd/containerd-client.ts";
import { removeContainerd } from "../../../src/host/containerd/remove-containerd.ts";
import { superviseContainerd } from "../../../src/host/containerd/supervise-containerd.ts";
import { detachBelow } from "../../../src/host/mounts/detach-below.ts";
import type { Image } from "../../../src/host/oci/image.ts";
import { BUSYBOX, busyboxImage } from "./images.ts";
import { CNI_PLUGINS } from "./machine.ts";

export interface TestContainerd {
  /** Of the CRI. */
  socket: string;
  /** Temporary, for all of the test: removed at its end. */
  directory: string;
  /** Where the CNI configuration is; to be written to for another network. */
  cniConfDir: string;
  log: string;
  /** Whether it ran already. */
  adopted: boolean;
  addImage(image: Image): Promise<void>;
  /** Supervises it no more; it goes on. */
  leave(): Promise<void>;
  /** Supervises it no more, and kills it with all containers. */
  stop(): Promise<void>;
}

export interface TestContainerdOptions {
  /** Beside busybox. */
  images?: readonly Image[];
  /**
   * A CNI configuration list. By default pods get addresses of 198.19.0.0/16 over a veth pair each, which ends with its
   * pod, and reach the host and each other.
   */
  network?: object;
  /** Given where a test has its own, which it removes itself: to start again with what the last one left. */
  directory?: string;
  told?(problem: string | undefined): void;
}

export async function startContainerd(
  t: Pick<TestContext, "after">,
  options: TestContainerdOptions = {},
): Promise<TestContainerd> {
  const directory = options.directory ?? (await mkdtemp(join(tmpdir(), "kybern-node-")));
  const cniConfDir = join(directory, "net.d");
  const places = {
    root: join(directory, "containerd"),
    run: join(directory, "run"),
    log: join(directory, "containerd.log"),
  };
  await mkdir(cniConfDir, { recursive: true });
  const part = await ownPart();
  const network = options.network ?? pairs(directory, part.number);
  await writeFile(join(cniConfDir, "10-test.conflist"), JSON.stringify(network));
  let stop = async (): Promise<void> => removeContainerd(places);
  t.after(async () => {
    await stop();
    // Volumes of pods that a failed test left.
    await detachBelow([directory]);
    if (options.directory === undefined) await rm(directory, { recursive: true, force: true });
    part.holder.close();
  });
  const supervised = await superviseContainerd({
    places,
    cni: { binDir: CNI_PLUGINS, confDir: cniConfDir },
    registryDir: join(directory, "registries"),
    restrictOOMScore: true,
    clock: systemClock,
    log: () => {},
    told: options.told,
  });
  stop = async () => {
    await supervised.close();
    await removeContainerd(places);
  };
  const addImage = async (image: Image): Promise<void> => {
    const client = openContainerd(supervised.socket);
    await client.addImage(image);
    client.close();
  };
  for (const image of [await busyboxImage({ name: BUSYBOX }), ...(options.images ?? [])])
    await addImage(image);
  return {
    ...{ socket: supervised.socket, adopted: supervised.adopted, directory, cniConfDir, log: places.log },
    ...{ addImage, leave: () => supervised.close(), stop },
  };
}

function pairs(directory: string, part: number): object {
  return {
    cniVersion: "0.4.0",
    name: "test",
    plugins: [
      {
        type: "ptp",
        ipam: {
          type: "host-local",
          subnet: `198.19.${part}.0/24`,
          routes: [{ dst: "0.0.0.0/0" }],
          dataDir: join(directory, "ipam"),
        },
      },
    ],
  };
}

/**
 * Tests run side by side: each takes a part of its own out of a range that no network has. Whoever has the socket of its
 * name has the part; it is in no file system, and ends with its process at the latest.
 */
async function ownPart(): Promise<{ number: number; holder: Server }> {
  for (let tries = 1; ; tries++) {
    const number = randomInt(256);
    const holder = createServer().listen(`\0kybern-test-198.19.${number}`).unref();
    try {
      await once(holder, "listening");
      return { number, holder };
    } catch (error) {
      if (tries === 1000) throw error;
    }
  }
}
