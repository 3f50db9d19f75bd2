/** Views of images: the files of an image as a file system that nothing can write to, by containerd's snapshots. */
import type { Clock } from "../../base/clock.ts";
import type { GrpcClient } from "../grpc/grpc-client.ts";
import { message, string, textMap } from "../grpc/messages.ts";
import { connectContainerd, isNotFound, method, TIMEOUT } from "./containerd-api.ts";
import { type SnapshotMount, Snapshots } from "./snapshots.ts";
import { chainIDs, diffIDsOf, type ImageNames } from "./stored-image.ts";

export interface ImageViews {
  /**
   * What to mount to see the image, under a key that is nobody else's. It stays until it is removed, with the layers that it
   * shows, also where the image is removed. Again for the same key and image it is the same; another image takes its place.
   */
  open(key: string, image: ImageNames, snapshotter: string): Promise<SnapshotMount[]>;
  /** Nothing of it may be mounted any more. Any number of times. */
  remove(key: string, snapshotter: string): Promise<void>;
  close(): void;
}

const CreateLease = message({ id: string(1), labels: textMap(3) });
const DeleteLease = message({ id: string(1) });

/** Milliseconds after which the lease of a process that died is no more. */
const LONGEST_UNPACKING = 60 * 60_000;

/** Of a containerd, all of its versions. It is asked only when a view is. */
export function openImageViews({ socketPath, clock }: { socketPath: string; clock: Clock }): ImageViews {
  const client = connectContainerd(socketPath);
  return {
    async open(key, image, snapshotter) {
      const parent = chainIDs(await diffIDsOf(client, image.id)).at(-1) ?? "";
      try {
        return await new Snapshots(client, snapshotter).view(key, parent);
      } catch (error) {
        if (!isNotFound(error)) throw error;
      }
      // An image that was loaded is unpacked when it is first used.
      return withLease({ client, socketPath, clock }, key, async (leased) => {
        const snapshots = new Snapshots(leased, snapshotter);
        await snapshots.unpack(image, `${key} unpacking`);
        return snapshots.view(key, parent);
      });
    },
    remove: (key, snapshotter) => new Snapshots(client, snapshotter).remove(key),
    close: () => client.close(),
  };
}

async function withLease<T>(
  { client, socketPath, clock }: { client: GrpcClient; socketPath: string; clock: Clock },
  id: string,
  work: (leased: GrpcClient) => Promise<T>,
): Promise<T> {
  const end = async (): Promise<void> => {
    await client
      .call(method("leases.v1.Leases/Delete"), DeleteLease.encode({ id }), TIMEOUT)
      .catch((error: unknown) => {
        if (!isNotFound(error)) throw error;
      });
  };
  // One that a former life of this process left may be about to end.
  await end();
  const until = new Date(clock.now() + LONGEST_UNPACKING).toISOString();
  const request = CreateLease.encode({ id, labels: [["containerd.io/gc.expire", until]] });
  await client.call(method("leases.v1.Leases/Create"), request, TIMEOUT);
  const leased = connectContainerd(socketPath, id);
  try {
    return await work(leased);
  } finally {
    leased.close();
    await end();
  }
}
