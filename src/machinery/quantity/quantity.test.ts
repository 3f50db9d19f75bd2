import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { canonicalQuantity, isQuantity, Quantity, QuantityError } from "./quantity.ts";

describe("Quantity", () => {
  it("writes what upstream stores", () => {
    const cases: [string | number, string][] = [
      ["0", "0"],
      ["0Mi", "0"],
      ["1000m", "1"],
      ["0.5", "500m"],
      [0.5, "500m"],
      [1, "1"],
      ["1024Mi", "1Gi"],
      ["1024", "1024"],
      ["1000", "1k"],
      ["1.5G", "1500M"],
      ["1.5Gi", "1536Mi"],
      ["512Mi", "512Mi"],
      ["1000Mi", "1000Mi"],
      ["100Ki", "100Ki"],
      ["1e3", "1e3"],
      ["1E3", "1E3"],
      ["1e4", "10e3"],
      ["1e-3", "1e-3"],
      [".001Ki", "1024m"],
      [".000001Ki", "1024u"],
      ["0.1n", "1n"],
      ["1.1Ki", "1126400m"],
      ["-1000m", "-1"],
      ["+5", "+5"],
      ["1.500", "1.500"],
      ["1234.567", "1234.567"],
      ["100000000000000000000Ei", "9223372036854775807"],
      ["9999999999999999999999", "9999999999999999999999"],
      ["1000E", "1000E"],
      ["10Ei", "9223372036854775807"],
      [" 1Gi ", "1Gi"],
    ];
    for (const [given, expected] of cases) assert.equal(canonicalQuantity(given), expected, String(given));
  });

  it("refuses what is no quantity, in upstream's words", () => {
    const format = /^quantities must match the regular expression '\^\(\[\+-\]\?\[0-9\.\]\+\)/;
    for (const text of ["", "yes", "1.2.3Gi", "1 Gi", "1,5", "1e3.5", "1KI"]) {
      assert.throws(() => Quantity.parse(text), { name: "QuantityError", message: format }, text);
    }
    for (const text of ["512Gu", "--1", "1mi", "1e", "1k3", "1e99999999999"]) {
      assert.throws(() => Quantity.parse(text), { message: "unable to parse quantity's suffix" }, text);
    }
    assert.throws(() => Quantity.parse("9".repeat(2000)), QuantityError);
    assert.equal(isQuantity("1x"), false);
    assert.equal(isQuantity("1Gi"), true);
  });

  it("counts exactly", () => {
    const of = Quantity.parse;
    assert.equal(of("100m").add(of("0.2")).toString(), "300m");
    assert.equal(of("1Gi").sub(of("1Mi")).toString(), "1023Mi");
    assert.equal(of("0").add(of("1Gi")).toString(), "1Gi");
    assert.equal(of("9007199254740993").add(of("1n")).toString(), "9007199254740993000000001n");
    assert.equal(of("1m").neg().toString(), "-1m");
    assert.equal(of("1").compare(of("1000m")), 0);
    assert.equal(of("1Ki").compare(of("1k")), 1);
    assert.equal(of("1e300").compare(of("2e300")), -1);
    assert.equal(of("-1").sign(), -1);
    assert.equal(of("0.1Mi").isWhole(), false);
  });

  it("rounds away from zero", () => {
    const of = Quantity.parse;
    assert.equal(of("1m").value(), 1);
    assert.equal(of("-1m").value(), -1);
    assert.equal(of("1u").milliValue(), 1);
    assert.equal(of("1.5").milliValue(), 1500);
    assert.equal(of("1Gi").value(), 1073741824);
    assert.equal(of("1e30").value(), Number((1n << 63n) - 1n));
    assert.equal(of("1500u").roundUp(-3).toString(), "2m");
    assert.equal(of("2m").roundUp(-3).toString(), "2m");
  });

  it("means the same after it was written", () => {
    const suffix = fc.constantFrom("", "n", "u", "m", "k", "M", "G", "T", "Ki", "Mi", "Gi", "e2", "E-3");
    const number = fc.tuple(fc.nat(), fc.option(fc.nat(99999)));
    fc.assert(
      fc.property(number, suffix, fc.boolean(), ([whole, fraction], end, negative) => {
        const given = Quantity.parse(
          `${negative ? "-" : ""}${whole}${fraction === null ? "" : `.${fraction}`}${end}`,
        );
        assert.equal(Quantity.parse(given.toString()).compare(given), 0);
        assert.equal(given.sub(given).sign(), 0);
        assert.equal(given.add(given.neg()).sign(), 0);
      }),
    );
  });
});
