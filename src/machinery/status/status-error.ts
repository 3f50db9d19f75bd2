/**
 * Every error a client may see is a Status from the moment it is made: reason, code and details are built together by
 * a constructor named after the situation (upstream: apimachinery/pkg/api/errors). Anything else that is thrown is a
 * bug and becomes InternalError at the edge.
 */

export const CODES = {
  BadRequest: 400,
  Unauthorized: 401,
  Forbidden: 403,
  NotFound: 404,
  MethodNotAllowed: 405,
  NotAcceptable: 406,
  AlreadyExists: 409,
  Conflict: 409,
  Gone: 410,
  Expired: 410,
  RequestEntityTooLarge: 413,
  UnsupportedMediaType: 415,
  Invalid: 422,
  TooManyRequests: 429,
  InternalError: 500,
  StorageReadError: 500,
  ServiceUnavailable: 503,
  ServerTimeout: 500,
  Timeout: 504,
} as const;

/** The machine-readable cause of a failure, as in metav1.StatusReason. */
export type Reason = keyof typeof CODES | "";

export interface StatusCause {
  reason?: string;
  message?: string;
  field?: string;
}

export interface StatusDetails {
  name?: string;
  group?: string;
  kind?: string;
  uid?: string;
  causes?: StatusCause[];
  retryAfterSeconds?: number;
}

/** The wire form, metav1.Status. */
export interface Status {
  kind: "Status";
  apiVersion: "v1";
  metadata: Record<string, unknown>;
  status: "Success" | "Failure";
  message?: string;
  reason?: Reason;
  details?: StatusDetails;
  code?: number;
}

/** What names a resource in an error: the plural and its group ("" for core). */
export interface GroupResource {
  group: string;
  resource: string;
}

/** What names a kind in an error. */
export interface GroupKind {
  group: string;
  kind: string;
}

export class StatusError extends Error {
  readonly reason: Reason;
  readonly code: number;
  readonly details: StatusDetails | undefined;

  constructor(reason: Reason, message: string, details?: StatusDetails, code?: number, cause?: unknown) {
    super(message, { cause });
    this.name = "StatusError";
    this.reason = reason;
    this.code = code ?? (reason === "" ? 500 : CODES[reason]);
    this.details = details;
  }

  toStatus(): Status {
    const status: Status = { kind: "Status", apiVersion: "v1", metadata: {}, status: "Failure" };
    status.message = this.message;
    if (this.reason !== "") status.reason = this.reason;
    if (this.details) status.details = this.details;
    status.code = this.code;
    return status;
  }

  toJSON(): Status {
    return this.toStatus();
  }
}

/** `pods` or `deployments.apps`, as upstream prints a GroupResource or GroupKind. */
export function qualified(name: string, group: string): string {
  return group ? `${name}.${group}` : name;
}

export function notFound({ group, resource }: GroupResource, name: string): StatusError {
  return new StatusError(
    "NotFound",
    `${qualified(resource, group)} "${name}" not found`,
    detailsOf(group, resource, name),
  );
}

export function alreadyExists({ group, resource }: GroupResource, name: string): StatusError {
  return new StatusError(
    "AlreadyExists",
    `${qualified(resource, group)} "${name}" already exists`,
    detailsOf(group, resource, name),
  );
}

export function conflict({ group, resource }: GroupResource, name: string, why: string): StatusError {
  return new StatusError(
    "Conflict",
    `Operation cannot be fulfilled on ${qualified(resource, group)} "${name}": ${why}`,
    detailsOf(group, resource, name),
  );
}

/** The text upstream gives where resourceVersion does not match (registry.OptimisticLockErrorMsg). */
export const OPTIMISTIC_LOCK =
  "the object has been modified; please apply your changes to the latest version and try again";

export function forbidden({ group, resource }: GroupResource, name: string, why: string): StatusError {
  const what =
    resource === ""
      ? why
      : name === ""
        ? `${qualified(resource, group)} is forbidden: ${why}`
        : `${qualified(resource, group)} "${name}" is forbidden: ${why}`;
  return new StatusError(
    "Forbidden",
    resource === "" ? `forbidden: ${why}` : what,
    detailsOf(group, resource, name),
  );
}

export function unauthorized(message = "Unauthorized"): StatusError {
  return new StatusError("Unauthorized", message);
}

export function badRequest(message: string): StatusError {
  return new StatusError("BadRequest", message);
}

export function methodNotAllowed({ group, resource }: GroupResource, action: string): StatusError {
  return new StatusError(
    "MethodNotAllowed",
    `${action} is not supported on resources of kind "${qualified(resource, group)}"`,
    detailsOf(group, resource),
  );
}

export function notAcceptable(supported: readonly string[]): StatusError {
  return new StatusError(
    "NotAcceptable",
    `only the following media types are accepted: ${supported.join(", ")}`,
  );
}

export function unsupportedMediaType(supported: readonly string[]): StatusError {
  return new StatusError(
    "UnsupportedMediaType",
    `the body of the request was in an unknown format - accepted media types include: ${supported.join(", ")}`,
  );
}

/** 410: the asked revision was compacted away, or a continue token is too old. */
export function expired(message: string): StatusError {
  return new StatusError("Expired", message);
}

export function tooLarge(message: string): StatusError {
  return new StatusError("RequestEntityTooLarge", message);
}

export function tooManyRequests(message: string, retryAfterSeconds: number): StatusError {
  return new StatusError("TooManyRequests", message, { retryAfterSeconds });
}

export function timeout(message: string, retryAfterSeconds: number): StatusError {
  return new StatusError("Timeout", `Timeout: ${message}`, { retryAfterSeconds });
}

export function serverTimeout(
  { group, resource }: GroupResource,
  action: string,
  retryAfterSeconds: number,
): StatusError {
  return new StatusError(
    "ServerTimeout",
    `The ${action} operation against ${qualified(resource, group)} could not be completed at this time, please try again.`,
    { ...detailsOf(group, resource, action), retryAfterSeconds },
  );
}

export function serviceUnavailable(message: string): StatusError {
  return new StatusError("ServiceUnavailable", message);
}

export function internalError(message: string, cause?: unknown): StatusError {
  return new StatusError(
    "InternalError",
    `Internal error occurred: ${message}`,
    { causes: [{ message }] },
    undefined,
    cause,
  );
}

function detailsOf(group: string, kind: string, name = ""): StatusDetails {
  const details: StatusDetails = {};
  if (name !== "") details.name = name;
  if (group !== "") details.group = group;
  if (kind !== "") details.kind = kind;
  return details;
}
