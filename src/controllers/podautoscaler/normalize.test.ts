import assert from "node:assert/strict";
import { test } from "node:test";
import type {
  HorizontalPodAutoscalerSpec,
  HPAScalingRules,
} from "../../api/schema/autoscaling.v2.generated.ts";
import { type Memory, normalize, noteScaled } from "./normalize.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;

function specOf(up?: HPAScalingRules, down?: HPAScalingRules, max = 100): HorizontalPodAutoscalerSpec {
  const behavior = up || down ? { behavior: { scaleUp: up, scaleDown: down } } : {};
  return { scaleTargetRef: { kind: "Deployment", name: "d" }, minReplicas: 2, maxReplicas: max, ...behavior };
}

function blank(): Memory {
  return { recommendations: [], ups: [], downs: [] };
}

const anyUp: HPAScalingRules = {
  selectPolicy: "Max",
  policies: [
    { type: "Pods", value: 4, periodSeconds: 15 },
    { type: "Percent", value: 100, periodSeconds: 15 },
  ],
};
const anyDown: HPAScalingRules = {
  selectPolicy: "Max",
  policies: [{ type: "Percent", value: 100, periodSeconds: 15 }],
};

test("without a behaviour, what falls is held at the highest of five minutes", () => {
  const memory = blank();
  const spec = specOf();
  assert.equal(normalize(spec, memory, 10, 10, 0).replicas, 10);
  const held = normalize(spec, memory, 10, 4, MINUTE);
  assert.deepEqual([held.replicas, held.able.reason], [10, "ScaleDownStabilized"]);
  assert.equal(normalize(spec, memory, 10, 6, 2 * MINUTE).replicas, 10);
  const fallen = normalize(spec, memory, 10, 3, 5 * MINUTE + 1);
  assert.deepEqual([fallen.replicas, fallen.able.reason], [6, "ScaleDownStabilized"]);
  const free = normalize(spec, memory, 6, 3, 20 * MINUTE);
  assert.deepEqual([free.replicas, free.able.reason], [3, "ReadyForNewScale"]);
  assert.equal(memory.recommendations.length, 1);
});

test("without a behaviour, growth is to twice as many or four at most, within the range", () => {
  const limited = (current: number, wanted: number, max?: number) => {
    const { replicas, limited } = normalize(specOf(undefined, undefined, max), blank(), current, wanted, 0);
    return [replicas, limited.status, limited.reason];
  };
  assert.deepEqual(limited(10, 15), [15, "False", "DesiredWithinRange"]);
  assert.deepEqual(limited(10, 30), [20, "True", "ScaleUpLimit"]);
  assert.deepEqual(limited(2, 9, 4), [4, "True", "TooManyReplicas"]);
  assert.deepEqual(limited(1, 9), [4, "True", "ScaleUpLimit"]);
  assert.deepEqual(limited(5, 1), [2, "True", "TooFewReplicas"]);
});

test("windows hold growth at the lowest and fall at the highest of their time", () => {
  const spec = specOf(
    { ...anyUp, stabilizationWindowSeconds: 60 },
    { ...anyDown, stabilizationWindowSeconds: 120 },
  );
  const memory = blank();
  memory.recommendations.push({ at: 0, replicas: 5 });
  const growing = normalize(spec, memory, 5, 9, 30 * SECOND);
  assert.deepEqual([growing.replicas, growing.able.reason], [5, "ScaleUpStabilized"]);
  assert.equal(normalize(spec, memory, 5, 8, 70 * SECOND).replicas, 8);
  const falling = normalize(spec, memory, 9, 3, 100 * SECOND);
  assert.deepEqual([falling.replicas, falling.able.reason], [9, "ScaleDownStabilized"]);
  assert.equal(normalize(spec, memory, 9, 3, 300 * SECOND).replicas, 3);
});

test("growth keeps to its policies over their periods, by the largest or the smallest", () => {
  const up = (selectPolicy: string): HPAScalingRules => ({
    selectPolicy,
    policies: [
      { type: "Pods", value: 4, periodSeconds: 60 },
      { type: "Percent", value: 50, periodSeconds: 30 },
    ],
  });
  const grown = (rules: HPAScalingRules, memory: Memory, now = 100 * SECOND) => {
    const { replicas, limited } = normalize(specOf(rules, anyDown), memory, 20, 90, now);
    return [replicas, limited.reason];
  };
  assert.deepEqual(grown(up("Max"), blank()), [30, "ScaleUpLimit"]);
  assert.deepEqual(grown(up("Min"), blank()), [24, "ScaleUpLimit"]);
  assert.deepEqual(grown(up("Disabled"), blank()), [20, "ScaleUpLimit"]);
  // Twelve of the twenty came within the minute, and four of them within the half.
  const busy: Memory = {
    ...blank(),
    ups: [
      { at: 50 * SECOND, by: 8 },
      { at: 80 * SECOND, by: 4 },
    ],
  };
  assert.deepEqual(grown(up("Max"), busy), [24, "ScaleUpLimit"]);
  assert.deepEqual(grown(up("Min"), busy), [20, "ScaleUpLimit"]);
  const many: HPAScalingRules = { ...anyUp, policies: [{ type: "Pods", value: 500, periodSeconds: 60 }] };
  assert.deepEqual(
    normalize(specOf(many, anyDown, 50), blank(), 20, 90, 0).limited.reason,
    "TooManyReplicas",
  );
});

test("falling keeps to its policies, and never below the range", () => {
  const down = (selectPolicy: string): HPAScalingRules => ({
    selectPolicy,
    stabilizationWindowSeconds: 0,
    policies: [
      { type: "Pods", value: 3, periodSeconds: 60 },
      { type: "Percent", value: 25, periodSeconds: 60 },
    ],
  });
  const fallen = (rules: HPAScalingRules, memory = blank()) => {
    const { replicas, limited } = normalize(specOf(anyUp, rules), memory, 20, 2, 100 * SECOND);
    return [replicas, limited.reason];
  };
  assert.deepEqual(fallen(down("Max")), [15, "ScaleDownLimit"]);
  assert.deepEqual(fallen(down("Min")), [17, "ScaleDownLimit"]);
  assert.deepEqual(fallen(down("Disabled")), [20, "ScaleDownLimit"]);
  const busy: Memory = { ...blank(), downs: [{ at: 90 * SECOND, by: 4 }] };
  assert.deepEqual(fallen(down("Max"), busy), [18, "ScaleDownLimit"]);
  const free = normalize(specOf(anyUp, { ...anyDown, stabilizationWindowSeconds: 0 }), blank(), 20, 1, 0);
  assert.deepEqual([free.replicas, free.limited.reason], [2, "TooFewReplicas"]);
});

test("changes are noted while a policy may ask for them", () => {
  const memory = blank();
  const spec = specOf(anyUp, anyDown);
  noteScaled(memory, spec, 5, 9, 0);
  noteScaled(memory, spec, 9, 3, SECOND);
  noteScaled(memory, spec, 3, 4, 20 * SECOND);
  assert.deepEqual(memory.ups, [{ at: 20 * SECOND, by: 1 }]);
  assert.deepEqual(memory.downs, [{ at: SECOND, by: 6 }]);
  noteScaled(memory, specOf(), 4, 5, 21 * SECOND);
  assert.equal(memory.ups.length, 1);
});
