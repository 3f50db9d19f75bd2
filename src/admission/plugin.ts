/**
 * An admission plugin decides on one request: it may complete the object (mutate), or refuse it (validate). Plugins are
 * declared as values, listed once in index.ts in upstream's order, and know nothing of each other.
 *
 * The chain calls `mutate` of every plugin in order, then the kind's validation, then `validate` of every plugin.
 * `object` is the request's own copy: `mutate` edits it in place (a patch per plugin would cost a copy per plugin on the
 * hottest path there is); `validate` must not change it. `old` is frozen. A refusal is a thrown StatusError.
 */
import type { KubeObject } from "../api/object.ts";
import type { Ports } from "../api/ports.ts";
import type { Resource } from "../api/resource.ts";
import type { User } from "../api/user.ts";

export type Operation = "CREATE" | "UPDATE" | "DELETE" | "CONNECT";

export interface AdmissionRequest<T extends KubeObject = KubeObject> {
  operation: Operation;
  resource: Resource<T>;
  /** "" for the resource itself; "status", "ephemeralcontainers", "binding", "eviction" … */
  subresource: string;
  namespace: string;
  /** "" on create with generateName. */
  name: string;
  /** Absent on DELETE. For an action subresource (binding, eviction, token) this is its body. */
  object: T | undefined;
  /** Absent on CREATE. */
  old: T | undefined;
  user: User;
  /** As authorization saw the request: `patch` and `update` are both UPDATE. */
  verb?: string;
  dryRun: boolean;
  /** RFC 3339, seconds. */
  now: string;
  warn(text: string): void;
  /** Adds to the audit annotations of the request. */
  annotate(key: string, value: string): void;
}

/** A plugin bound to a running server. */
export interface AdmissionPlugin {
  mutate?(request: AdmissionRequest): void | Promise<void>;
  validate?(request: AdmissionRequest): void | Promise<void>;
  /** Called once the request has been stored, or has failed, for plugins that reserve (ResourceQuota). */
  close?(): void;
}

export interface AdmissionDeclaration {
  /** Upstream's name: `NamespaceLifecycle`. */
  name: string;
  summary: string;
  /**
   * The requests that it is called for, so that all others skip it at no cost: `[plural.group or "*", operations]`,
   * e.g. `["pods", ["CREATE"]]`, `["deployments.apps", …]`, `["pods/ephemeralcontainers", …]`. "*" means every
   * resource without its subresources, "**" every resource and subresource.
   */
  on: readonly (readonly [resource: string, operations: readonly Operation[]])[];
  start(ports: Ports): AdmissionPlugin;
}

export function defineAdmission(declaration: AdmissionDeclaration): AdmissionDeclaration {
  return declaration;
}
