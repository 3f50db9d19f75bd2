import type { Clock } from "../../base/clock.ts";
import type { GrpcClient, GrpcError, GrpcStream } from "../../host/grpc/grpc-client.ts";
import { Compacted, type Observer, type Revision, type Span, StoreUnavailable } from "../store.ts";
import { METHODS, PROGRESS_REQUEST, readWatch, type WatchResponse, watchRequest } from "./messages.ts";

const FIRST_PAUSE = 50;
const LONGEST_PAUSE = 5000;

/** One watch on a stream of its own. When the stream breaks it starts another where the last one came to. */
export class EtcdWatch {
  readonly #client: GrpcClient;
  readonly #clock: Clock;
  readonly #span: Span;
  readonly #observer: Observer;
  /** Everything up to here was told. */
  #told: Revision;
  #stream: GrpcStream | undefined;
  #over = false;
  #pause = FIRST_PAUSE;
  #cancelPause: () => void = () => {};
  readonly #ready = Promise.withResolvers<void>();
  readonly #ended: (watch: EtcdWatch) => void;

  constructor(
    client: GrpcClient,
    clock: Clock,
    want: { span: Span; after: Revision; observer: Observer },
    ended: (watch: EtcdWatch) => void,
  ) {
    this.#client = client;
    this.#clock = clock;
    this.#span = want.span;
    this.#told = want.after;
    this.#observer = want.observer;
    this.#ended = ended;
  }

  /** Resolves once etcd has taken the watch. */
  start(): Promise<void> {
    this.#connect();
    return this.#ready.promise;
  }

  close(): void {
    if (this.#over) return;
    this.#over = true;
    this.#cancelPause();
    this.#stream?.close();
    this.#ready.reject(new StoreUnavailable("the watch was closed"));
    // Nobody may be waiting any more.
    this.#ready.promise.catch(() => {});
    this.#ended(this);
  }

  askProgress(): void {
    this.#stream?.send(PROGRESS_REQUEST);
  }

  fail(error: Error): void {
    if (this.#over) return;
    this.close();
    this.#observer.failed(error);
  }

  #connect(): void {
    const handler = {
      message: (bytes: Buffer) => {
        if (!this.#over) this.#heard(readWatch(bytes));
      },
      ended: (error: GrpcError | undefined) => this.#again(error),
    };
    this.#client.stream(METHODS.watch, handler, { hasleader: "true" }).then(
      (stream) => {
        this.#stream = stream;
        if (this.#over) stream.close();
        else stream.send(watchRequest(this.#span, this.#told + 1));
      },
      (error: GrpcError) => this.#again(error),
    );
  }

  #heard(response: WatchResponse): void {
    if (response.compacted > 0) {
      this.fail(new Compacted(response.compacted));
      return;
    }
    if (response.canceled) {
      // Above all for want of a leader: another server may have one.
      this.#stream?.close();
      return;
    }
    if (response.created) {
      this.#pause = FIRST_PAUSE;
      this.#ready.resolve();
      return;
    }
    try {
      this.#tell(response);
    } catch (error) {
      this.fail(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #tell({ changes, revision }: WatchResponse): void {
    if (changes.length === 0) {
      // Never a reason to leave out a change: older servers tell of progress before all changes (etcd-io/etcd#15220).
      if (revision > this.#told) this.#observer.progressed?.(revision);
      return;
    }
    // A server that lags behind must not take the watch back in time (etcd-io/etcd#15271, #20221).
    const fresh = changes[0]!.at > this.#told ? changes : changes.filter((change) => change.at > this.#told);
    if (fresh.length === 0) return;
    this.#told = fresh.at(-1)!.at;
    this.#observer.changed(fresh, this.#told);
  }

  #again(_error: GrpcError | undefined): void {
    if (this.#over) return;
    this.#stream = undefined;
    this.#cancelPause = this.#clock.setTimer(this.#pause, () => this.#connect());
    this.#pause = Math.min(this.#pause * 2, LONGEST_PAUSE);
  }
}
