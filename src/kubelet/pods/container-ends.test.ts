import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../../base/clock.ts";
import { GrpcError } from "../../host/grpc/grpc-client.ts";
import type { ContainerRuntime } from "../runtime/container-runtime.ts";
import { ContainerEnds } from "./container-ends.ts";

const [RUNNING, EXITED] = [1, 2];

/** A runtime in which the container is in `state`, and how often it was asked. */
function setUp() {
  const clock = new VirtualClock();
  const runtime = { state: RUNNING, failure: undefined as Error | undefined, asked: 0 };
  const containerStatus = async () => {
    runtime.asked++;
    if (runtime.failure) throw runtime.failure;
    return { status: { state: runtime.state } };
  };
  const calls = { containerStatus } as unknown as ContainerRuntime;
  return { clock, runtime, ends: new ContainerEnds({ runtime: calls, clock }) };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const never = new AbortController().signal;

test("an end is told once the runtime says so itself, though the event came before", async () => {
  const { clock, runtime, ends } = setUp();
  let over = 0;
  for (let i = 0; i < 2; i++) void ends.of("a", never).then(() => over++);
  await turn();
  assert.equal(clock.pending, 0, "nobody is asked while nothing is told");
  ends.told("a");
  await turn();
  clock.advance(10);
  await turn();
  assert.equal(over, 0);
  runtime.state = EXITED;
  clock.advance(20);
  await turn();
  assert.equal(over, 2);
  assert.equal(clock.pending, 0);
});

test("who begins to wait behind the event learns of the end too", async () => {
  const { clock, runtime, ends } = setUp();
  ends.told("a");
  const waited = ends.of("a", never);
  await turn();
  runtime.state = EXITED;
  clock.advance(10);
  await waited;
});

test("a container that has ended, or is gone, is not waited for", async () => {
  const { runtime, ends } = setUp();
  runtime.state = EXITED;
  await ends.of("a", never);
  runtime.failure = new GrpcError(5, "not found");
  await ends.of("b", never);
});

test("where events were missed a look finds the end, unless the runtime is away", async () => {
  const { runtime, ends } = setUp();
  let over = false;
  const waited = ends.of("a", never).then(() => {
    over = true;
  });
  await turn();
  runtime.failure = new GrpcError(14, "unavailable");
  ends.look();
  await turn();
  assert.equal(over, false);
  runtime.failure = undefined;
  runtime.state = EXITED;
  ends.look();
  await waited;
});

test("who does not wait any more is let go", async () => {
  const { clock, runtime, ends } = setUp();
  const gone = new AbortController();
  const waited = ends.of("a", gone.signal);
  await turn();
  gone.abort(new Error("left"));
  await assert.rejects(waited, /left/);
  const asked = runtime.asked;
  ends.told("a");
  ends.look();
  await turn();
  assert.equal(runtime.asked, asked);
  assert.equal(clock.pending, 0);
  await assert.rejects(ends.of("b", gone.signal), /left/);
});
