/** containerd by its own API (v1), for what the CRI has no call for: to put images into it, and to notice its end. */
import type { GrpcClient } from "../grpc/grpc-client.ts";
import { bytes, integer, message, type Sent, string, strings, textMap } from "../grpc/messages.ts";
import type { Blob, Image } from "../oci/image.ts";
import {
  alreadyExists,
  connectContainerd,
  Empty,
  ImageName,
  ImageOf,
  isNotFound,
  method,
  ROOT_LABEL,
  TIMEOUT,
} from "./containerd-api.ts";

const WriteContentRequest = message({
  action: integer(1),
  ref: string(2),
  total: integer(3),
  expected: string(4),
  offset: integer(5),
  data: bytes(6),
  labels: textMap(7),
});
const [WRITE, COMMIT] = [1, 2];
const LONGEST_PIECE = 1 << 20;
const SubscribeRequest = message({ filters: strings(1) });

export interface ContainerdClient {
  /** Throws as long as it does not take calls of the CRI. */
  servesCRI(): Promise<void>;
  hasImage(name: string): Promise<boolean>;
  /** Makes the image known to the CRI under its name; one of the same name is replaced. Pinned: no clean-up takes it. */
  addImage(image: Image, options?: { pinned?: boolean }): Promise<void>;
  /** Resolves when this containerd is no more. */
  ended(): Promise<void>;
  close(): void;
}

export function openContainerd(socketPath: string): ContainerdClient {
  const client = connectContainerd(socketPath);
  return {
    async servesCRI() {
      await client.call("/runtime.v1.ImageService/ListImages", Empty.encode({}), TIMEOUT);
    },
    async hasImage(name) {
      try {
        await client.call(method("images.v1.Images/Get"), ImageName.encode({ name }), TIMEOUT);
        return true;
      } catch (error) {
        if (isNotFound(error)) return false;
        throw error;
      }
    },
    addImage: (image, options = {}) => addImage(client, image, options.pinned ?? false),
    async ended() {
      const { promise, resolve } = Promise.withResolvers<void>();
      try {
        // Nothing has such a topic: the stream is silent until its other end is gone.
        const filters = ['topic=="/kybern/none"'];
        const stream = await client.stream(method("events.v1.Events/Subscribe"), {
          message: () => {},
          ended: () => resolve(),
        });
        stream.send(SubscribeRequest.encode({ filters }));
        stream.finish();
      } catch {
        return;
      }
      await promise;
    },
    close: () => client.close(),
  };
}

async function addImage(client: GrpcClient, image: Image, pinned: boolean): Promise<void> {
  const { name, config, layers, manifest } = image;
  // What no image refers to yet may be collected at any time, unless it says that it is a root.
  const root: [string, string] = [ROOT_LABEL, new Date(0).toISOString()];
  await Promise.all([config, ...layers].map((blob) => write(client, blob, [root])));
  await write(client, manifest, [
    root,
    ["containerd.io/gc.ref.content.config", config.descriptor.digest],
    ...layers.map(({ descriptor }, i): [string, string] => [
      `containerd.io/gc.ref.content.l.${i}`,
      descriptor.digest,
    ]),
  ]);
  const labels: [string, string][] = [["io.cri-containerd.image", "managed"]];
  if (pinned) labels.push(["io.cri-containerd.pinned", "pinned"]);
  // Whoever labels an image as the CRI's stores it by its id as well: image volumes are looked for by nothing else.
  for (const reference of [config.descriptor.digest, name]) {
    const request = ImageOf.encode({ image: { name: reference, labels, target: manifest.descriptor } });
    await client
      .call(method("images.v1.Images/Create"), request, TIMEOUT)
      .catch(ifExists(() => client.call(method("images.v1.Images/Update"), request, TIMEOUT)));
  }
}

/** Piece by piece, each answered before the next is sent: an HTTP/2 session holds little that is on its way. */
async function write(client: GrpcClient, blob: Blob, labels: [string, string][]): Promise<void> {
  const { digest, size } = blob.descriptor;
  const ref = `kybern-${digest}`;
  let { promise: answered, resolve: answer } = Promise.withResolvers<void>();
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  const stream = await client.stream(method("content.v1.Content/Write"), {
    message: () => answer(),
    ended: (error) => (error ? reject(error) : resolve()),
  });
  const send = async (request: Sent<typeof WriteContentRequest>): Promise<void> => {
    ({ promise: answered, resolve: answer } = Promise.withResolvers<void>());
    stream.send(WriteContentRequest.encode({ ref, total: size, expected: digest, ...request }));
    await Promise.race([answered, ended]);
  };
  const whole = async (): Promise<void> => {
    let offset = 0;
    for (; size - offset > LONGEST_PIECE; offset += LONGEST_PIECE) {
      const data = blob.bytes.subarray(offset, offset + LONGEST_PIECE);
      await send({ action: WRITE, offset, data });
    }
    await send({ action: COMMIT, offset, data: blob.bytes.subarray(offset), labels });
    stream.finish();
    await ended;
  };
  await whole().catch(ifExists(async () => {}));
}

function ifExists(act: () => Promise<unknown>): (error: unknown) => Promise<unknown> {
  return async (error) => {
    if (alreadyExists(error)) return act();
    throw error;
  };
}
