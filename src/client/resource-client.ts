/** The verbs of one resource, typed by its declaration. */
import { apiVersionOf, type KubeObject } from "../api/object.ts";
import { concatenated } from "./bytes.ts";
import {
  type CallOptions,
  type DeleteOptions,
  deleteBody,
  type GetOptions,
  type ListOptions,
  PATCH_CONTENT,
  type PatchOptions,
  queryOf,
  type SelectOptions,
  type SubresourceOptions,
  type Unread,
  type WatchOptions,
  type WriteOptions,
} from "./options.ts";
import { errorFromAnswer } from "./status.ts";
import type { Transport, TransportRequest, TransportResponse } from "./transport.ts";
import { LineReader, parseEvent, type WatchEvent } from "./watch-events.ts";

/** What a path needs to know of a resource; every declaration is one. */
export interface ResourceKind {
  group: string;
  version: string;
  kind: string;
  plural: string;
  scope: "Namespaced" | "Cluster";
}

/** An object to send: what the client knows by itself may be left out. */
export type Given<T extends KubeObject> = Omit<T, "apiVersion" | "kind"> & Partial<KubeObject>;

export interface ObjectList<T> {
  metadata: { resourceVersion?: string; continue?: string; remainingItemCount?: number };
  items: T[];
}

/** Every method throws StatusError where the server refuses, TransportError where there was no answer. */
export interface ResourceClient<T extends KubeObject> {
  readonly resource: ResourceKind;
  /** Whether watches need no renewal: nothing between could lose them without a word. */
  readonly lasting?: boolean;
  /** The same resource in one namespace. */
  namespace(namespace: string): ResourceClient<T>;
  get(name: string, options?: GetOptions): Promise<T>;
  /** One page, or everything where `limit` is absent; of all namespaces unless one was chosen. */
  list(options?: ListOptions): Promise<ObjectList<T>>;
  /** Everything, page by page of `limit` (500). */
  listAll(options?: ListOptions): Promise<ObjectList<T>>;
  /** Into the object's own namespace, else into that of the client. */
  create(object: Given<T>, options: WriteOptions & Unread): Promise<void>;
  create(object: Given<T>, options?: WriteOptions): Promise<T>;
  update(object: Given<T>, options?: SubresourceOptions): Promise<T>;
  updateStatus(object: Given<T>, options?: WriteOptions): Promise<T>;
  patch(name: string, patch: unknown, options: PatchOptions & Unread): Promise<void>;
  patch(name: string, patch: unknown, options: PatchOptions): Promise<T>;
  /** Server-side apply of the fields given. */
  apply(
    object: { metadata: { name: string; namespace?: string } } & Record<string, unknown>,
    options: SubresourceOptions & { fieldManager: string; force?: boolean },
  ): Promise<T>;
  /** Resolves with what the server answers: a Status, or the object on its way out. */
  delete(name: string, options: DeleteOptions & Unread): Promise<void>;
  delete(name: string, options?: DeleteOptions): Promise<KubeObject>;
  deleteCollection(options?: SelectOptions & DeleteOptions): Promise<void>;
  /** Ends when the server ends the watch; leave the loop or abort `signal` to end it before. */
  watch(options?: WatchOptions): AsyncIterable<WatchEvent<T>>;
  getSubresource<R extends KubeObject>(name: string, subresource: string, options?: CallOptions): Promise<R>;
  /** POST to an action: eviction, token, binding. */
  createSubresource<R extends KubeObject>(
    name: string,
    subresource: string,
    body: object,
    options?: WriteOptions,
  ): Promise<R>;
}

/** What a component learns of its own writes: where its picture must have got to before it looks again. */
export interface WriteObserver {
  wrote(resource: ResourceKind, object: KubeObject): void;
  deleted(resource: ResourceKind, namespace: string, name: string): void;
}

const PAGE = 500;
const JSON_TYPE = "application/json";
const decoder = new TextDecoder();

export class TypedResourceClient<T extends KubeObject> implements ResourceClient<T> {
  readonly resource: ResourceKind;
  private readonly transport: Transport;
  private readonly headers: Readonly<Record<string, string>>;
  private readonly inNamespace: string;
  private readonly apiVersion: string;
  private readonly base: string;
  private readonly observer: WriteObserver | undefined;

  constructor(
    transport: Transport,
    resource: ResourceKind,
    namespace: string,
    headers: Readonly<Record<string, string>>,
    observer?: WriteObserver,
  ) {
    this.observer = observer;
    this.transport = transport;
    this.resource = resource;
    this.inNamespace = resource.scope === "Namespaced" ? namespace : "";
    this.headers = headers;
    this.apiVersion = apiVersionOf(resource);
    this.base = `/${resource.group === "" ? "api" : "apis"}/${this.apiVersion}`;
  }

  get lasting(): boolean {
    return this.transport.lasting === true;
  }

  namespace(namespace: string): ResourceClient<T> {
    return new TypedResourceClient<T>(this.transport, this.resource, namespace, this.headers, this.observer);
  }

  get(name: string, options: GetOptions = {}): Promise<T> {
    const { signal } = options;
    return this.send({ method: "GET", path: this.path(name), query: queryOf({ ...options }), signal });
  }

  async list(options: ListOptions = {}): Promise<ObjectList<T>> {
    const query = queryOf({ ...options });
    const path = this.path();
    const list = await this.send<ObjectList<T>>({ method: "GET", path, query, signal: options.signal });
    list.items ??= [];
    // Lists leave out what every item shares.
    for (const item of list.items) {
      item.kind ??= this.resource.kind;
      item.apiVersion ??= this.apiVersion;
    }
    return list;
  }

  async listAll(options: ListOptions = {}): Promise<ObjectList<T>> {
    const limit = options.limit ?? PAGE;
    const all = await this.list({ ...options, limit });
    const { labelSelector, fieldSelector, signal } = options;
    for (let next = all.metadata.continue; next; ) {
      const page = await this.list({ labelSelector, fieldSelector, signal, limit, continue: next });
      for (const item of page.items) all.items.push(item);
      next = page.metadata.continue;
    }
    return { metadata: { resourceVersion: all.metadata.resourceVersion }, items: all.items };
  }

  create(object: Given<T>, options: WriteOptions & Unread): Promise<void>;
  create(object: Given<T>, options?: WriteOptions): Promise<T>;
  create(object: Given<T>, options: WriteOptions = {}): Promise<T | void> {
    const path = this.path(undefined, undefined, object.metadata.namespace);
    return this.write("POST", path, this.complete(object), options);
  }

  update(object: Given<T>, options: SubresourceOptions = {}): Promise<T> {
    const { name = "", namespace } = object.metadata;
    const path = this.path(name, options.subresource, namespace);
    return this.write("PUT", path, this.complete(object), options);
  }

  updateStatus(object: Given<T>, options: WriteOptions = {}): Promise<T> {
    return this.update(object, { ...options, subresource: "status" });
  }

  patch(name: string, patch: unknown, options: PatchOptions & Unread): Promise<void>;
  patch(name: string, patch: unknown, options: PatchOptions): Promise<T>;
  patch(name: string, patch: unknown, options: PatchOptions): Promise<T | void> {
    const path = this.path(name, options.subresource);
    return this.write("PATCH", path, patch, options, PATCH_CONTENT[options.type]);
  }

  apply(
    object: { metadata: { name: string; namespace?: string } } & Record<string, unknown>,
    options: SubresourceOptions & { fieldManager: string; force?: boolean },
  ): Promise<T> {
    const { name, namespace } = object.metadata;
    const path = this.path(name, options.subresource, namespace);
    return this.write("PATCH", path, this.complete(object as never), options, PATCH_CONTENT.apply);
  }

  delete(name: string, options: DeleteOptions & Unread): Promise<void>;
  delete(name: string, options?: DeleteOptions): Promise<KubeObject>;
  async delete(name: string, options: DeleteOptions = {}): Promise<KubeObject | void> {
    const { signal, unread } = options;
    const body = deleteBody(options);
    const headers = body === undefined ? undefined : { "content-type": JSON_TYPE };
    const request = { method: "DELETE", path: this.path(name), body, headers, signal };
    const answer = unread
      ? await this.exchange({ ...request, unread }).then(() => {})
      : await this.send<KubeObject>(request);
    this.observer?.deleted(this.resource, this.inNamespace, name);
    return answer;
  }

  async deleteCollection(options: SelectOptions & DeleteOptions = {}): Promise<void> {
    const { labelSelector, fieldSelector, signal } = options;
    const query = queryOf({ labelSelector, fieldSelector });
    const body = deleteBody(options);
    const headers = body === undefined ? undefined : { "content-type": JSON_TYPE };
    await this.send({ method: "DELETE", path: this.path(), query, body, headers, signal });
  }

  async *watch(options: WatchOptions = {}): AsyncGenerator<WatchEvent<T>> {
    const stream = await this.transport.stream({
      method: "GET",
      path: this.path(),
      query: queryOf({ ...options }, true),
      headers: this.headers,
      signal: options.signal,
      shared: options.shared,
    });
    try {
      if (stream.status !== 200) {
        const parts: Uint8Array[] = [];
        for await (const chunk of stream.body) if (chunk instanceof Uint8Array) parts.push(chunk);
        throw errorFromAnswer({ ...stream, body: concatenated(parts) });
      }
      const reader = new LineReader();
      // One generator for chunks, lines and events: each more would add turns to every event.
      for await (const chunk of stream.body) {
        if (!(chunk instanceof Uint8Array)) yield chunk as WatchEvent<T>;
        else for (const line of reader.read(chunk)) yield parseEvent<T>(line);
      }
    } finally {
      stream.close();
    }
  }

  getSubresource<R extends KubeObject>(name: string, subresource: string, options: CallOptions = {}) {
    return this.send<R>({ method: "GET", path: this.path(name, subresource), signal: options.signal });
  }

  createSubresource<R extends KubeObject>(
    name: string,
    subresource: string,
    body: object,
    options: WriteOptions = {},
  ): Promise<R> {
    return this.write("POST", this.path(name, subresource), body, options);
  }

  private complete(object: Given<T>): object {
    const { kind } = this.resource;
    return object.kind && object.apiVersion ? object : { apiVersion: this.apiVersion, kind, ...object };
  }

  private async write<R>(
    method: string,
    path: string,
    value: unknown,
    options: WriteOptions & { force?: boolean },
    type = JSON_TYPE,
  ): Promise<R> {
    const { dryRun, fieldManager, fieldValidation, force, signal, unread } = options;
    const query = queryOf({ dryRun, fieldManager, fieldValidation, force });
    const headers = { "content-type": type };
    const request = { method, path, query, body: JSON.stringify(value), headers, signal };
    if (unread && !this.observer) {
      await this.exchange({ ...request, unread });
      return undefined as R;
    }
    const answer = await this.send<R>(request);
    if (this.observer && !dryRun) this.observer.wrote(this.resource, answer as KubeObject);
    return answer;
  }

  private async send<R>(request: TransportRequest): Promise<R> {
    const { body } = await this.exchange(request);
    return JSON.parse(decoder.decode(body)) as R;
  }

  private async exchange(request: TransportRequest): Promise<TransportResponse> {
    const headers = request.headers ? { ...this.headers, ...request.headers } : this.headers;
    const answer = await this.transport.request({ ...request, headers });
    if (answer.status >= 400) throw errorFromAnswer(answer);
    return answer;
  }

  private path(name?: string, subresource?: string, namespace = this.inNamespace): string {
    const { scope, plural } = this.resource;
    let path = this.base;
    if (scope === "Namespaced" && namespace !== "") path += `/namespaces/${encodeURIComponent(namespace)}`;
    path += `/${plural}`;
    if (name === undefined) return path;
    if (name === "") throw new TypeError(`${plural}: an object is asked for by a name that is not empty`);
    if (scope === "Namespaced" && namespace === "") {
      throw new TypeError(
        `${plural} are in namespaces: choose one, as in resource(${this.resource.kind}, "default")`,
      );
    }
    path += `/${encodeURIComponent(name)}`;
    return subresource ? `${path}/${subresource}` : path;
  }
}
