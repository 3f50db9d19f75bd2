import assert from "node:assert/strict";
import { test } from "node:test";
import { canonicalIP, cidrsByFamily, disjointCIDRs } from "./addresses.ts";

test("ranges are canonical, each once, and none is within another", () => {
  const texts = [
    "10.1.2.3/16",
    "10.1.0.0/16",
    " 10.0.0.0/8 ",
    "192.0.2.7",
    "FD00::/64",
    "fd00:0:0:0::1",
    "nonsense",
    "1.2.3.4/99",
  ];
  assert.deepEqual(disjointCIDRs(texts), ["10.0.0.0/8", "192.0.2.7/32", "fd00::/64"]);
  assert.deepEqual(disjointCIDRs(["10.0.0.0/8", "0.0.0.0/0", "::/0"]), ["0.0.0.0/0", "::/0"]);
  assert.deepEqual(cidrsByFamily(["fd00::/64", "10.0.0.0/8"]), { 4: ["10.0.0.0/8"], 6: ["fd00::/64"] });
});

test("an address has one text, and what is none has no text", () => {
  assert.equal(canonicalIP("2001:DB8:0:0::1"), "2001:db8::1");
  assert.equal(canonicalIP("010.0.0.1"), "10.0.0.1");
  assert.equal(canonicalIP("example.com"), undefined);
  assert.equal(canonicalIP(undefined), undefined);
});
