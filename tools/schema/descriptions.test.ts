import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import test from "node:test";
import { openApiNameOf } from "../../src/api/schema/open-api-name.ts";
import { readDescriptions, unescapeDoc } from "./descriptions.ts";

const SWAGGER = new URL("../../../shared/reference/swagger.json", import.meta.url);
const skip = existsSync(SWAGGER) ? false : "the reference data is not beside the checkout";

interface Described {
  description?: string;
  properties?: Record<string, { description?: string; $ref?: string }>;
}

test("readDescriptions has upstream's text of every field but those that refer to a definition", {
  skip,
}, async () => {
  const { definitions } = JSON.parse(readFileSync(SWAGGER, "utf8")) as {
    definitions: Record<string, Described>;
  };
  const descriptions = await readDescriptions();
  const flat = (text: string) => text.replace(/\s/g, "").trim();
  let texts = 0;
  let equal = 0;
  for (const [id, own] of Object.entries(descriptions)) {
    const upstream = definitions[openApiNameOf(id)];
    assert.ok(upstream !== undefined, id);
    for (const [name, expected] of [["", upstream] as const, ...Object.entries(upstream.properties ?? {})]) {
      // OpenAPI v2 forbids anything beside a $ref, so the client's models have no text there.
      if (expected.description === undefined || own[name] === undefined) {
        assert.ok(
          expected.description === undefined || "$ref" in expected,
          `${id}.${name} has no description`,
        );
        continue;
      }
      // The leaves' own text stands in for that of a field that refers to one.
      if ("$ref" in expected) continue;
      assert.equal(flat(own[name]), flat(expected.description), `${id}.${name}`);
      texts++;
      if (own[name] === expected.description) equal++;
    }
  }
  assert.ok(texts > 3000, `only ${texts} texts`);
  assert.ok(equal / texts > 0.9, `${equal} of ${texts} are equal in their line breaks too`);
});

test("unescapeDoc takes back escapes, entities and paragraphs", () => {
  const escaped = unescapeDoc('the pod\\\'s \\"name\\" &lt; 5.  See `x`.');
  assert.equal(escaped, 'the pod\'s "name" < 5.\n\nSee `x`.');
});
