/** File systems made of layers, by containerd's snapshotters. */
import type { GrpcClient } from "../grpc/grpc-client.ts";
import { message, type Received, repeated, string, strings, sub, textMap } from "../grpc/messages.ts";
import { alreadyExists, Descriptor, isNotFound, method, ROOT_LABEL, TIMEOUT } from "./containerd-api.ts";
import { chainIDs, diffIDsOf, type ImageNames, layersOf } from "./stored-image.ts";

/** What is to be mounted, one over the other. */
export const SnapshotMount = message({
  type: string(1),
  source: string(2),
  target: string(3),
  options: strings(4),
});
export type SnapshotMount = Received<typeof SnapshotMount>;

/** To prepare one to be written to, and to view one. */
const MakeRequest = message({
  snapshotter: string(1),
  key: string(2),
  parent: string(3),
  labels: textMap(4),
});
const CommitRequest = message({ snapshotter: string(1), name: string(2), key: string(3) });
const KeyRequest = message({ snapshotter: string(1), key: string(2) });
const MountsResponse = message({ mounts: repeated(1, SnapshotMount) });
const StatResponse = message({ info: sub(1, message({ name: string(1), parent: string(2) })) });
const ApplyRequest = message({ diff: sub(1, Descriptor), mounts: repeated(2, SnapshotMount) });
const ApplyResponse = message({ applied: sub(1, Descriptor) });
const ContentInfo = message({ digest: string(1), labels: textMap(5) });
const UpdateContentRequest = message({
  info: sub(1, ContentInfo),
  updateMask: sub(2, message({ paths: strings(1) })),
});

export class Snapshots {
  readonly #client: GrpcClient;
  readonly #snapshotter: string;

  constructor(client: GrpcClient, snapshotter: string) {
    this.#client = client;
    this.#snapshotter = snapshotter;
  }

  /**
   * A read-only file system under a key of its own, which stays until it is removed; one of the same key is taken where it
   * shows the same. `parent` "": an empty one. Throws a GrpcError for which isNotFound holds where the parent is missing.
   */
  async view(key: string, parent: string): Promise<SnapshotMount[]> {
    const labels = [[ROOT_LABEL, new Date(0).toISOString()]] as const;
    try {
      return await this.#mounts("View", MakeRequest, { key, parent, labels });
    } catch (error) {
      if (!alreadyExists(error)) throw error;
    }
    if ((await this.#stat(key))?.parent === parent) return this.#mounts("Mounts", KeyRequest, { key });
    await this.remove(key);
    return this.#mounts("View", MakeRequest, { key, parent, labels });
  }

  /** Any number of times. */
  async remove(key: string): Promise<void> {
    await this.#call("Remove", KeyRequest, { key }).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  }

  /**
   * Unpacks what was stored and not yet unpacked of the image's layers. As long as it is not done nothing refers to what it
   * makes: the client is to have a lease. `key` is nobody else's.
   */
  async unpack(image: ImageNames, key: string): Promise<void> {
    const diffIDs = await diffIDsOf(this.#client, image.id);
    const layers = await layersOf(this.#client, image);
    if (layers.length !== diffIDs.length)
      throw new Error(`the image ${image.id} does not say what its layers are`);
    const chain = chainIDs(diffIDs);
    for (const [i, name] of chain.entries()) {
      if (await this.#stat(name)) continue;
      await this.#apply(key, layers[i]!, diffIDs[i]!, chain[i - 1] ?? "");
      await this.#call("Commit", CommitRequest, { name, key }).catch(async (error: unknown) => {
        // Another unpacks it too, and was faster.
        if (!alreadyExists(error)) throw error;
        await this.remove(key);
      });
    }
    await this.#keepWith(image.id, chain.at(-1));
  }

  async #apply(
    key: string,
    layer: Received<typeof Descriptor>,
    diffID: string,
    parent: string,
  ): Promise<void> {
    // What another life of this process began with.
    await this.remove(key);
    const mounts = await this.#mounts("Prepare", MakeRequest, { key, parent });
    const request = ApplyRequest.encode({ diff: layer, mounts });
    // As long as it takes: layers can be large.
    const answer = ApplyResponse.decode(await this.#client.call(method("diff.v1.Diff/Apply"), request, 0));
    const applied = answer.applied?.digest;
    if (applied === diffID) return;
    await this.remove(key);
    throw new Error(`the layer ${layer.digest} is ${applied} unpacked, and not ${diffID}`);
  }

  /** As long as the image is there, what was unpacked of it is: its containers want it too. */
  async #keepWith(id: string, name: string | undefined): Promise<void> {
    if (name === undefined) return;
    const label = `containerd.io/gc.ref.snapshot.${this.#snapshotter}`;
    const request = UpdateContentRequest.encode({
      info: { digest: id, labels: [[label, name]] },
      updateMask: { paths: [`labels.${label}`] },
    });
    await this.#client.call(method("content.v1.Content/Update"), request, TIMEOUT);
  }

  async #stat(key: string): Promise<{ parent: string } | undefined> {
    try {
      return StatResponse.decode(await this.#call("Stat", KeyRequest, { key })).info;
    } catch (error) {
      if (isNotFound(error)) return undefined;
      throw error;
    }
  }

  async #mounts(
    name: string,
    of: typeof MakeRequest | typeof KeyRequest,
    request: { key: string; parent?: string; labels?: Iterable<readonly [string, string]> },
  ): Promise<SnapshotMount[]> {
    return MountsResponse.decode(await this.#call(name, of, request)).mounts;
  }

  #call(
    name: string,
    of: typeof MakeRequest | typeof KeyRequest | typeof CommitRequest,
    request: object,
  ): Promise<Buffer> {
    const bytes = of.encode({ snapshotter: this.#snapshotter, ...request });
    return this.#client.call(method(`snapshots.v1.Snapshots/${name}`), bytes, TIMEOUT);
  }
}
