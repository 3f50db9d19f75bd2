/**
 * GET ?watch: what there is, where the client asks for it, and then every change in order.
 *
 *   snapshot at R ──▶ ADDED … (with back-pressure) ──▶ bookmark, where asked ──▶ events after R, as they come
 *
 * A client that does not keep up is cut off once it has more than a budget of bytes waiting; it resumes from the last
 * revision that it saw.
 */

import type { KubeObject } from "../../api/object.ts";
import { PROTOBUF_TYPE, PROTOBUF_WATCH_TYPE } from "../../machinery/protobuf/envelope.ts";
import { encodeWatchEvent } from "../../machinery/protobuf/protobuf.ts";
import { badRequest, expired, internalError, type StatusError } from "../../machinery/status/status-error.ts";
import type { ResponseStream } from "../http/exchange.ts";
import { parseRevision, waitFor } from "../registry/list.ts";
import type { Registry } from "../registry/registry.ts";
import { type CacheEvent, type EventType, jsonEvent } from "../watch-cache/cache-event.ts";
import type { CachedObject } from "../watch-cache/cached-object.ts";
import { type Selection, selects } from "../watch-cache/selection.ts";
import type { Watcher } from "../watch-cache/watchers.ts";
import type { ApiRequest } from "./api-request.ts";
import type { Bookmarked, Bookmarks } from "./bookmarks.ts";
import type { Endpoints } from "./endpoint.ts";
import {
  contentTypeOf,
  type Form,
  isPlain,
  objectBytes,
  shownBookmark,
  valueBytes,
} from "./representation.ts";

/** Bytes that may wait for one client. */
const BUDGET = 8 * 1024 * 1024;

export interface WatchOptions {
  resourceVersion: string;
  bookmarks: boolean;
  sendInitialEvents: boolean | undefined;
  /** Seconds until the server ends the watch. */
  timeout: number;
}

export const INITIAL_EVENTS_END = "k8s.io/initial-events-end";

export async function serveWatch(
  { registry, timers, bookmarks }: Endpoints,
  request: ApiRequest,
  form: Form,
  selection: Selection,
  options: WatchOptions,
): Promise<void> {
  const version = options.resourceVersion;
  const fromNow = version === "" || version === "0";
  if (!fromNow && options.sendInitialEvents !== undefined) await waitFor(registry, parseRevision(version));
  if (version === "") await registry.cache.fresh();
  const after = fromNow || options.sendInitialEvents ? undefined : parseRevision(version);
  const stream = request.open(200, request.headers(watchType(form)));
  const watch = new ClientWatch(registry, stream, form, selection, options.bookmarks);
  request.exchange.onClose(() => watch.close());
  const cancel = timers.setTimer(options.timeout * 1000, () => watch.end());
  request.exchange.onClose(cancel);
  await watch.start(
    after,
    fromNow ? options.sendInitialEvents !== false : options.sendInitialEvents === true,
    options,
    request,
  );
  if (options.bookmarks) watch.keepBookmarking(bookmarks);
}

function watchType(form: Form): string {
  const type = contentTypeOf(form);
  return type === PROTOBUF_TYPE ? PROTOBUF_WATCH_TYPE : type;
}

class ClientWatch implements Watcher, Bookmarked {
  readonly selection: Selection;
  private readonly registry: Registry;
  private readonly stream: ResponseStream;
  private form: Form;
  /** What the encodings of an event are shared by. */
  private key: string;
  private readonly plain: boolean;
  readonly shares: boolean;
  private readonly bookmarks: boolean;
  private over = false;
  private bookmarked: Bookmarks | undefined;
  private seen = 0;
  told = 0;

  constructor(
    registry: Registry,
    stream: ResponseStream,
    form: Form,
    selection: Selection,
    bookmarks: boolean,
  ) {
    this.registry = registry;
    this.stream = stream;
    this.form = form;
    this.selection = selection;
    this.plain = isPlain(form);
    this.shares = this.plain && stream.event !== undefined;
    this.bookmarks = bookmarks;
    const { accepted, served, include } = form;
    this.key = this.plain
      ? ""
      : `${served.apiVersion}/${accepted.format}/${accepted.as ?? ""}/${accepted.version ?? ""}/${include}/`;
  }

  async start(
    after: number | undefined,
    initial: boolean,
    options: WatchOptions,
    request: ApiRequest,
  ): Promise<void> {
    // A client that has left already is told nothing, and nobody would take its watcher away again.
    if (this.over) return;
    const cache = this.registry.cache.cache(this.form.served.resource);
    let from = after ?? this.registry.cache.revision;
    if (initial) {
      const picture = cache.objects;
      from = this.registry.cache.revision;
      await this.sendAll(picture);
      if (this.over) return;
      if (options.sendInitialEvents && this.bookmarks) {
        this.mark(from, true);
        request.initialEventsSent?.();
      }
    }
    this.seen = from;
    this.told = after ?? (initial && options.sendInitialEvents && this.bookmarks ? from : 0);
    const oldest = cache.watch(this, from);
    if (oldest !== undefined) {
      this.failed(expired(`too old resource version: ${from} (${oldest})`));
    }
  }

  offer(event: CacheEvent): void {
    if (this.over || event.at <= this.seen) return;
    const was = event.was !== undefined && selects(this.selection, event.was);
    const now = !event.deleted && selects(this.selection, event.object);
    const type = event.typeFor(was, now);
    if (type === undefined) return;
    if (this.shares) this.stream.event!(type, event.shown(type).object);
    else this.send(event.bytes(this.key, type, this.encode));
    this.told = event.at;
    if (!this.plain) this.named();
  }

  /** A Table names its columns once. */
  private named(): void {
    if (this.form.accepted.as !== "Table" || this.form.bare) return;
    this.form = { ...this.form, bare: true };
    this.key += "bare/";
  }

  progressed(): void {}

  failed(error: Error): void {
    if (this.over) return;
    const status = (error as Partial<StatusError>).toStatus
      ? (error as StatusError)
      : internalError(error.message);
    this.send(this.frame("ERROR", { value: status.toStatus(), definition: "meta.v1.Status" }));
    this.end();
  }

  /** Ends the watch as a server does whose time is up. */
  end(): void {
    if (this.over) return;
    this.close();
    this.stream.end();
  }

  close(): void {
    this.over = true;
    this.bookmarked?.delete(this);
    this.registry.cache.cache(this.form.served.resource).watchers.delete(this);
  }

  keepBookmarking(bookmarks: Bookmarks): void {
    if (this.over) return;
    this.bookmarked = bookmarks;
    bookmarks.add(this);
  }

  bookmark(revision: number): void {
    this.told = revision;
    this.mark(revision, false);
  }

  private async sendAll(objects: {
    visit: (from: string, to: string, visit: (o: CachedObject) => boolean) => void;
  }): Promise<void> {
    const chosen: CachedObject[] = [];
    objects.visit("", "", (object) => {
      if (selects(this.selection, object)) chosen.push(object);
      return true;
    });
    for (const object of chosen) {
      if (this.over) return;
      if (this.shares) {
        this.stream.event!("ADDED", object.object);
        continue;
      }
      const bytes = this.encode("ADDED", object);
      this.named();
      if (this.stream.write(bytes)) continue;
      await this.stream.drained().catch(() => this.close());
    }
  }

  private readonly encode = (type: EventType, object: CachedObject): Uint8Array => {
    if (this.plain) return jsonEvent(type, object.json);
    const bytes = objectBytes(this.form, object);
    return this.framed(type, bytes);
  };

  private mark(revision: number, initialEventsEnd: boolean): void {
    const { served } = this.form;
    const metadata: KubeObject["metadata"] = { resourceVersion: String(revision) };
    if (initialEventsEnd) metadata.annotations = { [INITIAL_EVENTS_END]: "true" };
    const mark = { kind: served.kind, apiVersion: served.apiVersion, metadata };
    this.send(this.frame("BOOKMARK", shownBookmark(this.form, mark)));
    this.named();
  }

  private frame(type: string, shown: { value: object; definition: string }): Uint8Array {
    return this.framed(type, valueBytes({ ...this.form, pretty: false }, shown));
  }

  private framed(type: string, object: Uint8Array | string): Uint8Array {
    const bytes = typeof object === "string" ? Buffer.from(object) : object;
    if (this.form.accepted.format === "protobuf" && contentTypeOf(this.form) !== "application/json") {
      return encodeWatchEvent(type, bytes);
    }
    return Buffer.concat([Buffer.from(`{"type":"${type}","object":`), bytes, Buffer.from("}\n")]);
  }

  private send(bytes: Uint8Array): void {
    this.stream.write(bytes);
    if (this.stream.pending > BUDGET) {
      this.close();
      this.stream.destroy();
    }
  }
}

export function watchTimeout(asked: string | null, random: (limit: number) => number): number {
  if (asked !== null && asked !== "" && !/^-?[0-9]{1,18}$/.test(asked)) {
    throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(asked)}: invalid syntax`);
  }
  const seconds = Number(asked ?? 0);
  return Number.isInteger(seconds) && seconds > 0 ? seconds : 1800 + random(1800);
}
