/** A registry of images that fails in the way it is told. */
import { randomInt } from "node:crypto";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { Image } from "../../../src/host/oci/image.ts";

export type Fault =
  | "none"
  /** Wants `user:password`. */
  | "asks for credentials"
  | "fails"
  /** Every layer ends in the middle. */
  | "is cut off"
  /** Every layer is another than its name says. */
  | "is wrong";

export interface FaultyRegistry {
  readonly host: string;
  fault: Fault;
  /** Frees its port, on which it can listen again. */
  down(): Promise<void>;
  up(): Promise<void>;
}

/** Serves one image as any name, with the tag 1 alone, at an address of this machine. */
export async function faultyRegistry(
  image: Image,
  password: string,
  address: string,
): Promise<FaultyRegistry> {
  const { manifest, config, layers } = image;
  const blobs = [manifest, config, ...layers];
  const wanted = `Basic ${Buffer.from(password).toString("base64")}`;
  const server = createServer(({ method, url = "", headers }, response) => {
    const [, kind, reference = ""] = /\/(manifests|blobs)\/(.+)$/.exec(url) ?? [];
    if (registry.fault === "fails") return refuse(response, 500, "UNKNOWN");
    if (registry.fault === "asks for credentials" && headers.authorization !== wanted) {
      response.setHeader("www-authenticate", 'Basic realm="test"');
      return refuse(response, 401, "UNAUTHORIZED");
    }
    const named = reference === "1" ? manifest : undefined;
    const blob = named ?? blobs.find(({ descriptor }) => descriptor.digest === reference);
    if (!blob) return refuse(response, 404, kind === "manifests" ? "MANIFEST_UNKNOWN" : "BLOB_UNKNOWN");
    const { mediaType, digest, size } = blob.descriptor;
    response.writeHead(200, {
      "content-type": kind === "manifests" ? mediaType : "application/octet-stream",
      "content-length": size,
      "docker-content-digest": digest,
    });
    const isLayer = layers.some((layer) => layer === blob);
    if (method === "HEAD") response.end();
    else if (isLayer && registry.fault === "is cut off") {
      response.write(blob.bytes.subarray(0, size / 2), () => response.destroy());
    } else if (isLayer && registry.fault === "is wrong") {
      response.end(Buffer.from(blob.bytes).fill(0, size / 2));
    } else response.end(blob.bytes);
  });
  const listen = async (at: number): Promise<void> => {
    server.listen(at, address);
    await once(server, "listening");
  };
  const port = await own(listen);
  const up = (): Promise<void> => listen(port);
  const registry: FaultyRegistry = {
    host: `${address}:${port}`,
    fault: "none",
    up,
    async down() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return registry;
}

/** A port that no connection is given while nobody listens there: those are from 32768 on. */
async function own(listen: (port: number) => Promise<void>): Promise<number> {
  for (let tries = 1; ; tries++) {
    const port = randomInt(20_000, 32_000);
    try {
      await listen(port);
      return port;
    } catch (error) {
      if (tries === 100) throw error;
    }
  }
}

function refuse(response: ServerResponse, status: number, code: string): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify({ errors: [{ code, message: code.toLowerCase() }] }));
}
