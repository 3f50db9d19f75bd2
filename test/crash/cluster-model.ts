/** What a client knows of the config maps it writes: what a server must show after it was killed and started again. */
import assert from "node:assert/strict";
import type { ServerProcess, Shown, WatchEvent } from "./server-process.ts";

const MAPS = "/api/v1/namespaces/default/configmaps";
const KEYS = 40;

interface Known {
  /** Of the last acknowledged write; 0 before the first. */
  revision: number;
  /** Undefined where the object is not there. */
  value: string | undefined;
  /** A write whose answer never came. */
  pending?: { value: string | undefined };
  busy: boolean;
}

interface Acknowledged {
  name: string;
  type: string;
  revision: number;
}

export class ClusterModel {
  acknowledged = 0;
  /** Writes whose answer never came. */
  unknown = 0;
  resumed = 0;
  expired = 0;
  endedProperly = false;
  private readonly known = new Map<string, Known>();
  private count = 0;
  /** The newest revision that any answer or event had. */
  private newest = 0;
  /** Of the last event of a watch, or of the list before it; where the next one goes on. */
  private seen = 0;
  private writes: Acknowledged[] = [];
  private events: Acknowledged[] = [];

  /** One create, update or delete of an object that no other write is about. */
  async write(server: ServerProcess): Promise<void> {
    const name = `map-${this.count % KEYS}`;
    const was = this.known.get(name) ?? { revision: 0, value: undefined, busy: false };
    if (was.busy) return;
    const value = was.value !== undefined && this.count % 7 === 0 ? undefined : `value-${this.count}`;
    this.count++;
    this.known.set(name, { ...was, busy: true });
    const body = { metadata: { name }, data: { value, filling: "x".repeat((this.count * 131) % 9000) } };
    const [type, method, path] =
      value === undefined
        ? ["DELETED", "DELETE", `${MAPS}/${name}`]
        : was.value === undefined
          ? ["ADDED", "POST", MAPS]
          : ["MODIFIED", "PUT", `${MAPS}/${name}`];
    let object: Shown;
    try {
      object = await server.ok(method, path, value === undefined ? undefined : body);
    } catch (error) {
      // An answer that is a refusal is a failure of the test; a broken connection leaves it open what was done.
      if (error instanceof assert.AssertionError) throw error;
      this.unknown++;
      this.known.set(name, { ...was, busy: false, pending: { value } });
      return;
    }
    this.acknowledged++;
    const revision = value === undefined ? 0 : Number(object.metadata.resourceVersion);
    assert.ok(revision === 0 || revision > was.revision, `${name} went back`);
    this.newest = Math.max(this.newest, revision);
    if (revision > 0) this.writes.push({ name, type, revision });
    this.known.set(name, { revision, value, busy: false });
  }

  /** Watches from where the last watch ended until the server is gone. */
  async follow(server: ServerProcess): Promise<void> {
    const query = `watch=true&resourceVersion=${this.seen}`;
    const { properly } = await server.watch(`${MAPS}?${query}`, (event) => this.told(event));
    this.endedProperly = properly;
  }

  private told({ type, object }: WatchEvent): void {
    assert.notEqual(type, "ERROR", JSON.stringify(object));
    const revision = Number(object.metadata.resourceVersion);
    assert.ok(revision > this.seen, `revision ${revision} came after ${this.seen}`);
    this.seen = revision;
    this.events.push({ name: object.metadata.name, type, revision });
  }

  /** Holds a server that has just started against everything known, and takes over what was left open. */
  async check(server: ServerProcess): Promise<void> {
    this.checkEvents();
    const list = await server.ok("GET", MAPS);
    const revision = Number(list.metadata.resourceVersion);
    assert.ok(revision >= this.newest, `the revision went back from ${this.newest} to ${revision}`);
    const there = new Map((list.items ?? []).map((item) => [item.metadata.name, item]));
    for (const [name, known] of this.known) {
      this.known.set(name, held(name, known, there.get(name)));
      there.delete(name);
    }
    for (const name of there.keys()) assert.match(name, /^sentinel-/, "an object that nobody wrote");
    if (this.seen > 0) await this.resume(server);
    this.seen = Math.max(this.seen, revision);
    this.newest = Math.max(this.newest, this.seen);
    this.writes = [];
    this.events = [];
  }

  /** What was acknowledged up to the last event must have been told, each by an event of its own. */
  private checkEvents(): void {
    const told = new Map(this.events.map((event) => [event.revision, event]));
    for (const write of this.writes) {
      if (write.revision <= this.seen)
        assert.deepEqual(told.get(write.revision), write, "a gap in the watch");
    }
  }

  /** The watch from the last event on: without a gap up to what is written now, or told that it is Expired. */
  private async resume(server: ServerProcess): Promise<void> {
    const over = new AbortController();
    const name = `sentinel-${this.resumed + this.expired}`;
    const watching = server.watch(
      `${MAPS}?watch=true&resourceVersion=${this.seen}`,
      (event) => {
        if (over.signal.aborted) return;
        if (event.type === "ERROR") {
          assert.equal(event.object.code, 410);
          assert.equal(event.object.reason, "Expired");
          this.expired++;
          over.abort();
          return;
        }
        this.told(event);
        if (event.object.metadata.name !== name) return;
        this.checkEvents();
        this.resumed++;
        over.abort();
      },
      over.signal,
    );
    const sentinel = await server.ok("POST", MAPS, { metadata: { name } });
    await watching;
    assert.ok(over.signal.aborted, "the watch ended without a word");
    const revision = Number(sentinel.metadata.resourceVersion);
    assert.ok(revision > this.newest, "a new write got an old revision");
    this.newest = revision;
    this.seen = revision;
  }
}

/** What is known of an object once the server was looked at. */
function held(name: string, known: Known, object: Shown | undefined): Known {
  const revision = object ? Number(object.metadata.resourceVersion) : 0;
  const now: Known = { revision, value: object?.data?.value, busy: false };
  const { pending } = known;
  // What has a revision of its own was written after what was acknowledged: only the open write can have done that.
  const asAcknowledged = revision === known.revision && now.value === known.value;
  const asPending =
    pending !== undefined &&
    now.value === pending.value &&
    (pending.value === undefined || revision > known.revision);
  assert.ok(
    asAcknowledged || asPending,
    `${name} was acknowledged at ${known.revision} as ${known.value}, and is at ${revision} ${now.value}`,
  );
  return now;
}
