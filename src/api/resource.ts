/**
 * What a kind IS, declared once. Routes, discovery, OpenAPI, tables, RBAC, the typed client, informer indexes and docs
 * are computed from the list of these declarations; the API server itself knows no kind.
 *
 * The functions of a declaration are called by the API server in this order:
 *
 *   create   decode → defaults → mutating admission → prepareForCreate → validate → validating admission
 *            → begin.create → store
 *   update   decode → defaults → mutating admission → prepareForUpdate → validate → validateUpdate
 *            → validating admission → begin.update → store
 *
 * Each gets the request's own copy of the new object and may change it in place (prepare*, defaults) or must not
 * (validate*, columns, fields); `old` is what the store holds and is frozen. None may wait, except `begin`, `create`
 * of a virtual resource and the actions of subresources.
 */
import type { FieldError } from "../machinery/field/field-error.ts";
import type { GroupVersionKind, KubeObject } from "./object.ts";
import type { Ports } from "./ports.ts";
import type { User } from "./user.ts";

export type Verb = "create" | "delete" | "deletecollection" | "get" | "list" | "patch" | "update" | "watch";

export const STANDARD_VERBS: readonly Verb[] = [
  "create",
  "delete",
  "deletecollection",
  "get",
  "list",
  "patch",
  "update",
  "watch",
];

/** What a declaration's functions know of the request. */
export interface RequestContext {
  user: User;
  /** RFC 3339, seconds, as creationTimestamp is written. */
  now: string;
  dryRun: boolean;
  /** Adds a Warning header to the answer. */
  warn(text: string): void;
  ports: Ports;
}

/** A column of `kubectl get`, as the server prints it (meta.v1 TableColumnDefinition). */
export interface Column<T> {
  name: string;
  type: "string" | "integer" | "number" | "boolean" | "date";
  format?: string;
  description?: string;
  /** 0 is always shown; larger ones only with -o wide. */
  priority?: number;
  /** The cell; `now` is for ages. */
  cell(object: T, now: Date): string | number | boolean | null | undefined;
}

/** Another group version in which the objects of a resource are served. */
export interface AlternateVersion<T> {
  group: string;
  version: string;
  kind: string;
  definition: string;
  /** Not listed as preferred where another version of its group is. */
  defaults?(object: KubeObject): void;
  toStored(object: KubeObject): T;
  fromStored(object: T): KubeObject;
  /** The stored version's name of a selectable field (`regarding.name` of events.k8s.io is `involvedObject.name`). */
  storedField?(field: string): string;
}

/** Get, update and patch of the parent object through a strategy of its own: status, approval, finalize, resize … */
export interface UpdateSubresource<T> {
  acts: "update";
  verbs: readonly ("get" | "patch" | "update")[];
  /** Keeps of `object` only what this subresource may change; the rest is taken back from `old`. */
  prepare(object: T, old: T, context: RequestContext): void;
  validate?(object: T, old: T, context: RequestContext): FieldError[];
  /** Field paths (`spec`, `metadata.labels`) that server-side apply must not give to a manager here. */
  resets: readonly string[];
  /** Whether a PUT or PATCH counts for `begin.update` of the resource. */
  begins?: boolean;
}

/** autoscaling/v1 Scale, computed from the parent. */
export interface ScaleSubresource<T> {
  acts: "scale";
  /** What the answer's apiVersion is in discovery, by default autoscaling/v1. */
  replicas(object: T): number;
  setReplicas(object: T, replicas: number): void;
  statusReplicas(object: T): number;
  /** The pods' label selector as text. */
  selector(object: T): string;
  /** The path of the number, for managedFields: `spec.replicas`. */
  replicasPath: string;
}

/** POST of a body of another kind: binding, eviction, token. */
export interface ActionSubresource {
  acts: "create";
  kind: GroupVersionKind;
  /** Other versions of the group with the same fields, which bodies may name as well. */
  alsoVersions?: readonly string[];
  definition: string;
  defaults?(body: KubeObject): void;
  validate?(body: KubeObject): FieldError[];
  /** The answer's object; its `kind` tells whether it is a Status. */
  create(
    parent: { namespace: string; name: string },
    body: KubeObject,
    context: RequestContext,
  ): Promise<KubeObject>;
}

/** A stream to a node: log, exec, attach, portforward, proxy. */
export interface ConnectSubresource {
  acts: "connect";
  /** HTTP methods, as discovery's verbs: `get` and `create` for exec. */
  verbs: readonly ("create" | "delete" | "get" | "patch" | "update")[];
  /** The kind that discovery names, e.g. PodExecOptions. */
  kind: string;
  /** `proxy` also takes a path behind it. */
  takesPath?: true;
}

export type Subresource<T> =
  | UpdateSubresource<T>
  | ScaleSubresource<T>
  | ActionSubresource
  | ConnectSubresource;

/** What `begin` returns: undoes or keeps what was reserved outside the object itself. */
export interface Reservation {
  commit?(): void | Promise<void>;
  rollback(): void | Promise<void>;
}

export interface Resource<T extends KubeObject = KubeObject> {
  group: string;
  /** The version that is stored and preferred. */
  version: string;
  kind: string;
  plural: string;
  singular: string;
  scope: "Namespaced" | "Cluster";
  shortNames: readonly string[];
  categories: readonly string[];
  /** The id of its Definition. */
  definition: string;
  /** Where under `/registry/` upstream keeps it. */
  storagePrefix: string;
  verbs: readonly Verb[];
  alternates: readonly AlternateVersion<T>[];

  /** The text of what is wrong with a name, one per rule broken; `prefix` is set for a generateName. */
  validateName?(name: string, prefix: boolean): string[];
  defaults?(object: T): void;
  prepareForCreate?(object: T, context: RequestContext): void;
  prepareForUpdate?(object: T, old: T, context: RequestContext): void;
  /** Of a whole object, on create; on update too, unless validateUpdate is there and says all itself (`validatesAll`). */
  validate?(object: T, context: RequestContext): FieldError[];
  validateUpdate?(object: T, old: T, context: RequestContext): FieldError[];
  validatesAll: boolean;
  warnings?(object: T, old: T | undefined): string[];
  /** What counts for metadata.generation: changes of the returned value raise it. Absent: no generation. */
  generationOf?(object: T): unknown;
  allowCreateOnUpdate: boolean;
  /** Whether a PUT without resourceVersion is taken. */
  allowUnconditionalUpdate: boolean;
  /** Field paths that server-side apply must not give to a manager on the main endpoint: `status` for most. */
  resets: readonly string[];

  /** Seconds a deleted object may linger; absent: objects go at once. `asked` is the client's gracePeriodSeconds. */
  gracePeriod?(object: T, asked: number | undefined): number;
  /** Why the object may not be deleted, or undefined. */
  mayDelete?(object: T): string | undefined;
  /** Whether DELETE answers with the object that went, not with a Status. */
  returnsDeletedObject?: true;
  /** For objects that outlive their deletion until more than metadata.finalizers is empty (Namespace). */
  deletion?: {
    /** Edits the copy that is stored with the deletionTimestamp when the object is first deleted. */
    begin(object: T): void;
    /** Whether the object must stay for now; asked on delete and after every update of a deleted object. */
    held(object: T): boolean;
  };
  /** Sent as a Warning with every answer: `v1 ComponentStatus is deprecated in v1.19+`. */
  deprecated?: string;
  /** Whether dependents are orphaned where the client does not say (only old kinds; none by default). */
  orphansByDefault?: true;

  subresources: Readonly<Record<string, Subresource<T>>>;
  columns: readonly Column<T>[];
  /** Fields that a fieldSelector may name beside metadata.name and metadata.namespace; each is indexed by the watch cache. */
  fields: Readonly<Record<string, (object: T) => string>>;
  /** Seconds that an object is kept, for Events. */
  ttl?: (object: T) => number | undefined;

  /** Reserves what must be unique beyond the name (service IPs, node ports) before the write. */
  begin?: {
    create?(object: T, context: RequestContext): Promise<Reservation | undefined>;
    update?(object: T, old: T, context: RequestContext): Promise<Reservation | undefined>;
    /** After the object is gone. */
    deleted?(object: T, context: Pick<RequestContext, "ports" | "now">): Promise<void>;
  };

  /** A resource that is answered, not stored: reviews (create), componentstatuses, metrics (get, list). */
  virtual?: {
    create?(object: T, context: RequestContext): Promise<T>;
    get?(name: string, context: RequestContext, namespace: string): Promise<T | undefined>;
    /** Those of a namespace, or of all where it is ""; the request's selectors are applied to what comes. */
    list?(context: RequestContext, namespace: string): Promise<T[]>;
  };
}

type Optional =
  | "singular"
  | "shortNames"
  | "categories"
  | "storagePrefix"
  | "verbs"
  | "alternates"
  | "allowCreateOnUpdate"
  | "allowUnconditionalUpdate"
  | "resets"
  | "subresources"
  | "columns"
  | "fields"
  | "validatesAll";

export type ResourceDeclaration<T extends KubeObject> = Omit<Resource<T>, Optional> &
  Partial<Pick<Resource<T>, Optional>>;

/** Completes a declaration with the defaults that most kinds share. */
export function defineResource<T extends KubeObject>(declaration: ResourceDeclaration<T>): Resource<T> {
  return {
    singular: declaration.kind.toLowerCase(),
    shortNames: [],
    categories: [],
    storagePrefix: declaration.plural,
    verbs: declaration.virtual ? (["create"] as const) : STANDARD_VERBS,
    alternates: [],
    allowCreateOnUpdate: false,
    allowUnconditionalUpdate: true,
    resets: declaration.subresources && "status" in declaration.subresources ? ["status"] : [],
    subresources: {},
    columns: [],
    fields: {},
    validatesAll: false,
    ...declaration,
  };
}
