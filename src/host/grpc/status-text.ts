/** How errors of gRPC are written for users: as Go's programs do, whose texts are known everywhere. */
import { GrpcError } from "./grpc-client.ts";

const CODES = [
  "OK",
  "Canceled",
  "Unknown",
  "InvalidArgument",
  "DeadlineExceeded",
  "NotFound",
  "AlreadyExists",
  "PermissionDenied",
  "ResourceExhausted",
  "FailedPrecondition",
  "Aborted",
  "OutOfRange",
  "Unimplemented",
  "Internal",
  "Unavailable",
  "DataLoss",
  "Unauthenticated",
] as const;

/** `rpc error: code = NotFound desc = …`; of other errors the message. */
export function rpcErrorText(error: unknown): string {
  if (error instanceof GrpcError) {
    return `rpc error: code = ${CODES[error.code] ?? `Code(${error.code})`} desc = ${error.message}`;
  }
  return error instanceof Error ? error.message : String(error);
}
