/** Jobs of any shape, whose controller ends at any point of its work and begins anew with nothing remembered. */
import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Job } from "../../api/batch/job.ts";
import type { Pod } from "../../api/core/pods.ts";
import type { JobSpec, JobStatus } from "../../api/schema/batch.v1.generated.ts";
import { formatTime } from "../../machinery/time/time.ts";
import { isFinished } from "./conditions.ts";
import { endingOf } from "./ending.ts";
import { completionIndex, isPodActive, isTracked } from "./job-pods.ts";
import { lookAt } from "./job-view.ts";
import { podMaker } from "./make-pod.ts";
import { planPods } from "./plan-pods.ts";
import { planStatus } from "./plan-status.ts";

const START = Date.parse("2026-01-01T00:00:00Z");
/** Turns in which the controller may end at any point, and pods go on for as long as they like. */
const TROUBLED = 200;

interface Shape {
  completions: number;
  parallelism: number;
  indexed: boolean;
  perIndex: boolean;
  backoffLimit: number;
  choices: number[];
}

class World {
  job: Job;
  pods: Pod[] = [];
  now = START;
  ended = { Succeeded: 0, Failed: 0 };
  private made = 0;
  private choice = 0;
  private readonly shape: Shape;

  constructor(shape: Shape) {
    this.shape = shape;
    const { completions, parallelism, indexed, perIndex, backoffLimit } = shape;
    const spec: JobSpec = {
      completions,
      parallelism,
      completionMode: indexed ? "Indexed" : "NonIndexed",
      backoffLimit: indexed && perIndex ? 2 ** 31 - 1 : backoffLimit,
      ...(indexed && perIndex && { backoffLimitPerIndex: 1 }),
      template: { spec: { restartPolicy: "Never", containers: [{ name: "c", image: "i" }] } },
    };
    const metadata = { name: "job", namespace: "ns", uid: "j" };
    this.job = { apiVersion: "batch/v1", kind: "Job", metadata, spec };
  }

  /** Below `n`; what the run was given, over and over. */
  pick(n: number): number {
    const { choices } = this.shape;
    return choices[this.choice++ % choices.length]! % n;
  }

  create(pod: ReturnType<ReturnType<typeof podMaker>>): void {
    const uid = `u${this.made++}`;
    const metadata = { ...pod.metadata, name: uid, uid, creationTimestamp: formatTime(this.now) };
    this.pods.push({ apiVersion: "v1", kind: "Pod", ...pod, metadata, status: { phase: "Running" } });
  }

  change(pod: Pod, to: Partial<Pod>): void {
    this.pods = this.pods.map((other) =>
      other.metadata.uid === pod.metadata.uid ? { ...other, ...to } : other,
    );
  }

  release(pod: Pod): void {
    const { deletionTimestamp } = pod.metadata;
    if (deletionTimestamp) this.pods = this.pods.filter(({ metadata }) => metadata.uid !== pod.metadata.uid);
    else this.change(pod, { metadata: { ...pod.metadata, finalizers: [] } });
  }

  remove(pod: Pod): void {
    const metadata = { ...pod.metadata, deletionTimestamp: formatTime(this.now) };
    if (isTracked(pod)) this.change(pod, { metadata });
    else this.pods = this.pods.filter((other) => other.metadata.uid !== pod.metadata.uid);
  }

  endSomePod(): void {
    const running = this.pods.filter(isPodActive);
    if (running.length === 0) return;
    const phase = this.pick(3) === 0 ? "Failed" : "Succeeded";
    this.ended[phase]++;
    this.change(running[this.pick(running.length)]!, { status: { phase } });
  }
}

/** One look of the controller, which ends after `steps` of its writes. */
function look(world: World, steps: number): void {
  let left = steps;
  const view = lookAt(world.job, world.pods, undefined);
  const ending = endingOf(view, world.now);
  const plan = planPods(view, ending !== undefined, world.now);
  for (const pod of plan.remove) {
    if (left-- <= 0) return;
    if (plan.uncounted) world.release(pod);
    world.remove(world.pods.find(({ metadata }) => metadata.uid === pod.metadata.uid) ?? pod);
  }
  const make = podMaker(world.job);
  for (let i = 0; i < plan.create; i++) {
    if (left-- <= 0) return;
    const index = plan.indexes?.[i];
    world.create(make(index, index === undefined ? undefined : view.replaced.get(index)));
  }
  const done = { created: plan.create, removed: plan.remove };
  const { status, release } = planStatus(view, ending, done, world.now, !ending);
  if (left-- <= 0) return;
  checkStep(world.job.status ?? {}, status);
  world.job = { ...world.job, status };
  for (const pod of release) {
    if (left-- <= 0) return;
    const current = world.pods.find(({ metadata }) => metadata.uid === pod.metadata.uid);
    if (current) world.release(current);
  }
}

function checkStep(before: JobStatus, after: JobStatus): void {
  assert.ok((after.succeeded ?? 0) >= (before.succeeded ?? 0), "successes never become fewer");
  assert.ok((after.failed ?? 0) >= (before.failed ?? 0), "failures never become fewer");
}

function checkPods(world: World): void {
  const active = world.pods.filter(isPodActive);
  const { parallelism = 0, completionMode } = world.job.spec!;
  assert.ok(active.length <= parallelism, `${active.length} pods run, ${parallelism} may`);
  if (completionMode !== "Indexed") return;
  assert.equal(new Set(active.map(completionIndex)).size, active.length, "an index runs twice");
}

test("a job counts every pod once and makes none too many, wherever its controller ends", () => {
  const shape = fc.record({
    completions: fc.integer({ min: 0, max: 6 }),
    parallelism: fc.integer({ min: 1, max: 4 }),
    indexed: fc.boolean(),
    perIndex: fc.boolean(),
    backoffLimit: fc.integer({ min: 0, max: 4 }),
    choices: fc.array(fc.nat(1000), { minLength: 20, maxLength: 60 }),
  });
  fc.assert(
    fc.property(shape, (given) => {
      const world = new World(given);
      for (let turn = 0; turn < 2 * TROUBLED && !isFinished(world.job); turn++) {
        look(world, turn < TROUBLED ? world.pick(6) : 1000);
        checkPods(world);
        // From then on nothing that was picked keeps pods, or the controller, from coming to their ends.
        if (turn >= TROUBLED || world.pick(3) === 0) world.endSomePod();
        world.now += 700_000;
      }
      assert.ok(isFinished(world.job), "the job finishes");
      const { succeeded = 0, failed = 0, uncountedTerminatedPods } = world.job.status!;
      assert.deepEqual(uncountedTerminatedPods, {});
      assert.ok(!world.pods.some(isTracked), "no pod is held for ever");
      assert.equal(succeeded, world.ended.Succeeded);
      if (world.job.status!.completionTime) {
        assert.equal(failed, world.ended.Failed);
        assert.equal(succeeded, given.completions);
        return;
      }
      assert.ok(failed >= world.ended.Failed, "pods that are stopped count as failed too");
      if (!given.indexed || !given.perIndex) assert.ok(world.ended.Failed > given.backoffLimit);
    }),
    { numRuns: 300 },
  );
});
