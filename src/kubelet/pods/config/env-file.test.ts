import assert from "node:assert/strict";
import test from "node:test";
import { envFileValue } from "./env-file.ts";

const FILE = `# of the init container
  # indented

   FIRST='one'
\tSECOND='# $HOME "two" = \\n'  # the second
THIRD=''
LINES='a

  b'
LAST='x'`;

test("envFileValue reads what is between single quotes as it is", () => {
  assert.equal(envFileValue(FILE, "FIRST"), "one");
  assert.equal(envFileValue(FILE, "SECOND"), '# $HOME "two" = \\n');
  assert.equal(envFileValue(FILE, "THIRD"), "");
  assert.equal(envFileValue(FILE, "LINES"), "a\n\n  b");
  assert.equal(envFileValue(FILE, "LAST"), "x");
  assert.equal(envFileValue(FILE, "FIRST "), undefined);
  assert.equal(envFileValue("", "FIRST"), undefined);
});

test("envFileValue takes the first of a name, and lines that end as elsewhere", () => {
  assert.equal(envFileValue("A='1'\r\nA='2'\r\n", "A"), "1");
  assert.equal(envFileValue("\r\nA='1'\r\nB='2'\r\n", "B"), "2");
});

const format = "invalid environment variable format at line";
for (const [text, message] of [
  ["A='1'\nINVALID\nB='2'", `${format} 2`],
  ["='1'\nB='2'", `${format} 1`],
  ["NAME\nA=B='2'", `${format} 1`],
  ["A ='1'\nB='2'", `${format} 1: whitespace before '=' is not allowed`],
  ["A= '1'\nB='2'", `${format} 1: value must be enclosed in single quotes`],
  ["A=\"1\"\nB='2'", `${format} 1: value must be enclosed in single quotes`],
  ["A=1\nB='2'", `${format} 1: value must be enclosed in single quotes`],
  ["A='1''2'\nB='2'", `${format} 1: unexpected content after closing quote`],
  ["A='1'#no\nB='2'", `${format} 1: unexpected content after closing quote`],
  ["\nA='1\nC='3'\nB='2'", `${format} 3: unexpected content after closing quote`],
  ["A='1\nB=2", `${format} 1: unclosed single quote`],
] as const) {
  test(`envFileValue says what is wrong with ${JSON.stringify(text)}`, () => {
    assert.throws(() => envFileValue(text, "B"), { name: "EnvFileError", message });
  });
}

test("envFileValue does not mind what follows the variable", () => {
  assert.equal(envFileValue("A='1'\nINVALID", "A"), "1");
});
