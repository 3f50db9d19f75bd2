/**
 * The queue by transcripts: each line is a command with what it shows (`>`), on a virtual clock.
 *
 *   add NAME [priority=N] [gated]      a pod without a node comes
 *   pop                                > the pod that is tried next, or nothing
 *   reject NAME PLUGIN…                the pod in flight found no node; `PLUGIN!` waits for something of its own
 *   fail NAME                          the attempt broke
 *   done NAME                          it was bound
 *   ungate NAME, touch NAME, remove NAME
 *   keep NAME, let NAME                a plugin keeps it out of the queue from now on; no longer
 *   reconsider NAME                    a plugin asks for another look at it
 *   change RESOURCE                    something else in the cluster changed
 *   pass SECONDS
 *   show                               > how many pods are where
 */
import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../../base/clock.ts";
import type { Plugin, RequeueHint } from "../framework/plugin.ts";
import { reject } from "../framework/rejection.ts";
import { makePod, makeProfile } from "../testing/make.ts";
import type { QueueEntry } from "./queue-entry.ts";
import { SchedulingQueue } from "./scheduling-queue.ts";

function resource(plural: string): RequeueHint["resource"] {
  return { group: "", version: "v1", kind: plural, plural, scope: "Cluster" };
}

/** Fit is helped by any node, Volumes by claims, Silent by everything, Gate and Own by changes of the pod itself. */
const PLUGINS: Record<string, Plugin> = {
  Gate: {
    preEnqueue: ({ spec }) =>
      spec?.schedulingGates?.length ? reject("Gate", "gated", "waiting for scheduling gates") : undefined,
    requeue: [],
  },
  Fit: { requeue: [{ resource: resource("nodes") }] },
  Volumes: { requeue: [{ resource: resource("claims") }] },
  Own: {
    requeue: [
      { resource: resource("pods"), mayHelp: ({ now, waiting }) => now?.metadata.uid === waiting.uid },
    ],
  },
  Broken: {
    requeue: [
      {
        resource: resource("nodes"),
        mayHelp: () => {
          throw new Error("a hint that fails");
        },
      },
    ],
  },
  Silent: {},
};

class Transcript {
  readonly clock: VirtualClock;
  readonly queue: SchedulingQueue;
  private readonly pods = new Map<string, ReturnType<typeof makePod>>();
  private readonly flying = new Map<string, QueueEntry>();
  private readonly kept = new Set<string>();
  private woken = 0;

  constructor(start = 0) {
    this.clock = new VirtualClock(start);
    const preEnqueue: Plugin["preEnqueue"] = ({ metadata }) =>
      this.kept.has(metadata.name!) ? reject("Keeper", "gated", "waiting for something") : undefined;
    const profile = makeProfile({ ...PLUGINS, Keeper: { preEnqueue, requeue: [] } });
    this.queue = new SchedulingQueue({
      clock: this.clock,
      profiles: new Map([[profile.name, profile]]),
      firstBackoff: 1000,
      longestBackoff: 10_000,
      longestUnschedulable: 300_000,
      ready: () => this.woken++,
      nominated: () => {},
    });
  }

  run(line: string): string | undefined {
    const [command = "", name = "", ...rest] = line.split(" ");
    switch (command) {
      case "add": {
        const priority = Number(rest.find((word) => word.startsWith("priority="))?.slice(9) ?? 0);
        const pod = makePod(name, { priority, gates: rest.includes("gated") ? ["a"] : [] });
        this.pods.set(name, pod);
        return void this.queue.add(pod);
      }
      case "pop": {
        const entry = this.queue.pop();
        if (entry) this.flying.set(entry.info.pod.metadata.name!, entry);
        return entry ? `${entry.info.pod.metadata.name} attempt ${entry.attempts}` : "nothing";
      }
      case "reject": {
        const rejectedBy = new Set(rest.map((plugin) => plugin.replace("!", "")));
        const pendingOn = new Set(
          rest.filter((plugin) => plugin.endsWith("!")).map((plugin) => plugin.slice(0, -1)),
        );
        return this.giveBack(name, { rejectedBy, pendingOn, failed: false });
      }
      case "fail":
        return this.giveBack(name, {
          rejectedBy: new Set<string>(),
          pendingOn: new Set<string>(),
          failed: true,
        });
      case "done":
        return void this.queue.done(this.flying.get(name)!);
      case "ungate":
      case "touch": {
        const was = this.pods.get(name)!;
        const metadata = { ...was.metadata, generation: was.metadata.generation! + 1 };
        const spec = { ...was.spec!, schedulingGates: command === "ungate" ? [] : was.spec!.schedulingGates };
        const now = { ...was, metadata, spec };
        this.pods.set(name, now);
        return void this.queue.update(was, now);
      }
      case "remove":
        return void this.queue.remove(this.pods.get(name)!.metadata.uid!);
      case "keep":
        return void this.kept.add(name);
      case "let":
        return void this.kept.delete(name);
      case "reconsider":
        return void this.queue.reconsider(this.pods.get(name)!.metadata.uid!);
      case "change":
        return void this.queue.changed({ resource: `${name}.` });
      case "pass":
        return void this.clock.advance(Number(name) * 1000);
      case "show": {
        const { active, backoff, unschedulable, gated } = this.queue.counts();
        return `${active} active, ${backoff} backoff, ${unschedulable} unschedulable, ${gated} gated, ${this.clock.pending} timers, woken ${this.woken}`;
      }
      default:
        throw new Error(`no command ${command}`);
    }
  }

  private giveBack(name: string, verdict: Parameters<SchedulingQueue["giveBack"]>[2]): undefined {
    this.queue.giveBack(this.flying.get(name)!, this.pods.get(name)!, verdict);
  }
}

function follows(transcript: string): void {
  const lines = transcript.split("\n").map((line) => line.trim());
  const on = new Transcript();
  const happened: string[] = [];
  for (const line of lines) {
    if (line === "" || line.startsWith(">")) continue;
    happened.push(line);
    const shown = on.run(line);
    if (shown !== undefined) happened.push(`> ${shown}`);
  }
  assert.deepEqual(
    happened,
    lines.filter((line) => line !== ""),
  );
}

test("a queue gives the pods of the highest priority first, and equal ones in the order they came", () => {
  follows(`
    add a
    add b priority=10
    add c
    add d priority=10
    show
    > 4 active, 0 backoff, 0 unschedulable, 0 gated, 0 timers, woken 1
    pop
    > b attempt 1
    pop
    > d attempt 1
    pop
    > a attempt 1
    pop
    > c attempt 1
    pop
    > nothing`);
});

test("a queue brings a rejected pod back when something changes that helps the plugin that rejected it", () => {
  follows(`
    add a
    pop
    > a attempt 1
    reject a Fit
    change claims
    show
    > 0 active, 0 backoff, 1 unschedulable, 0 gated, 1 timers, woken 1
    pass 2
    change nodes
    show
    > 1 active, 0 backoff, 0 unschedulable, 0 gated, 1 timers, woken 2
    pop
    > a attempt 2`);
});

test("a queue lets a pod wait out its backoff only while others are to be tried", () => {
  follows(`
    add a
    add b
    pop
    > a attempt 1
    reject a Fit
    change nodes
    show
    > 1 active, 1 backoff, 0 unschedulable, 0 gated, 1 timers, woken 1
    pop
    > b attempt 1
    pop
    > a attempt 2
    pop
    > nothing`);
});

test("a queue doubles the wait of a pod whose attempts break, up to ten seconds, and never shortens it", () => {
  follows(`
    add a
    pop
    > a attempt 1
    fail a
    pop
    > nothing
    pass 0.9
    pop
    > nothing
    pass 0.1
    pop
    > a attempt 2
    fail a
    pass 1.9
    pop
    > nothing
    pass 0.1
    pop
    > a attempt 3
    fail a
    pass 4
    pop
    > a attempt 4
    fail a
    pass 8
    pop
    > a attempt 5
    fail a
    pass 9.9
    pop
    > nothing
    pass 0.1
    pop
    > a attempt 6`);
});

test("a queue holds a pod that comes back against all that changed while it was in flight", () => {
  follows(`
    add a
    add b
    pop
    > a attempt 1
    pop
    > b attempt 1
    change nodes
    reject a Fit
    reject b Volumes
    show
    > 0 active, 1 backoff, 1 unschedulable, 0 gated, 1 timers, woken 2
    pop
    > a attempt 2
    reject a Fit
    show
    > 0 active, 0 backoff, 2 unschedulable, 0 gated, 1 timers, woken 2`);
});

test("a queue lets a pod that waited for something of its own go at once", () => {
  follows(`
    add a
    add b
    pop
    > a attempt 1
    reject a Fit Volumes!
    change claims
    show
    > 2 active, 0 backoff, 0 unschedulable, 0 gated, 1 timers, woken 1`);
});

test("a queue keeps a gated pod out until its gates are gone, and then does not make it wait", () => {
  follows(`
    add a gated
    show
    > 0 active, 0 backoff, 0 unschedulable, 1 gated, 0 timers, woken 0
    change nodes
    touch a
    pop
    > nothing
    ungate a
    show
    > 1 active, 0 backoff, 0 unschedulable, 0 gated, 0 timers, woken 1
    pop
    > a attempt 1`);
});

test("a queue tries a rejected pod again after five minutes though nothing seemed to help", () => {
  follows(`
    add a
    pop
    > a attempt 1
    reject a Fit
    pass 100
    add b
    pop
    > b attempt 1
    reject b Fit
    pass 199
    pop
    > nothing
    pass 1
    pop
    > a attempt 2
    pop
    > nothing
    pass 100
    pop
    > b attempt 2`);
});

test("a queue holds a change of a waiting pod against its own rejections alone", () => {
  follows(`
    add a
    add b
    pop
    > a attempt 1
    pop
    > b attempt 1
    reject a Own
    reject b Own
    touch a
    show
    > 0 active, 1 backoff, 1 unschedulable, 0 gated, 1 timers, woken 2
    pop
    > a attempt 2
    touch b
    pop
    > b attempt 2`);
});

test("a queue takes a hint that fails, and a plugin without hints, for help", () => {
  follows(`
    add a
    add b
    pop
    > a attempt 1
    pop
    > b attempt 1
    reject a Broken
    reject b Silent
    change nodes
    show
    > 0 active, 2 backoff, 0 unschedulable, 0 gated, 1 timers, woken 2`);
});

test("a queue forgets a pod wherever it is, and one in flight once it is done", () => {
  follows(`
    add a
    add b gated
    add c
    add d
    pop
    > a attempt 1
    pop
    > c attempt 1
    reject a Fit
    remove a
    remove b
    remove d
    show
    > 0 active, 0 backoff, 0 unschedulable, 0 gated, 1 timers, woken 1
    remove c
    done c
    pop
    > nothing
    add c
    pop
    > c attempt 1`);
});

test("a queue without waiting pods keeps no timer, and none once it is closed", () => {
  const on = new Transcript();
  for (const line of ["add a", "pop", "reject a Fit"]) on.run(line);
  assert.equal(on.clock.pending, 1);
  on.queue.close();
  assert.equal(on.clock.pending, 0);
  on.run("change nodes");
  assert.equal(on.clock.pending, 0);
});

test("a queue tells by the time of day when a pod is tried again at the latest", () => {
  const start = 1_700_000_000_000;
  const on = new Transcript(start);
  on.clock.advance(60_000);
  for (const line of ["add a", "pop", "reject a Fit"]) on.run(line);
  const due = () => on.queue.dueOf(on.queue.get(makePod("a").metadata.uid!)!);
  assert.equal(due(), start + 60_000 + 300_000);
  on.run("change nodes");
  assert.equal(due(), start + 60_000 + 1000, "it waits for its backoff now");
});

test("a queue keeps out a rejected pod that a plugin holds, until that asks for another look", () => {
  follows(`
    add a
    pop
    > a attempt 1
    keep a
    reject a Fit
    change nodes
    show
    > 0 active, 0 backoff, 0 unschedulable, 1 gated, 1 timers, woken 1
    reconsider a
    let a
    change nodes
    show
    > 0 active, 0 backoff, 0 unschedulable, 1 gated, 1 timers, woken 1
    reconsider a
    show
    > 0 active, 1 backoff, 0 unschedulable, 0 gated, 1 timers, woken 2
    pop
    > a attempt 2`);
});

test("a queue tries a pod again that waits for a change when a plugin asks for it", () => {
  follows(`
    add a
    pop
    > a attempt 1
    reconsider a
    reject a Fit
    pass 2
    reconsider a
    show
    > 1 active, 0 backoff, 0 unschedulable, 0 gated, 1 timers, woken 2
    remove a
    reconsider a
    pop
    > nothing`);
});
