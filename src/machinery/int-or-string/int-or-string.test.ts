import assert from "node:assert/strict";
import { it } from "node:test";
import { percentOf, scaledValue } from "./int-or-string.ts";

it("scaledValue takes numbers as they are and rounds percentages", () => {
  assert.equal(scaledValue(3, 10, true), 3);
  assert.equal(scaledValue("25%", 10, true), 3);
  assert.equal(scaledValue("25%", 10, false), 2);
  assert.equal(scaledValue("200%", 10, false), 20);
});

it("scaledValue says why a text is no percentage", () => {
  assert.throws(() => scaledValue("5", 10, true), {
    message: "invalid value for IntOrString: invalid type: string is not a percentage",
  });
  assert.throws(() => scaledValue("x%", 10, true), {
    message: 'invalid value for IntOrString: invalid value "x%": strconv.Atoi: parsing "x": invalid syntax',
  });
});

it("percentOf reads percentages only", () => {
  assert.equal(percentOf("30%"), 30);
  for (const value of [30, "30", "%", "-1%", "1.5%", undefined]) assert.equal(percentOf(value), undefined);
});
