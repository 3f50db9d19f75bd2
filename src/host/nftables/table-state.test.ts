import assert from "node:assert/strict";
import { test } from "node:test";
import { PartsBuilder } from "./parts-builder.ts";
import { TableState } from "./table-state.ts";

function parts(build: (parts: PartsBuilder) => void): PartsBuilder {
  const made = new PartsBuilder();
  build(made);
  return made;
}

const base = parts((made) => {
  made.map("services", "type ipv4_addr : verdict;");
  made.chain("input", ["ip daddr vmap @services"], "type filter hook input priority 0;");
});

const toChain = (address: string, chain: string, rule = "drop") =>
  parts((made) => {
    made.chain(chain, [rule]);
    made.element("services", address, `goto ${chain}`);
  });

/** The lines of the next batch, which the kernel takes. */
function next(state: TableState): string[] {
  const batch = state.takeBatch();
  batch?.committed();
  return batch?.text.trimEnd().split("\n") ?? [];
}

test("the first batch makes the table anew, whatever was there", () => {
  const state = new TableState("inet t");
  state.claim("base", base);
  state.claim("a", toChain("10.0.0.1", "c1"));
  assert.deepEqual(next(state), [
    "add table inet t",
    "delete table inet t",
    "add table inet t",
    "add map inet t services { type ipv4_addr : verdict; }",
    "add chain inet t input { type filter hook input priority 0; }",
    "add chain inet t c1",
    "add element inet t services { 10.0.0.1 : goto c1 }",
    "add rule inet t input ip daddr vmap @services",
    "add rule inet t c1 drop",
  ]);
  assert.deepEqual(next(state), []);
});

test("a later batch has the differences alone, what is referred to first in and last out", () => {
  const state = new TableState("inet t");
  state.claim("base", base);
  state.claim("a", toChain("10.0.0.1", "c1"));
  next(state);
  state.claim("b", toChain("10.0.0.2", "c2"));
  assert.deepEqual(next(state), [
    "add chain inet t c2",
    "add element inet t services { 10.0.0.2 : goto c2 }",
    "add rule inet t c2 drop",
  ]);
  state.claim("a", toChain("10.0.0.1", "c3"));
  state.claim("b", toChain("10.0.0.2", "c2", "accept"));
  assert.deepEqual(next(state), [
    "add chain inet t c3",
    "delete element inet t services { 10.0.0.1 : goto c1 }",
    "flush chain inet t c1",
    "flush chain inet t c2",
    "add element inet t services { 10.0.0.1 : goto c3 }",
    "add rule inet t c3 drop",
    "add rule inet t c2 accept",
    "delete chain inet t c1",
  ]);
  state.claim("a", undefined);
  state.claim("b", toChain("10.0.0.2", "c2", "accept"));
  assert.deepEqual(next(state), [
    "delete element inet t services { 10.0.0.1 : goto c3 }",
    "flush chain inet t c3",
    "delete chain inet t c3",
  ]);
});

test("what several owners claim stays while one does, and the owner that sorts first has its way", () => {
  const state = new TableState("inet t");
  state.claim("base", base);
  state.claim("m", toChain("10.0.0.1", "shared", "accept"));
  state.claim("a", toChain("10.0.0.1", "shared", "drop"));
  state.claim("z", toChain("10.0.0.2", "shared", "reject"));
  assert.equal(next(state).at(-1), "add rule inet t shared drop");
  state.claim("a", undefined);
  assert.deepEqual(next(state), ["flush chain inet t shared", "add rule inet t shared accept"]);
  state.claim("m", undefined);
  assert.deepEqual(next(state), [
    "delete element inet t services { 10.0.0.1 : goto shared }",
    "flush chain inet t shared",
    "add rule inet t shared reject",
  ]);
});

test("a set that goes takes its elements along, and may come again", () => {
  const state = new TableState("inet t");
  const own = parts((made) => {
    made.set("clients", "type ipv4_addr;");
    made.element("clients", "10.0.0.9");
  });
  state.claim("base", base);
  state.claim("a", own);
  next(state);
  state.claim("a", undefined);
  assert.deepEqual(next(state), ["delete set inet t clients"]);
  state.claim("a", own);
  assert.deepEqual(next(state), [
    "add set inet t clients { type ipv4_addr; }",
    "add element inet t clients { 10.0.0.9 }",
  ]);
});

test("after a batch that was refused the table is made anew, with what was claimed meanwhile", () => {
  const state = new TableState("inet t");
  state.claim("base", base);
  next(state);
  state.claim("a", toChain("10.0.0.1", "c1"));
  const batch = state.takeBatch()!;
  state.claim("b", toChain("10.0.0.2", "c2"));
  batch.failed();
  const lines = next(state);
  assert.equal(lines[1], "delete table inet t");
  assert.ok(lines.includes("add element inet t services { 10.0.0.1 : goto c1, 10.0.0.2 : goto c2 }"));
  state.claim("b", undefined);
  assert.equal(next(state)[0], "delete element inet t services { 10.0.0.2 : goto c2 }");
});

test("what is claimed while a batch is on its way is in the next one", () => {
  const state = new TableState("inet t");
  state.claim("base", base);
  const batch = state.takeBatch()!;
  state.claim("a", toChain("10.0.0.1", "c1"));
  batch.committed();
  assert.equal(next(state)[1], "add element inet t services { 10.0.0.1 : goto c1 }");
});
