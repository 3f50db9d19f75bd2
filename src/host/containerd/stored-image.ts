/** What containerd's content store holds of an image: which layers it is made of. */
import { createHash } from "node:crypto";
import type { GrpcClient } from "../grpc/grpc-client.ts";
import { bytes, message, string } from "../grpc/messages.ts";
import type { Descriptor } from "../oci/image.ts";
import { ImageName, ImageOf, isNotFound, method, TIMEOUT } from "./containerd-api.ts";

/** An image of the CRI. */
export interface ImageNames {
  /** The digest of its configuration. */
  id: string;
  /** By one of them at least it is stored. */
  names: readonly string[];
}

const ReadRequest = message({ digest: string(1) });
const ReadResponse = message({ data: bytes(2) });

interface Config {
  rootfs?: { diff_ids?: string[] };
}

interface Manifest {
  config?: Descriptor;
  layers?: Descriptor[];
  /** Of an index: one for each platform. */
  manifests?: Descriptor[];
}

/** The digests of the image's layers as they are unpacked, the lowest first. */
export async function diffIDsOf(client: GrpcClient, id: string): Promise<string[]> {
  const { rootfs } = (await readJSON(client, id)) as Config;
  return rootfs?.diff_ids ?? [];
}

/** The layers as they were pulled, the lowest first. Throws where the image is not stored. */
export async function layersOf(client: GrpcClient, { id, names }: ImageNames): Promise<Descriptor[]> {
  for (const name of [id, ...names]) {
    const target = await targetOf(client, name);
    const manifest = target && (await manifestOf(client, id, target));
    if (manifest) return manifest.layers ?? [];
  }
  throw new Error(`the manifest of the image ${id} is not stored`);
}

/** What a snapshot of each of the layers, with those below it, is called. */
export function chainIDs(diffIDs: readonly string[]): string[] {
  const chain: string[] = [];
  for (const diffID of diffIDs) {
    const below = chain.at(-1);
    chain.push(below === undefined ? diffID : digestOf(`${below} ${diffID}`));
  }
  return chain;
}

async function targetOf(client: GrpcClient, name: string): Promise<string | undefined> {
  try {
    const answer = await client.call(method("images.v1.Images/Get"), ImageName.encode({ name }), TIMEOUT);
    return ImageOf.decode(answer).image?.target?.digest;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
}

/** The one whose configuration is the image, of an index too: those of other platforms are mostly not stored. */
async function manifestOf(client: GrpcClient, id: string, digest: string): Promise<Manifest | undefined> {
  let manifest: Manifest;
  try {
    manifest = (await readJSON(client, digest)) as Manifest;
  } catch (error) {
    if (isNotFound(error)) return undefined;
    throw error;
  }
  if (manifest.config?.digest === id) return manifest;
  for (const one of manifest.manifests ?? []) {
    const found = await manifestOf(client, id, one.digest);
    if (found) return found;
  }
  return undefined;
}

async function readJSON(client: GrpcClient, digest: string): Promise<unknown> {
  const pieces: Buffer[] = [];
  const { promise: ended, resolve, reject } = Promise.withResolvers<void>();
  const stream = await client.stream(method("content.v1.Content/Read"), {
    message: (piece) => pieces.push(ReadResponse.decode(piece).data),
    ended: (error) => (error ? reject(error) : resolve()),
  });
  stream.send(ReadRequest.encode({ digest }));
  stream.finish();
  await ended;
  return JSON.parse(Buffer.concat(pieces).toString());
}

function digestOf(text: string): string {
  return `sha256:${createHash("sha256").update(text).digest("hex")}`;
}
