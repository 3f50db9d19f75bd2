/** Where a paged list goes on, in upstream's form (apiserver/pkg/storage/continue.go), opaque to clients. */
import { badRequest } from "../../machinery/status/status-error.ts";

export interface ContinueToken {
  /** -1: the newest one. */
  revision: number;
  /** The key of the first object of the next page. */
  start: string;
}

const VERSION = "meta.k8s.io/v1";

export function encodeContinue({ revision, start }: ContinueToken): string {
  return Buffer.from(JSON.stringify({ v: VERSION, rv: revision, start })).toString("base64url");
}

export function decodeContinue(text: string): ContinueToken {
  let token: { v?: unknown; rv?: unknown; start?: unknown };
  try {
    token = JSON.parse(Buffer.from(text, "base64url").toString()) ?? {};
  } catch {
    throw badRequest("continue key is not valid: invalid character in the token");
  }
  if (token.v !== VERSION)
    throw badRequest("continue key is not valid: server does not recognize this encoded version");
  if (typeof token.rv !== "number" || !Number.isSafeInteger(token.rv) || token.rv === 0) {
    throw badRequest(
      "continue key is not valid: incorrect encoded start resourceVersion (version meta.k8s.io/v1)",
    );
  }
  if (typeof token.start !== "string" || token.start === "") {
    throw badRequest("continue key is not valid: encoded start key empty (version meta.k8s.io/v1)");
  }
  if (token.start.split("/").some((part) => part === "." || part === "..")) {
    throw badRequest(`continue key is not valid: ${token.start}`);
  }
  return { revision: token.rv, start: token.start };
}
