import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { escapeFieldValue, parseFieldSelector } from "./fields.ts";
import { formatLabelSelector, formatLabels, labelSelectorOf, parseLabelSelector } from "./labels.ts";

describe("label selectors", () => {
  it("match by every operator", () => {
    const labels = { a: "1", b: "x", "example.com/c": "" };
    const yes = [
      "",
      "a",
      "a=1",
      "a==1",
      "a!=2",
      "z!=1",
      "!z",
      "a in (1,2)",
      "z notin (1)",
      "b notin (y)",
      "a>0",
      "a<2",
      "example.com/c",
      "example.com/c=",
      "example.com/c in (,x)",
      " a , b = x ",
      "in!=x",
    ];
    for (const text of yes) assert.equal(parseLabelSelector(text).matches(labels), true, text);
    for (const text of ["z", "a=2", "a!=1", "!a", "a in (2)", "a notin (1,2)", "a>1", "b<2", "z>0", "a,z"]) {
      assert.equal(parseLabelSelector(text).matches(labels), false, text);
    }
    assert.equal(parseLabelSelector("constructor").matches(labels), false);
    assert.equal(parseLabelSelector("a").matches(undefined), false);
  });

  it("are written in the canonical form", () => {
    const cases = [
      ["b in (y,x,y),a", "a,b in (x,y)"],
      ["!a , c>5,b!=x", "!a,b!=x,c>5"],
      ["x notin (a),y=", "x notin (a),y="],
      ["x in (,)", "x in ()"],
    ] as const;
    for (const [given, expected] of cases) assert.equal(parseLabelSelector(given).toString(), expected);
  });

  it("say what is wrong in upstream's words", () => {
    const cases: [string, RegExp][] = [
      ["a=b=c", /^found '=', expected: ',' or 'end of string'$/],
      ["=", /^found '=', expected: !, identifier, or 'end of string'$/],
      ["a,", /^found '', expected: identifier after ','$/],
      ["a b", /^unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt$/],
      ["a in b", /^unable to parse requirement: found 'b' expected: '\('$/],
      ["a in (b", /^unable to parse requirement: found '', expected: ',' or '\)'$/],
      ["a in ()", /^unable to parse requirement: values: Invalid value: \[\]: for 'in', 'notin' operators/],
      [
        "a>x",
        /^unable to parse requirement: values\[0\]: Invalid value: "x": for 'Gt', 'Lt' operators, the value must/,
      ],
      ["-a=b", /^unable to parse requirement: <nil>: Invalid value: "-a": name part must consist of/],
      ["a=-b", /^unable to parse requirement: values\[0\]\[a\]: Invalid value: "-b": a valid label must be/],
      ["!", /^unable to parse requirement: found '', expected: identifier$/],
    ];
    for (const [text, message] of cases) {
      assert.throws(() => parseLabelSelector(text), { name: "SelectorError", message }, text);
    }
  });

  it("come from LabelSelector objects", () => {
    assert.equal(labelSelectorOf(undefined).matches({}), false);
    assert.equal(labelSelectorOf({}).matches({}), true);
    const selector = labelSelectorOf({
      matchLabels: { app: "web" },
      matchExpressions: [
        { key: "tier", operator: "In", values: ["b", "a"] },
        { key: "old", operator: "DoesNotExist" },
      ],
    });
    assert.equal(selector.toString(), "app=web,!old,tier in (a,b)");
    assert.equal(selector.matches({ app: "web", tier: "a" }), true);
    assert.throws(() => labelSelectorOf({ matchExpressions: [{ key: "a", operator: "Gt" }] }), {
      message: '"Gt" is not a valid label selector operator',
    });
    assert.equal(formatLabelSelector({}), "<none>");
    // Upstream sorts the pairs, not the keys.
    assert.equal(formatLabels({ b: "1", a: "2", "a-b": "3" }), "a-b=3,a=2,b=1");
  });
});

describe("field selectors", () => {
  it("match through a getter", () => {
    const get = (field: string) => ({ "status.phase": "Running", "spec.nodeName": "" })[field] ?? "";
    for (const text of [
      "",
      "status.phase=Running",
      "status.phase==Running,spec.nodeName=",
      "spec.nodeName!=a",
    ]) {
      assert.equal(parseFieldSelector(text).matches(get), true, text);
    }
    assert.equal(parseFieldSelector("status.phase!=Running").matches(get), false);
    assert.equal(parseFieldSelector("metadata.name=a").exact("metadata.name"), "a");
    assert.equal(parseFieldSelector("metadata.name!=a").exact("metadata.name"), undefined);
  });

  it("escape what divides them", () => {
    const value = "a,b=c\\d";
    const text = `x=${escapeFieldValue(value)}`;
    assert.equal(text, "x=a\\,b\\=c\\\\d");
    assert.deepEqual(parseFieldSelector(text).requirements, [{ field: "x", operator: "=", value }]);
    assert.equal(parseFieldSelector(text).toString(), text);
    assert.equal(parseFieldSelector("b=1,,a!=2").toString(), "a!=2,b=1");
  });

  it("say what is wrong", () => {
    assert.throws(() => parseFieldSelector("x"), { message: "invalid selector: 'x'; can't understand 'x'" });
    assert.throws(() => parseFieldSelector("x=a\\b"), {
      message: "invalid field selector: invalid escape sequence: \\b",
    });
    assert.throws(() => parseFieldSelector("x=a=b"), {
      message: "invalid field selector: unescaped character in value: 61",
    });
  });
});
