import assert from "node:assert/strict";
import { test } from "node:test";
import { nextStep, secondsAt } from "./ttl-controller.ts";

test("kubelets may keep things longer the more nodes there are, and boundaries do not flap", () => {
  let step = 0;
  const seen = [50, 100, 101, 95, 89, 700, 460, 5000, 1800, 1799].map((nodes) => {
    step = nextStep(step, nodes);
    return secondsAt(step);
  });
  assert.deepEqual(seen, [0, 0, 15, 15, 0, 30, 30, 300, 300, 60]);
});
