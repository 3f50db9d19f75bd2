/** A registry of images, served by the test itself, without TLS. */
import { mkdir, writeFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { Blob, Image } from "../../../src/host/oci/image.ts";

export interface Registry extends AsyncDisposable {
  /** With the port, as names of images begin. */
  readonly host: string;
  /** `GET /v2/…`, in turn. */
  readonly requests: readonly string[];
}

export interface RegistryOptions {
  /** By their repositories; their tag is 1. */
  images: Readonly<Record<string, Image>>;
  /** A repository of which nothing is ever answered. */
  silent?: string;
  /** `user:password`, which repositories below `private/` want. */
  password?: string;
  /** By default the loopback. */
  address?: string;
  /** Where containerd reads of registries: it is written there that this one has no TLS. */
  registries: string;
}

/** As much of the distribution specification as pulling needs. */
export async function startRegistry(options: RegistryOptions): Promise<Registry> {
  const { images, address = "127.0.0.1", registries } = options;
  const requests: string[] = [];
  const wanted = `Basic ${Buffer.from(options.password ?? "").toString("base64")}`;
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    const { method, url = "", headers } = request;
    requests.push(`${method} ${url}`);
    const [, name = "", kind, reference = ""] = /^\/v2\/(.+)\/(manifests|blobs)\/(.+)$/.exec(url) ?? [];
    if (name === options.silent) return;
    if (name.startsWith("private/") && headers.authorization !== wanted) {
      response.writeHead(401, { "www-authenticate": 'Basic realm="test"' }).end();
      return;
    }
    const blob = blobOf(Object.hasOwn(images, name) ? images[name] : undefined, reference);
    if (!blob) {
      response.writeHead(url === "/v2/" ? 200 : 404).end();
      return;
    }
    const { mediaType, digest, size } = blob.descriptor;
    response.writeHead(200, {
      "content-type": kind === "manifests" ? mediaType : "application/octet-stream",
      "content-length": size,
      "docker-content-digest": digest,
    });
    response.end(method === "HEAD" ? undefined : blob.bytes);
  };
  const server = createServer(answer);
  server.listen(0, address);
  await new Promise((resolve) => server.once("listening", resolve));
  const host = `${address}:${(server.address() as AddressInfo).port}`;
  await mkdir(join(registries, host), { recursive: true });
  const origin = `http://${host}`;
  await writeFile(join(registries, host, "hosts.toml"), `server = "${origin}"\n\n[host."${origin}"]\n`);
  return {
    host,
    requests,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function blobOf(image: Image | undefined, reference: string): Blob | undefined {
  if (!image) return undefined;
  const { manifest, config, layers } = image;
  if (reference === "1") return manifest;
  return [manifest, config, ...layers].find(({ descriptor }) => descriptor.digest === reference);
}
