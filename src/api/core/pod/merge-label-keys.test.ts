import assert from "node:assert/strict";
import { test } from "node:test";
import type { Pod } from "../../schema/core.v1.generated.ts";
import { mergeLabelKeys } from "./merge-label-keys.ts";

test("mergeLabelKeys writes the pod's own values into the selectors of affinity and spreading", () => {
  const term = (more: object) => ({ topologyKey: "zone", labelSelector: {}, ...more });
  const pod: Pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "p", labels: { hash: "1", tenant: "a" } },
    spec: {
      containers: [],
      affinity: {
        podAffinity: {
          requiredDuringSchedulingIgnoredDuringExecution: [term({ matchLabelKeys: ["hash", "none"] })],
        },
        podAntiAffinity: {
          preferredDuringSchedulingIgnoredDuringExecution: [
            { weight: 1, podAffinityTerm: term({ mismatchLabelKeys: ["tenant"] }) },
            { weight: 1, podAffinityTerm: { topologyKey: "zone", matchLabelKeys: ["hash"] } },
          ],
        },
      },
      topologySpreadConstraints: [
        {
          ...term({ labelSelector: { matchLabels: { app: "x" } } }),
          maxSkew: 1,
          whenUnsatisfiable: "DoNotSchedule",
          matchLabelKeys: ["hash"],
        },
      ],
    },
  };
  mergeLabelKeys(pod);
  const hash = { key: "hash", operator: "In", values: ["1"] };
  const { affinity, topologySpreadConstraints } = pod.spec!;
  assert.deepEqual(
    affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.map((each) => each.labelSelector),
    [{ matchExpressions: [hash] }],
  );
  assert.deepEqual(
    affinity?.podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution?.map(
      ({ podAffinityTerm }) => podAffinityTerm.labelSelector,
    ),
    [{ matchExpressions: [{ key: "tenant", operator: "NotIn", values: ["a"] }] }, undefined],
  );
  assert.deepEqual(
    topologySpreadConstraints?.map((each) => each.labelSelector),
    [{ matchLabels: { app: "x" }, matchExpressions: [hash] }],
  );
});
