/** A few lines of an API server, for tests of what talks to one: config maps, a history, and watches that can be cut. */
import type { ConfigMap } from "../../api/core/config-map.ts";
import { expired } from "../../machinery/status/status-error.ts";
import type { Dispatch, DispatchAnswer } from "../transports/in-process-transport.ts";

interface Event {
  at: number;
  type: "ADDED" | "MODIFIED" | "DELETED";
  object: ConfigMap;
}

interface Watch {
  answer: DispatchAnswer;
  after: number;
}

const encoder = new TextEncoder();

export class FakeServer {
  revision = 100;
  readonly objects = new Map<string, ConfigMap>();
  readonly requests: {
    method: string;
    url: string;
    headers: Readonly<Record<string, string>>;
    body: unknown;
  }[] = [];
  /** Answers watches that ask for initial events with 422, as servers do that cannot stream lists. */
  streamsLists = true;
  /** What another status than 200 says, for every request. */
  refusal: { status: number; body: string } | undefined;
  /** Cuts an encoded event into the pieces it is sent in; may end the watch in between by sending `undefined`. */
  cut: (bytes: Uint8Array) => (Uint8Array | undefined)[] = (bytes) => [bytes];
  private events: Event[] = [];
  private watches = new Set<Watch>();
  private compacted = 0;

  get watching(): number {
    return this.watches.size;
  }

  readonly dispatch: Dispatch = ({ method, url, headers, body }, answer) => {
    this.requests.push({ method, url, headers, body });
    const query = new URLSearchParams(url.slice(url.indexOf("?") + 1));
    if (this.refusal) this.respond(answer, this.refusal.status, this.refusal.body);
    else if (query.get("watch") === "true") return this.watch(query, answer);
    else if (method === "GET") this.list(query, answer);
    else this.respond(answer, 200, JSON.stringify({ kind: "Status", status: "Success" }));
    return () => {};
  };

  put(name: string, value: string): void {
    const was = this.objects.get(name);
    const resourceVersion = String(++this.revision);
    const object: ConfigMap = {
      apiVersion: "v1",
      kind: "ConfigMap",
      metadata: { namespace: "default", name, resourceVersion },
      data: { value },
    };
    this.objects.set(name, object);
    this.happened({ at: this.revision, type: was ? "MODIFIED" : "ADDED", object });
  }

  remove(name: string): void {
    const was = this.objects.get(name);
    if (!was) return;
    this.objects.delete(name);
    const metadata = { ...was.metadata, resourceVersion: String(++this.revision) };
    this.happened({ at: this.revision, type: "DELETED", object: { ...was, metadata } });
  }

  bookmark(): void {
    const metadata = { resourceVersion: String(this.revision) };
    for (const { answer } of this.watches) {
      answer.data(line("BOOKMARK", { kind: "ConfigMap", apiVersion: "v1", metadata }));
    }
  }

  /** Ends every watch and forgets the past. */
  compact(): void {
    this.compacted = this.revision;
    this.events = [];
    this.endWatches();
  }

  endWatches(): void {
    for (const watch of [...this.watches]) this.end(watch);
  }

  private happened(event: Event): void {
    this.events.push(event);
    for (const watch of [...this.watches]) this.send(watch, event);
  }

  private watch(query: URLSearchParams, answer: DispatchAnswer): () => void {
    const initial = query.get("sendInitialEvents") === "true";
    if (initial && !this.streamsLists) {
      this.respond(
        answer,
        422,
        JSON.stringify({ kind: "Status", reason: "Invalid", message: "no", code: 422 }),
      );
      return () => {};
    }
    answer.headers(200, { "content-type": "application/json" });
    const after = initial ? this.revision : Number(query.get("resourceVersion"));
    if (after < this.compacted) {
      answer.data(line("ERROR", expired("too old resource version")));
      answer.end();
      return () => {};
    }
    const watch = { answer, after };
    this.watches.add(watch);
    if (initial) {
      for (const object of this.objects.values()) answer.data(line("ADDED", object));
      const metadata = {
        resourceVersion: String(this.revision),
        annotations: { "k8s.io/initial-events-end": "true" },
      };
      answer.data(line("BOOKMARK", { kind: "ConfigMap", apiVersion: "v1", metadata }));
    }
    for (const event of this.events) if (event.at > after) this.send(watch, event);
    return () => this.watches.delete(watch);
  }

  private send(watch: Watch, { type, object }: Event): void {
    if (!this.watches.has(watch)) return;
    for (const piece of this.cut(line(type, object))) {
      if (piece) watch.answer.data(piece);
      else {
        this.end(watch);
        return;
      }
    }
  }

  private end(watch: Watch): void {
    this.watches.delete(watch);
    watch.answer.end();
  }

  private list(query: URLSearchParams, answer: DispatchAnswer): void {
    const limit = Number(query.get("limit") ?? 0) || Number.POSITIVE_INFINITY;
    const from = Number(query.get("continue") ?? 0);
    const all = [...this.objects.values()];
    const more = from + limit < all.length;
    const metadata = {
      resourceVersion: String(this.revision),
      ...(more ? { continue: String(from + limit) } : {}),
    };
    // As lists are on the wire: without what every item shares.
    const items = all.slice(from, from + limit).map(({ metadata, data }) => ({ metadata, data }));
    this.respond(answer, 200, JSON.stringify({ kind: "ConfigMapList", apiVersion: "v1", metadata, items }));
  }

  private respond(answer: DispatchAnswer, status: number, body: string): void {
    answer.headers(status, { "content-type": "application/json" });
    answer.data(encoder.encode(body));
    answer.end();
  }
}

function line(type: string, object: unknown): Uint8Array {
  return encoder.encode(`${JSON.stringify({ type, object })}\n`);
}
