/** From an answer that is no success back to the StatusError that the server threw. */
import { CODES, type Reason, type Status, StatusError } from "../machinery/status/status-error.ts";
import type { TransportResponse } from "./transport.ts";

const decoder = new TextDecoder();

export function errorFromStatus(status: Partial<Status>, code = 500): StatusError {
  const { reason = reasonOf(status.code ?? code), message, details } = status;
  return new StatusError(reason, message ?? `the server answered ${code}`, details, status.code ?? code);
}

/** What came may be of a proxy in between: then its text is the message. */
export function errorFromAnswer({ status, headers, body }: TransportResponse): StatusError {
  const text = decoder.decode(body);
  if ((headers["content-type"] ?? "").startsWith("application/json")) {
    try {
      const parsed = JSON.parse(text) as Partial<Status>;
      if (parsed?.kind === "Status") return errorFromStatus(parsed, status);
    } catch {
      // Not JSON after all.
    }
  }
  const seconds = Number(headers["retry-after"] ?? Number.NaN);
  const details = Number.isFinite(seconds) ? { retryAfterSeconds: seconds } : undefined;
  const message = text.trim().slice(0, 2048) || `the server answered ${status} without saying why`;
  return new StatusError(reasonOf(status), message, details, status);
}

/** Where two reasons share a code, the one that names the cause less. */
function reasonOf(code: number): Reason {
  if (code === 409) return "Conflict";
  if (code === 410) return "Expired";
  for (const reason of Object.keys(CODES) as (keyof typeof CODES)[])
    if (CODES[reason] === code) return reason;
  return "";
}

/** Whether `error` is a Status of one of `reasons`. */
export function isReason(error: unknown, ...reasons: Reason[]): error is StatusError {
  return error instanceof StatusError && reasons.includes(error.reason);
}

/** Whether something could not be made because its namespace is on its way out. */
export function isNamespaceTerminating(error: unknown): boolean {
  return (
    isReason(error, "Forbidden") &&
    (error.details?.causes ?? []).some(({ reason }) => reason === "NamespaceTerminating")
  );
}
