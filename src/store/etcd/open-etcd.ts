import { randomUUID } from "node:crypto";
import { link, open as openFile, rm } from "node:fs/promises";
import { type Clock, systemClock } from "../../base/clock.ts";
import { GrpcClient, GrpcError, type GrpcOptions, UNAVAILABLE } from "../../host/grpc/grpc-client.ts";
import {
  Compacted,
  type Entry,
  FutureRevision,
  type Observer,
  type Outcome,
  type Page,
  type Revision,
  type Span,
  type Store,
  type StoreStatus,
  StoreUnavailable,
  ValueTooLarge,
  type Watch,
  type Write,
} from "../store.ts";
import { EtcdWatch } from "./etcd-watch.ts";
import { LeasePool } from "./lease-pool.ts";
import * as messages from "./messages.ts";

export interface EtcdOptions {
  /** `http://host:2379` or `https://…`, of all members. */
  endpoints: readonly string[];
  /** The CA of the servers, and the client's certificate and key (PEM). */
  tls?: GrpcOptions["tls"];
  clock?: Clock;
  timeoutMs?: number;
  /** The longest value taken; etcd's own limit is on the whole request. */
  maxValue?: number;
}

const MAX_VALUE = 1_572_864 - 4096;
const PAGE = 10_000;

/** A Store in an etcd cluster, 3.4 or newer. Throws StoreUnavailable when none of its servers can be reached. */
export async function openEtcd(options: EtcdOptions): Promise<Store> {
  const store = new EtcdStore(options);
  try {
    await store.current();
  } catch (error) {
    await store[Symbol.asyncDispose]();
    throw error;
  }
  return store;
}

class EtcdStore implements Store {
  /** Others write, too. */
  readonly latest = undefined;
  readonly #client: GrpcClient;
  readonly #clock: Clock;
  readonly #attempts: number;
  readonly #maxValue: number;
  readonly #leases: LeasePool;
  readonly #watches = new Set<EtcdWatch>();
  #compacted: Revision = 0;
  #closed = false;
  readonly #underWay = new Set<Promise<unknown>>();

  constructor(options: EtcdOptions) {
    const { endpoints, tls, timeoutMs = 10_000 } = options;
    this.#client = new GrpcClient({ peer: "etcd", endpoints, timeoutMs, ...(tls ? { tls } : {}) });
    this.#clock = options.clock ?? systemClock;
    this.#attempts = endpoints.length + 1;
    this.#maxValue = options.maxValue ?? MAX_VALUE;
    this.#leases = new LeasePool(this.#clock, async (seconds) =>
      messages.readLease(await this.#call(messages.METHODS.leaseGrant, messages.leaseRequest(seconds), true)),
    );
  }

  async current(): Promise<Revision> {
    return messages.readRange(await this.#read(messages.headerRequest())).revision;
  }

  async get(key: string): Promise<Entry | undefined> {
    return messages.readRange(await this.#read(messages.getRequest(key))).entries[0];
  }

  async range(span: Span, { limit = 0, at = 0 }: { limit?: number; at?: Revision } = {}): Promise<Page> {
    const page: Page = { at, entries: [], more: true };
    let from = span.from;
    while (page.more && (limit === 0 || page.entries.length < limit)) {
      const want = limit === 0 ? PAGE : Math.min(PAGE, limit - page.entries.length);
      const part = await this.#readAt(
        messages.rangeRequest({ from, to: span.to }, { limit: want, at: page.at }),
        at,
      );
      if (page.at === 0) page.at = part.revision;
      for (const entry of part.entries) page.entries.push(entry);
      page.more = part.more;
      from = `${part.entries.at(-1)?.key}\0`;
    }
    return page;
  }

  async #readAt(request: Buffer, at: Revision): Promise<ReturnType<typeof messages.readRange>> {
    try {
      return messages.readRange(await this.#read(request));
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined;
      if (!(cause instanceof GrpcError)) throw error;
      if (cause.message === messages.COMPACTED) throw new Compacted(Math.max(at, this.#compacted));
      if (cause.message === messages.FUTURE) throw new FutureRevision(await this.current());
      throw error;
    }
  }

  async write(write: Write): Promise<Outcome> {
    if (this.#closed) throw closedError();
    const { key, value, ttl } = write;
    if (!key.isWellFormed()) throw new TypeError("a key must be well-formed Unicode");
    if (value && value.length > this.#maxValue) throw tooLarge(value, this.#maxValue);
    // Taken now: the caller may go on to use its buffer.
    const now = value && ttl ? { ...write, value: Uint8Array.from(value) } : write;
    const encoded = ttl && value ? undefined : messages.txnRequest(now, undefined);
    const request = encoded ?? messages.txnRequest(now, await this.#leases.lease(ttl!));
    try {
      const { won, revision, now } = messages.readTxn(await this.#call(messages.METHODS.txn, request, false));
      return won ? { won: true, at: revision } : { won: false, now };
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined;
      if (value && cause instanceof GrpcError && cause.message === messages.TOO_LARGE) {
        throw tooLarge(value, this.#maxValue);
      }
      throw error;
    }
  }

  async watch(span: Span, after: Revision, observer: Observer): Promise<Watch> {
    if (this.#closed) throw closedError();
    const watch = new EtcdWatch(this.#client, this.#clock, { span, after, observer }, (over) =>
      this.#watches.delete(over),
    );
    this.#watches.add(watch);
    await watch.start();
    return { close: () => watch.close(), askProgress: () => watch.askProgress() };
  }

  async compact(upTo: Revision): Promise<void> {
    try {
      await this.#call(messages.METHODS.compact, messages.compactRequest(upTo), true);
    } catch (error) {
      const cause = error instanceof Error ? error.cause : undefined;
      if (cause instanceof GrpcError && cause.message === messages.FUTURE) {
        throw new FutureRevision(await this.current());
      }
      // Another API server may have been faster.
      if (!(cause instanceof GrpcError) || cause.message !== messages.COMPACTED) throw error;
    }
    this.#compacted = Math.max(this.#compacted, upTo);
  }

  /** In etcd's own form: to be restored by `etcdutl snapshot restore`. */
  async snapshot(path: string): Promise<void> {
    if (this.#closed) throw closedError();
    const partial = `${path}.${randomUUID()}`;
    const file = await openFile(partial, "wx", 0o600);
    try {
      try {
        let writing: Promise<unknown> = Promise.resolve();
        const done = Promise.withResolvers<void>();
        const stream = await this.#client.stream(messages.METHODS.snapshot, {
          message: (bytes) => {
            writing = writing.then(() => file.writeFile(messages.readSnapshot(bytes)));
            writing.catch(() => {});
          },
          ended: (error) => (error ? done.reject(unavailable(error)) : done.resolve()),
        });
        stream.send(Buffer.alloc(0));
        stream.finish();
        await done.promise;
        await writing;
        await file.sync();
      } finally {
        await file.close();
      }
      await link(partial, path);
    } finally {
      await rm(partial, { force: true });
    }
  }

  async status(): Promise<StoreStatus> {
    const answer = await this.#call(messages.METHODS.status, Buffer.alloc(0), true);
    const { revision, size } = messages.readStatus(answer);
    return { backend: "etcd", revision, compacted: this.#compacted, size };
  }

  #read(request: Buffer): Promise<Buffer> {
    return this.#call(messages.METHODS.range, request, true);
  }

  /** `again` says that the call may be repeated although a lost one may have been carried out. */
  async #call(method: string, request: Buffer, again: boolean): Promise<Buffer> {
    if (this.#closed) throw closedError();
    for (let attempt = 1; ; attempt++) {
      const call = this.#client.call(method, request);
      this.#underWay.add(call);
      try {
        return await call;
      } catch (error) {
        if (!(error instanceof GrpcError)) throw error;
        const repeat = error.code === UNAVAILABLE && (again || error.unsent);
        if (!repeat || attempt >= this.#attempts || this.#closed) throw unavailable(error);
      } finally {
        this.#underWay.delete(call);
      }
    }
  }

  /** Calls under way are waited for. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    for (const watch of [...this.#watches]) watch.fail(closedError());
    await Promise.allSettled(this.#underWay);
    this.#client.close();
  }
}

function closedError(): StoreUnavailable {
  return new StoreUnavailable("the store is closed");
}

function tooLarge(value: Uint8Array, limit: number): ValueTooLarge {
  return new ValueTooLarge(`a value of ${value.length} bytes is too large: the store takes up to ${limit}`);
}

/** What the server refused for a reason did not happen; what got no answer may have. */
const REFUSALS = new Set([3, 7, 8, 9, 11, 16]);

function unavailable(error: GrpcError): StoreUnavailable {
  const maybe = !error.unsent && !REFUSALS.has(error.code);
  return new StoreUnavailable(`etcd: ${error.message}`, { maybe, cause: error });
}
