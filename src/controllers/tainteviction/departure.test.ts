import assert from "node:assert/strict";
import { test } from "node:test";
import { bearsFor, noExecuteTaints, sameTaints, sameTolerations } from "./departure.ts";

const A = { key: "a", value: "1", effect: "NoExecute" };
const B = { key: "b", effect: "NoExecute" };

test("bearsFor is 0 where a taint is not borne, and the shortest time where all are", () => {
  const short = { key: "a", operator: "Exists", tolerationSeconds: 5 };
  const long = { key: "b", operator: "Exists", effect: "NoExecute", tolerationSeconds: 300 };
  assert.equal(bearsFor([A], []), 0);
  assert.equal(bearsFor([A], [short]), 5_000);
  assert.equal(bearsFor([A, B], [short]), 0);
  assert.equal(bearsFor([A, B], [long, short]), 5_000);
  assert.equal(bearsFor([B], [{ ...long, tolerationSeconds: -1 }]), 0);
});

test("bearsFor is for ever where no matching toleration has seconds, and the first match counts", () => {
  const always = { operator: "Exists" };
  const limited = { key: "a", operator: "Equal", value: "1", tolerationSeconds: 5 };
  assert.equal(bearsFor([A, B], [always]), undefined);
  assert.equal(bearsFor([A], [always, limited]), undefined);
  assert.equal(bearsFor([A], [limited, always]), 5_000);
});

test("noExecuteTaints takes none of the other effects", () => {
  assert.deepEqual(noExecuteTaints([A, { key: "c", effect: "NoSchedule" }]), [A]);
});

test("taints and tolerations are the same whatever their times, and differ by seconds and effects", () => {
  assert.ok(sameTaints([{ ...A, timeAdded: "2026-01-01T00:00:00Z" }], [A]));
  assert.ok(!sameTaints([A], [A, B]));
  assert.ok(!sameTaints([A], [{ ...A, effect: "NoSchedule" }]));
  assert.ok(sameTolerations(undefined, []));
  assert.ok(!sameTolerations([{ key: "a", tolerationSeconds: 1 }], [{ key: "a", tolerationSeconds: 2 }]));
});
