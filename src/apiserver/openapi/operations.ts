/**
 * Every path and method that a resource is served under, as both OpenAPI forms describe them. Operation ids and tags
 * follow upstream's pattern, since client generators name their methods after them.
 */
import type { GroupVersionKind, KubeObject } from "../../api/object.ts";
import type { Resource, Subresource } from "../../api/resource.ts";

export type Method = "get" | "put" | "post" | "delete" | "options" | "head" | "patch";

/** What a body or an answer is: a definition's id, or text of no described shape. */
export type Shape = { definition: string } | "text";

export interface Operation {
  path: string;
  method: Method;
  operationId: string;
  tag: string;
  description: string;
  /** `x-kubernetes-action`; absent for discovery. */
  action?: string;
  kind?: GroupVersionKind;
  body?: { definition: string; required: boolean };
  /** By status code. */
  answers: Readonly<Record<number, Shape>>;
  streams?: true;
  query: readonly QueryParameter[];
}

export interface QueryParameter {
  name: string;
  type: "string" | "integer" | "boolean";
}

export interface ServedKind {
  group: string;
  version: string;
  kind: string;
  definition: string;
}

const query = (type: QueryParameter["type"], ...names: string[]) => names.map((name) => ({ name, type }));

const LIST = [
  ...query("boolean", "allowWatchBookmarks"),
  ...query("string", "continue", "fieldSelector", "labelSelector"),
  ...query("integer", "limit"),
  ...query("string", "resourceVersion", "resourceVersionMatch"),
  ...query("boolean", "sendInitialEvents"),
  ...query("string", "shardSelector"),
  ...query("integer", "timeoutSeconds"),
  ...query("boolean", "watch"),
];
const WRITE = query("string", "dryRun", "fieldManager", "fieldValidation");
const PATCH = [...WRITE, ...query("boolean", "force")];
const DELETE = [
  ...query("string", "dryRun"),
  ...query("integer", "gracePeriodSeconds"),
  ...query("boolean", "ignoreStoreReadErrorWithClusterBreakingPotential", "orphanDependents"),
  ...query("string", "propagationPolicy"),
];
const DELETE_COLLECTION = [
  ...DELETE,
  ...LIST.filter(({ name }) => name !== "watch" && name !== "allowWatchBookmarks"),
];

const STATUS = { definition: "meta.v1.Status" };
const PATCH_BODY = "meta.v1.Patch";
const DELETE_OPTIONS = "meta.v1.DeleteOptions";

/** `apps` is Apps, `rbac.authorization.k8s.io` is RbacAuthorization, the core group is Core. */
export function groupName(group: string): string {
  if (group === "") return "Core";
  return group
    .replace(/\.k8s\.io$/, "")
    .split(/[.-]/)
    .map(upper)
    .join("");
}

/** `apps_v1`, `rbacAuthorization_v1`; without version the group's own tag. */
export function tagOf(group: string, version?: string): string {
  const name = groupName(group);
  const tag = name.charAt(0).toLowerCase() + name.slice(1);
  return version ? `${tag}_${version}` : tag;
}

function upper(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

export function rootOf({ group, version }: { group: string; version: string }): string {
  return group === "" ? `/api/${version}` : `/apis/${group}/${version}`;
}

/** The operations of one resource in one of its versions. */
export function operationsOf(resource: Resource<KubeObject>, served: ServedKind): Operation[] {
  const namer = new Namer(resource, served);
  const operations = [...collectionOperations(namer), ...itemOperations(namer), ...watchOperations(namer)];
  for (const [name, subresource] of Object.entries(resource.subresources)) {
    operations.push(...subresourceOperations(namer, name, subresource));
  }
  return operations;
}

/** Builds operations of one kind, so that each is said in a line or two. */
class Namer {
  readonly resource: Resource<KubeObject>;
  readonly served: ServedKind;
  readonly namespaced: boolean;
  readonly collection: string;
  readonly object: Shape;
  readonly #name: string;

  constructor(resource: Resource<KubeObject>, served: ServedKind) {
    this.resource = resource;
    this.served = served;
    this.namespaced = resource.scope === "Namespaced";
    this.collection = `${rootOf(served)}${this.namespaced ? "/namespaces/{namespace}" : ""}/${resource.plural}`;
    this.object = { definition: served.definition };
    this.#name = groupName(served.group) + upper(served.version);
  }

  get item(): string {
    return `${this.collection}/{name}`;
  }

  get everywhere(): string {
    return `${rootOf(this.served)}/${this.resource.plural}`;
  }

  get scoped(): string {
    return `${this.namespaced ? "Namespaced" : ""}${this.served.kind}`;
  }

  make(
    path: string,
    method: Method,
    action: string,
    [verb, rest]: readonly [verb: string, rest: string],
    more: Partial<Operation> & Pick<Operation, "answers">,
  ): Operation {
    const { group, version, kind } = this.served;
    return {
      path,
      method,
      operationId: `${verb}${this.#name}${rest}`,
      tag: tagOf(group, version),
      description: `${verb} ${kind}`,
      action,
      kind: { group, version, kind },
      query: [],
      ...more,
    };
  }

  has(verb: string): boolean {
    return (this.resource.verbs as readonly string[]).includes(verb);
  }
}

function collectionOperations(n: Namer): Operation[] {
  const { definition } = n.served;
  const operations: Operation[] = [];
  const list = { answers: { 200: { definition: `${definition}List` } }, query: LIST, ...stream(n) };
  if (n.has("list")) {
    operations.push(n.make(n.collection, "get", "list", ["list", n.scoped], list));
    if (n.namespaced) {
      const named = ["list", `${n.served.kind}ForAllNamespaces`] as const;
      operations.push(n.make(n.everywhere, "get", "list", named, list));
    }
  }
  if (n.has("create")) {
    const body = { definition, required: true };
    const answers = { 200: n.object, 201: n.object, 202: n.object };
    operations.push(
      n.make(n.collection, "post", "post", ["create", n.scoped], { body, answers, query: WRITE }),
    );
  }
  if (n.has("deletecollection")) {
    const more = { body: optionalDelete, answers: { 200: STATUS }, query: DELETE_COLLECTION };
    operations.push(
      n.make(n.collection, "delete", "deletecollection", ["delete", `Collection${n.scoped}`], more),
    );
  }
  return operations;
}

const optionalDelete = { definition: DELETE_OPTIONS, required: false };

function stream(n: Namer): { streams?: true } {
  return n.has("watch") ? { streams: true } : {};
}

function itemOperations(n: Namer): Operation[] {
  const { definition } = n.served;
  const body = { definition, required: true };
  const operations: Operation[] = [];
  if (n.has("get")) {
    operations.push(n.make(n.item, "get", "get", ["read", n.scoped], { answers: { 200: n.object } }));
  }
  if (n.has("update")) {
    const answers = { 200: n.object, 201: n.object };
    operations.push(n.make(n.item, "put", "put", ["replace", n.scoped], { body, answers, query: WRITE }));
  }
  if (n.has("patch")) operations.push(patch(n, n.item, ["patch", n.scoped]));
  if (n.has("delete")) {
    const shape = n.resource.returnsDeletedObject ? n.object : STATUS;
    const more = { body: optionalDelete, answers: { 200: shape, 202: shape }, query: DELETE };
    operations.push(n.make(n.item, "delete", "delete", ["delete", n.scoped], more));
  }
  return operations;
}

function patch(n: Namer, path: string, name: readonly [string, string], shape = n.object): Operation {
  const body = { definition: PATCH_BODY, required: true };
  return n.make(path, "patch", "patch", name, { body, answers: { 200: shape, 201: shape }, query: PATCH });
}

/** The older paths of watches. */
function watchOperations(n: Namer): Operation[] {
  if (!n.has("watch")) return [];
  const answers = { 200: { definition: "meta.v1.WatchEvent" } };
  const more = { answers, query: LIST, streams: true } as const;
  const root = rootOf(n.served);
  const under = (path: string) => `${root}/watch${path.slice(root.length)}`;
  const { kind } = n.served;
  const operations = [n.make(under(n.collection), "get", "watchlist", ["watch", `${n.scoped}List`], more)];
  operations.push(n.make(under(n.item), "get", "watch", ["watch", n.scoped], more));
  if (n.namespaced) {
    const name = ["watch", `${kind}ListForAllNamespaces`] as const;
    operations.push(n.make(under(n.everywhere), "get", "watchlist", name, more));
  }
  return operations;
}

const METHODS = { get: "get", update: "put", patch: "patch", create: "post", delete: "delete" } as const;
const PROXY_METHODS: readonly Method[] = ["delete", "get", "head", "options", "patch", "post", "put"];

function subresourceOperations(n: Namer, name: string, subresource: Subresource<KubeObject>): Operation[] {
  const path = `${n.item}/${name}`;
  const suffix = n.scoped + upper(name);
  if (subresource.acts === "connect") return connectOperations(n, path, suffix, subresource);
  if (subresource.acts === "create") {
    const { kind, definition } = subresource;
    const shape = { definition };
    const answers = { 200: shape, 201: shape, 202: shape };
    const more = { body: { definition, required: true }, answers, query: WRITE, kind };
    return [n.make(path, "post", "post", ["create", suffix], more)];
  }
  const scale = subresource.acts === "scale";
  const definition = scale ? "autoscaling.v1.Scale" : n.served.definition;
  const kind = scale ? { kind: { group: "autoscaling", version: "v1", kind: "Scale" } } : {};
  const shape = { definition };
  const verbs = scale ? (["get", "patch", "update"] as const) : subresource.verbs;
  return verbs.map((verb) => {
    if (verb === "get") {
      return n.make(path, "get", "get", ["read", suffix], { answers: { 200: shape }, ...kind });
    }
    if (verb === "patch") return { ...patch(n, path, ["patch", suffix], shape), ...kind };
    const body = { definition, required: true };
    const answers = { 200: shape, 201: shape };
    return n.make(path, "put", "put", ["replace", suffix], { body, answers, query: WRITE, ...kind });
  });
}

function connectOperations(
  n: Namer,
  path: string,
  suffix: string,
  { verbs, kind, takesPath }: Extract<Subresource<KubeObject>, { acts: "connect" }>,
): Operation[] {
  // A log is read as text; its options have no kind in the path's answer.
  if (kind === n.served.kind) {
    return [n.make(path, "get", "get", ["read", suffix], { answers: { 200: "text" } })];
  }
  const methods = verbs.includes("delete") ? PROXY_METHODS : verbs.map((verb) => METHODS[verb]);
  const more = { answers: { 200: "text" }, kind: { ...n.served, kind } } as const;
  const all = (at: string, end: string) =>
    methods
      .map((method) => n.make(at, method, "connect", ["connect", ""], more))
      .map((operation) => {
        const [, rest = ""] = operation.operationId.split("connect");
        const operationId = `connect${rest}${upper(operation.method)}${suffix}${end}`;
        const { group, version } = n.served;
        return { ...operation, operationId, kind: { group, version, kind } };
      });
  return takesPath ? [...all(path, ""), ...all(`${path}/{path}`, "WithPath")] : all(path, "");
}

/** What the server says of itself. */
export function serverOperations(): Operation[] {
  return [
    reading("/apis/", "getAPIVersions", "apis", "meta.v1.APIGroupList"),
    reading("/version/", "getCodeVersion", "version", "version.Info"),
  ];
}

function reading(path: string, operationId: string, tag: string, definition: string): Operation {
  const description = "get available information";
  return { path, method: "get", operationId, tag, description, answers: { 200: { definition } }, query: [] };
}

/** The discovery documents themselves. */
export function discoveryOperations(group: string, versions: readonly string[]): Operation[] {
  const base = group === "" ? "/api" : `/apis/${group}`;
  const name = groupName(group);
  const own =
    group === ""
      ? reading(`${base}/`, "getCoreAPIVersions", "core", "meta.v1.APIVersions")
      : reading(`${base}/`, `get${name}APIGroup`, tagOf(group), "meta.v1.APIGroup");
  const lists = versions.map((version) =>
    reading(
      `${base}/${version}/`,
      `get${name}${upper(version)}APIResources`,
      tagOf(group, version),
      "meta.v1.APIResourceList",
    ),
  );
  return [own, ...lists];
}
