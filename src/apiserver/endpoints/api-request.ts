/** A request on its way through the filters to its endpoint. */
import type { User } from "../../api/user.ts";
import { type Status, StatusError } from "../../machinery/status/status-error.ts";
import type { Exchange, ResponseHeaders, ResponseStream } from "../http/exchange.ts";
import type { RequestInfo } from "./request-info.ts";

const NO_QUERY = new URLSearchParams();
const WARNINGS_MAX = 4096;

export class ApiRequest {
  readonly exchange: Exchange;
  readonly query: URLSearchParams;
  readonly info: RequestInfo;
  /** The Audit-Id of the answer. */
  readonly id: string;
  /** Set by authentication; impersonation replaces it. */
  user!: User;
  /** The status that was answered, for metrics; 0 before. */
  code = 0;
  /** Bytes of the answer's body, before compression; 0 for watches. */
  size = 0;
  /** Called by a watch that has sent its initial events and said so; for metrics. */
  initialEventsSent: (() => void) | undefined;
  private warnings: Set<string> | undefined;
  readonly annotations = new Map<string, string>();

  constructor(exchange: Exchange, query: URLSearchParams, info: RequestInfo, id: string) {
    this.exchange = exchange;
    this.query = query;
    this.info = info;
    this.id = id;
  }

  readonly warn = (text: string): void => {
    this.warnings ??= new Set();
    this.warnings.add(text);
  };

  readonly annotate = (key: string, value: string): void => {
    this.annotations.set(key, value);
  };

  headers(contentType: string): ResponseHeaders {
    const headers: ResponseHeaders = {
      "audit-id": this.id,
      "cache-control": "no-cache, private",
      "content-type": contentType,
    };
    if (this.warnings) headers.warning = warningHeader(this.warnings);
    return headers;
  }

  send(code: number, contentType: string, body: Uint8Array | string): void {
    this.code = code;
    this.size = typeof body === "string" ? Buffer.byteLength(body) : body.length;
    this.exchange.respond(code, this.headers(contentType), body);
  }

  open(code: number, headers: ResponseHeaders): ResponseStream {
    this.code = code;
    return this.exchange.open(code, headers);
  }

  /** Answers with the Status of an error; what is not a StatusError is a bug, and says nothing of its inside. */
  fail(error: unknown): void {
    const status: Status & { listMeta?: Record<string, unknown> } =
      error instanceof StatusError
        ? error.toStatus()
        : new StatusError(
            "InternalError",
            "Internal error occurred: an unexpected error, see the server's log",
            {
              causes: [{ message: "an unexpected error, see the server's log" }],
            },
          ).toStatus();
    const listMeta = (error as { listMeta?: Record<string, unknown> }).listMeta;
    if (listMeta) status.metadata = listMeta;
    const code = status.code ?? 500;
    this.code = code;
    const headers = this.headers("application/json");
    const retry = status.details?.retryAfterSeconds;
    if (retry) headers["retry-after"] = retry;
    if (code === 401) headers["www-authenticate"] = 'Basic realm="kubernetes-master"';
    this.exchange.respond(code, headers, `${JSON.stringify(status)}\n`);
  }
}

export function queryOf(query: string): URLSearchParams {
  return query === "" ? NO_QUERY : new URLSearchParams(query);
}

/** RFC 7234 warnings, code 299, as upstream writes them: quoted, printable, at most 4 KiB in all. */
function warningHeader(texts: Iterable<string>): string {
  const parts: string[] = [];
  let size = 0;
  for (const text of texts) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what a header must not have
    const clean = text.replace(/[\u0000-\u001f\u007f-\uffff]/g, " ").replace(/["\\]/g, "\\$&");
    size += clean.length;
    if (size > WARNINGS_MAX) break;
    parts.push(`299 - "${clean}"`);
  }
  return parts.join(", ");
}
