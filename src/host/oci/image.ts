/** Container images (OCI image specification 1.1) made in memory, and the archive of them that runtimes import. */
import { createHash } from "node:crypto";
import { type TarEntry, tar } from "./tar.ts";

export interface ImageRequest {
  /** With registry and tag: `localhost/busybox:1`. */
  name: string;
  layers: readonly (readonly TarEntry[])[];
  /** By default that of this machine. */
  architecture?: Architecture;
  entrypoint?: readonly string[];
  cmd?: readonly string[];
  env?: readonly string[];
  user?: string;
  workingDir?: string;
  stopSignal?: string;
  /** As `8080/tcp`. */
  exposedPorts?: readonly string[];
  labels?: Readonly<Record<string, string>>;
  volumes?: readonly string[];
}

/** As images name it. */
export type Architecture = "amd64" | "arm64";

export interface Descriptor {
  mediaType: string;
  digest: string;
  size: number;
}

export interface Blob {
  descriptor: Descriptor;
  bytes: Uint8Array;
}

export interface Image {
  name: string;
  manifest: Blob;
  config: Blob;
  layers: Blob[];
}

const MANIFEST = "application/vnd.oci.image.manifest.v1+json";
const CONFIG = "application/vnd.oci.image.config.v1+json";
const LAYER = "application/vnd.oci.image.layer.v1.tar";

export function hostArchitecture(): Architecture {
  if (process.arch === "x64") return "amd64";
  if (process.arch === "arm64") return "arm64";
  throw new Error(`there are no images for processors of the kind ${process.arch}`);
}

export function makeImage(request: ImageRequest): Image {
  const layers = request.layers.map((entries) => blob(LAYER, tar(entries)));
  const { entrypoint, cmd, env, user, workingDir, stopSignal, labels } = request;
  const config = blob(
    CONFIG,
    json({
      architecture: request.architecture ?? hostArchitecture(),
      os: "linux",
      created: "1970-01-01T00:00:00Z",
      config: {
        Entrypoint: entrypoint,
        Cmd: cmd,
        Env: env ?? ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],
        User: user,
        WorkingDir: workingDir,
        StopSignal: stopSignal,
        Labels: labels,
        ExposedPorts: asKeys(request.exposedPorts),
        Volumes: asKeys(request.volumes),
      },
      // The digest of a layer as it is unpacked: these are not compressed, so it is that of the blob.
      rootfs: { type: "layers", diff_ids: layers.map(({ descriptor }) => descriptor.digest) },
    }),
  );
  const manifest = blob(
    MANIFEST,
    json({
      schemaVersion: 2,
      mediaType: MANIFEST,
      config: config.descriptor,
      layers: layers.map(({ descriptor }) => descriptor),
    }),
  );
  return { name: request.name, manifest, config, layers };
}

/** As `ctr images import` and `skopeo copy oci-archive:` read it. */
export function imageArchive(images: readonly Image[]): Uint8Array {
  const blobs = new Map<string, Uint8Array>();
  for (const { manifest, config, layers } of images) {
    for (const { descriptor, bytes } of [manifest, config, ...layers]) blobs.set(descriptor.digest, bytes);
  }
  const manifests = images.map(({ name, manifest }) => ({
    ...manifest.descriptor,
    annotations: { "io.containerd.image.name": name, "org.opencontainers.image.ref.name": name },
  }));
  const file = (path: string, content: Uint8Array): TarEntry => ({ path, mode: 0o644, content });
  return tar([
    file("oci-layout", json({ imageLayoutVersion: "1.0.0" })),
    file("index.json", json({ schemaVersion: 2, manifests })),
    { path: "blobs" },
    { path: "blobs/sha256" },
    ...[...blobs].map(([digest, bytes]) => file(`blobs/${digest.replace(":", "/")}`, bytes)),
  ]);
}

function blob(mediaType: string, bytes: Uint8Array): Blob {
  const digest = `sha256:${createHash("sha256").update(bytes).digest("hex")}`;
  return { descriptor: { mediaType, digest, size: bytes.length }, bytes };
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}

function asKeys(names: readonly string[] | undefined): Record<string, object> | undefined {
  return names && Object.fromEntries(names.map((name) => [name, {}]));
}
