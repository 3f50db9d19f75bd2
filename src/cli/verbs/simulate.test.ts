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
    [{ cpu: "many" }, /^--cpu must be a quantity such as 4, 500m or 16Gi, not "many"\.$/],
    [{ memory: "-1Gi" }, /^--memory must be a quantity /],
    [{ pods: "1.5" }, /^--pods must be a whole number /],
    [{ resources: "example.com/gpu=some" }, /^--resources must be a quantity .* not "some"\.$/],
    [{ resources: "a b=1" }, /^--resources: "a b": name part must consist of /],
    [{ labels: "pool=a/b" }, /^--labels: "a\/b": a valid label must be /],
    [{ taints: "-x:NoSchedule" }, /^--taints: "-x": name part must consist of /],
    [{ prefix: "Node_" }, /^--prefix: "Node_": a lowercase RFC 1123 subdomain must consist of /],
  ];
  for (const [flags, message] of cases) {
    assert.throws(() => simulateVerb.parse({ ...DEFAULTS, ...flags }, []), { message });
  }
});
