import assert from "node:assert/strict";
import { test } from "node:test";
import { simulateVerb } from "./simulate.ts";

const DEFAULTS = {
  nodes: "1",
  prefix: "node-",
  zones: "0",
  cpu: "8",
  memory: "32Gi",
  pods: "110",
  dataDir: "/data",
};

test("simulate reads shapes, labels and taints, and takes the server's own kubeconfig by default", () => {
  const run = simulateVerb.parse(
    {
      ...DEFAULTS,
      nodes: "5",
      zones: "2",
      resources: "example.com/gpu=4",
      labels: "pool=big,disk=ssd",
      taints: "dedicated=db:NoSchedule,spot:NoExecute",
      seed: "7",
    },
    [],
  );
  assert.deepEqual(run, {
    kubeconfig: "/data/admin.conf",
    nodes: 5,
    prefix: "node-",
    zones: 2,
    capacity: { cpu: "8", memory: "32Gi", pods: "110", "example.com/gpu": "4" },
    labels: { pool: "big", disk: "ssd" },
    taints: [
      { key: "dedicated", value: "db", effect: "NoSchedule" },
      { key: "spot", value: "", effect: "NoExecute" },
    ],
    stages: undefined,
    seed: 7,
  });
});

test("simulate says which flag is wrong and what it should look like", () => {
  const cases: [Record<string, string>, RegExp][] = [
    [{ nodes: "many" }, /^--nodes must be a whole number from 0 to 100000, not "many"\.$/],
    [{ seed: "-1" }, /^--seed must be a whole number/],
    [{ labels: "pool" }, /^--labels must look like name=value,name=value, not "pool"\.$/],
    [{ taints: "spot:Never" }, /^--taints must look like key=value:effect with an effect of NoSchedule, /],
  ];
  for (const [flags, message] of cases) {
    assert.throws(() => simulateVerb.parse({ ...DEFAULTS, ...flags }, []), { message });
  }
});
