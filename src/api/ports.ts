/**
 * What declarations, auth and admission may ask of the server they run in. The API server gives the real ones; tests
 * give small ones of their own.
 */
import type { KubeObject } from "./object.ts";
import type { Resource } from "./resource.ts";
import type { Authorizer, User } from "./user.ts";

/** What the server holds now, from memory. Objects are frozen and in the stored version. */
export interface ObjectReader {
  /** `namespace` is "" for cluster-scoped resources. */
  get<T extends KubeObject>(resource: Resource<T>, namespace: string, name: string): T | undefined;
  /** In the order of namespace and name; `namespace` absent means all. */
  list<T extends KubeObject>(resource: Resource<T>, namespace?: string): Iterable<T>;
  /**
   * Calls `seen` for every object there is, and from then on for every change, in order, before the write that made it
   * is acknowledged. For indexes; must be fast and must not throw. `having` names one of the resource's selectable
   * fields: objects in which it is "" count as not there, and cost nothing.
   */
  observe<T extends KubeObject>(
    resource: Resource<T>,
    seen: (now: T | undefined, was: T | undefined) => void,
    having?: string,
  ): { close(): void };
}

/** Writes by the server itself, with validation but without authorization or admission. */
export interface ObjectWriter {
  create<T extends KubeObject>(resource: Resource<T>, object: T): Promise<T>;
  /**
   * Reads, lets `change` edit a copy, writes; again on conflict. `change` may throw a StatusError to stop, or return
   * false to leave the object as it is. Throws NotFound where there is none.
   */
  update<T extends KubeObject>(
    resource: Resource<T>,
    namespace: string,
    name: string,
    change: (copy: T) => void | false,
    options?: { subresource?: string; dryRun?: boolean },
  ): Promise<T>;
  delete<T extends KubeObject>(
    resource: Resource<T>,
    namespace: string,
    name: string,
    options?: DeleteRequest,
  ): Promise<void>;
}

export interface DeleteRequest {
  gracePeriodSeconds?: number;
  preconditions?: { uid?: string; resourceVersion?: string };
  propagationPolicy?: "Orphan" | "Background" | "Foreground";
  dryRun?: boolean;
}

/** What a bound token is bound to. */
export interface BoundObject {
  apiVersion: string;
  kind: string;
  name: string;
  uid: string;
}

export interface TokenPort {
  /** A service account token (TokenRequest); `expires` is RFC 3339. */
  issue(request: {
    namespace: string;
    name: string;
    uid: string;
    audiences: readonly string[];
    seconds: number;
    bound?: BoundObject;
    node?: { name: string; uid?: string };
  }): Promise<{ token: string; expires: string }>;
  /** Who a token belongs to (TokenReview), or why it is refused. */
  review(
    token: string,
    audiences: readonly string[],
  ): Promise<{ user: User; audiences: string[] } | { error: string } | undefined>;
  /** The audiences the server itself accepts. */
  audiences: readonly string[];
}

export interface Ports {
  reader: ObjectReader;
  writer: ObjectWriter;
  authorizer: Authorizer;
  tokens: TokenPort;
  /** Random bytes and text, seeded in tests. */
  random: RandomPort;
  /** The cluster's configuration that declarations may need. */
  settings: ClusterSettings;
}

export interface RandomPort {
  uuid(): string;
  /** Characters as upstream's generateName takes them: `bcdfghjklmnpqrstvwxz2456789`. */
  suffix(length: number): string;
  /** A whole number from 0 to below `limit`. */
  below(limit: number): number;
}

export interface ClusterSettings {
  serviceCIDRs: readonly string[];
  nodePortRange: { from: number; to: number };
  dnsDomain: string;
}
