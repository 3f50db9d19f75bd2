/** containerd's own API (v1): the messages that several of its services share, and how it is called. */
import { GrpcClient, GrpcError } from "../grpc/grpc-client.ts";
import { integer, message, string, sub, textMap } from "../grpc/messages.ts";

/** Where the CRI plugin keeps what is its own. */
const CRI_NAMESPACE = "k8s.io";
/**
 * Milliseconds after which a silent connection is tried. Servers of its kind close those that are tried more often than
 * every five minutes.
 */
const SILENCE = 6 * 60_000;
/** Milliseconds that a call may take. */
export const TIMEOUT = 10_000;
const [NOT_FOUND, ALREADY_EXISTS] = [5, 6];

/** Keeps what has it from being collected, whoever refers to it; its value says since when. */
export const ROOT_LABEL = "containerd.io/gc.root";

export const Empty = message({});
export const Descriptor = message({ mediaType: string(1), digest: string(2), size: integer(3) });
export const StoredImage = message({ name: string(1), labels: textMap(2), target: sub(3, Descriptor) });
/** What asks to store an image, and what answers for one. */
export const ImageOf = message({ image: sub(1, StoredImage) });
export const ImageName = message({ name: string(1) });

/** Calls what is the CRI's. `lease`: what the calls make is not collected while this lease is there. */
export function connectContainerd(socketPath: string, lease?: string): GrpcClient {
  return new GrpcClient({
    peer: "containerd",
    endpoints: [`unix://${socketPath}`],
    timeoutMs: SILENCE,
    metadata: { "containerd-namespace": CRI_NAMESPACE, ...(lease ? { "containerd-lease": lease } : {}) },
  });
}

export function method(name: string): string {
  return `/containerd.services.${name}`;
}

export function isNotFound(error: unknown): boolean {
  return error instanceof GrpcError && error.code === NOT_FOUND;
}

export function alreadyExists(error: unknown): boolean {
  return error instanceof GrpcError && error.code === ALREADY_EXISTS;
}
