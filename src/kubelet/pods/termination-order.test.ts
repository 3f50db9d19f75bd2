import assert from "node:assert/strict";
import test from "node:test";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import { terminationTurns } from "./termination-order.ts";

test("terminationTurns ends containers at once, then sidecars, the last first", async () => {
  const restartPolicy = "Always";
  const pod: Pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: {},
    spec: {
      initContainers: [{ name: "s1", restartPolicy }, { name: "init" }, { name: "s2", restartPolicy }],
      containers: [{ name: "a" }, { name: "b" }],
    },
  };
  const order: string[] = [];
  const ends = new Map<string, () => void>();
  const turns = terminationTurns(pod);
  for (const name of ["s1", "s2", "a", "b"]) {
    turns.stop(name, async (turn) => {
      await turn;
      order.push(name);
      await new Promise<void>((resolve) => ends.set(name, resolve));
    });
  }
  turns.begin();
  const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
  const end = async (name: string): Promise<void> => {
    ends.get(name)?.();
    await settle();
  };
  await settle();
  assert.deepEqual(order, ["a", "b"]);
  await end("a");
  assert.deepEqual(order, ["a", "b"]);
  await end("b");
  assert.deepEqual(order, ["a", "b", "s2"]);
  await end("s2");
  assert.deepEqual(order, ["a", "b", "s2", "s1"]);
});
