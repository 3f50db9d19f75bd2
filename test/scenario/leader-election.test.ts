import assert from "node:assert/strict";
import { test } from "node:test";
import { Lease } from "../../src/api/coordination/lease.ts";
import { Event } from "../../src/api/events/event.ts";
import { VirtualClock } from "../../src/base/clock.ts";
import { type Client, openClient } from "../../src/client/client.ts";
import { CoreEventRecorder } from "../../src/client/events/core-event-recorder.ts";
import { LeaderElection } from "../../src/client/leader-election/leader-election.ts";
import type { Transport } from "../../src/client/transport.ts";
import { startCluster } from "../../src/testing/index.ts";

const SECOND = 1000;

/** What is under way in this process, without a socket or a disk, is done after some turns of the event loop. */
async function settled(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
}

class Candidate {
  leads = false;
  /** Cut off from the server. */
  cut = false;
  private readonly stopping = new AbortController();
  private readonly done: Promise<void>;

  constructor(identity: string, client: Client, clock: VirtualClock) {
    const reach: Transport = {
      request: (request) => (this.cut ? Promise.reject(new Error("unreachable")) : client.request(request)),
      stream: () => Promise.reject(new Error("not needed")),
      close: async () => {},
    };
    const own = openClient(reach);
    const election = new LeaderElection({
      client: own,
      namespace: "kube-system",
      name: "some-component",
      identity,
      clock,
      random: () => 0.5,
      events: new CoreEventRecorder({ client: own, component: identity, clock }),
    });
    this.done = election.run(this.stopping.signal, async (signal) => {
      this.leads = true;
      await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
      this.leads = false;
    });
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.done;
  }
}

async function pass(clock: VirtualClock, seconds: number, each: () => void = () => {}): Promise<void> {
  for (let i = 0; i < seconds; i++) {
    clock.advance(SECOND);
    await settled();
    each();
  }
}

test("of two candidates one leads, and the other takes over when it stops or is cut off", async () => {
  const clock = new VirtualClock();
  await using cluster = await startCluster({ clock, controllers: false });
  const { client } = cluster;
  const leases = client.resource(Lease, "kube-system");
  const a = new Candidate("a", client, clock);
  await settled();
  const b = new Candidate("b", client, clock);
  const never = (): void => assert.ok(!(a.leads && b.leads), "both lead");
  await pass(clock, 60, never);
  assert.deepEqual([a.leads, b.leads], [true, false]);
  const { spec: held } = await leases.get("some-component");
  assert.equal(held?.holderIdentity, "a");
  assert.equal(held?.leaseTransitions, 0);
  assert.equal(Date.parse(held?.renewTime ?? ""), clock.now());

  a.cut = true;
  await pass(clock, 60, never);
  assert.deepEqual([a.leads, b.leads], [false, true]);
  assert.equal((await leases.get("some-component")).spec?.leaseTransitions, 1);

  a.cut = false;
  await pass(clock, 60, never);
  assert.deepEqual([a.leads, b.leads], [false, true]);

  await b.stop();
  await pass(clock, 5, never);
  assert.deepEqual([a.leads, b.leads], [true, false]);
  const { spec: taken } = await leases.get("some-component");
  assert.deepEqual([taken?.holderIdentity, taken?.leaseTransitions], ["a", 2]);
  await a.stop();
  await settled();
  assert.equal((await leases.get("some-component")).spec?.holderIdentity, undefined);
  const events = await client.resource(Event, "kube-system").list();
  const told = events.items.map(
    ({ message, reason, involvedObject }) => `${reason} ${involvedObject.name} ${message}`,
  );
  assert.ok(told.includes("LeaderElection some-component b became leader"), told.join("\n"));
});

test("a leader whose lease is deleted or taken stops leading", async () => {
  const clock = new VirtualClock();
  await using cluster = await startCluster({ clock, controllers: false });
  const { client } = cluster;
  const leases = client.resource(Lease, "kube-system");
  const a = new Candidate("a", client, clock);
  await settled();
  assert.equal(a.leads, true);
  await leases.delete("some-component");
  await pass(clock, 10);
  assert.equal(a.leads, true, "it makes the lease anew");
  const lease = await leases.get("some-component");
  const spec = { ...lease.spec, holderIdentity: "usurper", leaseDurationSeconds: 15 };
  await leases.update({ ...lease, spec });
  await pass(clock, 10);
  assert.equal(a.leads, false);
  await a.stop();
});
