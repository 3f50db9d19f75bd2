import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FieldPath } from "../field/path.ts";
import * as names from "./names.ts";

const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

describe("names", () => {
  it("takes what the expression of a rule takes and nothing else", () => {
    const rules: [(text: string) => string[], RegExp][] = [
      [names.isDNS1123Label, /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/],
      [names.isDNS1123Subdomain, /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/],
      [names.isDNS1035Label, /^[a-z]([-a-z0-9]*[a-z0-9])?$/],
      [
        names.isWildcardDNS1123Subdomain,
        /^\*\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
      ],
      [
        names.isDNS1123SubdomainWithUnderscore,
        /^_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?(\._?[a-z0-9]([-_a-z0-9]*[a-z0-9])?)*$/,
      ],
      [
        names.isQualifiedName,
        /^([a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*\/)?([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/,
      ],
      [names.isValidLabelValue, /^(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?$/],
      [names.isCIdentifier, /^[A-Za-z_][A-Za-z0-9_]*$/],
      [names.isEnvVarName, /^(?!\.\.|\.$)[-._a-zA-Z][-._a-zA-Z0-9]*$/],
      [names.isConfigMapKey, /^(?!\.\.|\.$)[-._a-zA-Z0-9]+$/],
      [names.isHTTPHeaderName, /^[-A-Za-z0-9]+$/],
      [names.isValidPercent, /^[0-9]+%$/],
      [names.isRelaxedEnvVarName, /^[ -<>-~]+$/],
    ];
    const alphabet = ["a", "Z", "0", "-", ".", "_", "/", "*", "%", "=", "é"];
    const texts = [""];
    for (let from = 0, length = 0; length < 4; length++) {
      const end = texts.length;
      for (; from < end; from++) for (const char of alphabet) texts.push(texts[from] + char);
    }
    for (const [rule, expression] of rules) {
      for (const text of texts) {
        assert.equal(
          rule(text).length === 0,
          expression.test(text),
          `${rule.name} of ${JSON.stringify(text)}`,
        );
      }
    }
  });

  it("says what is wrong in upstream's words", () => {
    assert.deepEqual(names.isDNS1123Label("Bad"), [LABEL]);
    assert.deepEqual(names.isDNS1123Label("a.b"), ["must not contain dots"]);
    assert.deepEqual(names.isDNS1123Subdomain("Bad"), [SUBDOMAIN]);
    assert.deepEqual(names.isDNS1123Label("a".repeat(64)), ["must be no more than 63 characters"]);
    assert.deepEqual(names.isDNS1123Subdomain(`${"é".repeat(127)}`), [
      "must be no more than 253 characters",
      SUBDOMAIN,
    ]);
    assert.deepEqual(names.isQualifiedName("/a"), ["prefix part must be non-empty"]);
    assert.equal(names.isQualifiedName("a/").length, 2);
    assert.match(
      names.isQualifiedName("a/b/c")[0]!,
      /^a valid label key must consist of .* \(e.g. 'example.com\/MyName'\)$/,
    );
    assert.deepEqual(names.isValidPortName("--"), [
      "must contain at least one letter (a-z)",
      "must not contain consecutive hyphens",
      "must not begin or end with a hyphen",
    ]);
    assert.deepEqual(names.isValidPortNum(0), ["must be between 1 and 65535, inclusive"]);
    assert.deepEqual(names.isConfigMapKey(".."), ["must not be '..'"]);
    assert.deepEqual(names.isPathSegmentName("a/b%"), ["may not contain '/'", "may not contain '%'"]);
    assert.deepEqual(names.isPathSegmentName(".."), ["may not be '..'"]);
  });

  it("takes a dash at the end of a generateName", () => {
    assert.deepEqual(names.nameIsDNSLabel("web-", true), []);
    assert.deepEqual(names.nameIsDNSLabel("web-", false), [LABEL]);
    assert.equal(names.nameIsDNSSubdomain("-", true).length, 1);
    assert.deepEqual(names.nameIsDNS1035Label("w-", true), []);
  });

  it("tells an absent domain from a wrong one", () => {
    const path = FieldPath.root("spec", "name");
    assert.equal(names.isFullyQualifiedName(path, "")[0]?.type, "FieldValueRequired");
    assert.equal(
      names.isFullyQualifiedName(path, "a.b")[0]?.body,
      'Invalid value: "a.b": should be a domain with at least three segments separated by dots',
    );
    assert.deepEqual(names.isFullyQualifiedDomainName(path, "a.b."), []);
    assert.deepEqual(names.isDomainPrefixedPath(path, "acme.io/foo"), []);
    assert.equal(names.isDomainPrefixedPath(path, "acme.io/ü").length, 1);
    assert.equal(names.isDomainPrefixedKey(path, "foo").length, 1);
  });
});

describe("addresses", () => {
  it("judges IPs by the strict rules and the canonical form", () => {
    const cases: [string, string[], string[]][] = [
      ["1.2.3.4", [], []],
      ["::", [], []],
      ["0:0:0:0:0:0:0:0", ['must be in canonical form ("::")'], []],
      ["0001:002:03:4::", ['must be in canonical form ("1:2:3:4::")'], []],
      ["1234::ABCD", ['must be in canonical form ("1234::abcd")'], []],
      ["1.1.1.01", ["must not have leading 0s"], ["must not have leading 0s"]],
      [
        "::ffff:1.1.1.1",
        ["must not be an IPv4-mapped IPv6 address"],
        ["must not be an IPv4-mapped IPv6 address"],
      ],
    ];
    const bad = ["must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"];
    for (const text of [
      "",
      "a",
      "1.2.3",
      "1.2.3.4.5",
      "1.2.3.256",
      "1::2::3",
      "1:2:3:4:5:6:7:8:9",
      ":::",
      "1.2.3.0/24",
    ]) {
      cases.push([text, bad, bad]);
    }
    for (const [text, strict, legacy] of cases) {
      assert.deepEqual(names.isValidIP(text), strict, text);
      assert.deepEqual(names.isValidIPForLegacyField(text), legacy, text);
    }
    assert.deepEqual(names.isValidIPForLegacyField("1.1.1.01", ["1.1.1.01"]), []);
  });

  it("judges CIDRs", () => {
    assert.deepEqual(names.isValidCIDR("10.0.0.0/8"), []);
    assert.deepEqual(names.isValidCIDR("2001:DB8::/64"), ['must be in canonical form ("2001:db8::/64")']);
    assert.deepEqual(names.isValidCIDRForLegacyField("2001:DB8::/64"), []);
    assert.deepEqual(names.isValidCIDR("10.1.0.0/8"), ["must not have bits set beyond the prefix length"]);
    assert.deepEqual(names.isValidCIDR("10.0.0.0/08"), ["must not have leading 0s in IP or prefix length"]);
    assert.deepEqual(names.isValidCIDR("::ffff:10.0.0.0/104"), ["must not have an IPv4-mapped IPv6 address"]);
    assert.equal(names.isValidCIDR("10.0.0.0/33").length, 1);
    assert.deepEqual(names.isValidInterfaceAddress("192.168.1.5/24"), []);
  });

  it("warns of what later releases will refuse", () => {
    assert.deepEqual(names.cidrWarnings("spec.x", "10.1.0.0/8"), [
      'spec.x: CIDR value "10.1.0.0/8" is ambiguous in this context (should be "10.0.0.0/8" or "10.1.0.0/32"?)',
    ]);
    assert.deepEqual(names.ipWarnings("spec.x", "2001:DB8::1"), [
      'spec.x: IPv6 address "2001:DB8::1" should be in RFC 5952 canonical format ("2001:db8::1")',
    ]);
  });

  it("judges socket addresses", () => {
    assert.deepEqual(names.isValidSocketAddr("0.0.0.0:10254"), []);
    assert.deepEqual(names.isValidSocketAddr("[::]:10254"), []);
    assert.equal(
      names.isValidSocketAddr("0.0.0.0")[0],
      "must be a valid socket address format, (e.g. 0.0.0.0:10254 or [::]:10254)",
    );
    assert.deepEqual(names.isValidSocketAddr("0.0.0.0:99999"), ["must be between 1 and 65535, inclusive"]);
  });
});
