/**
 * Why text is not JSON, in the words of Go's decoder, which clients see in the API server's messages. Only asked after
 * parsing has failed.
 */
export function jsonSyntaxError(text: string): string {
  try {
    const end = space(text, value(text, space(text, 0)));
    return end < text.length ? wrong(text, end, "after top-level value").message : "invalid JSON";
  } catch (error) {
    if (error instanceof JSONSyntaxError) return error.message;
    if (error instanceof RangeError) return "exceeded max depth";
    throw error;
  }
}

class JSONSyntaxError extends Error {}

function wrong(text: string, at: number, where: string): JSONSyntaxError {
  if (at >= text.length) return new JSONSyntaxError("unexpected end of JSON input");
  return new JSONSyntaxError(`invalid character ${quoted(text.charCodeAt(at))} ${where}`);
}

/** As Go prints one byte of the input: it looks at bytes, not at characters. */
function quoted(code: number): string {
  if (code === 0x27) return "'\\''";
  if (code === 0x22) return "'\"'";
  if (code >= 0x80) {
    const first = new TextEncoder().encode(String.fromCharCode(code))[0]!;
    return `'${String.fromCharCode(first)}'`;
  }
  const named = { 7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 92: "\\" }[code];
  if (named !== undefined) return `'\\${named}'`;
  if (code < 0x20 || code === 0x7f) return `'\\x${code.toString(16).padStart(2, "0")}'`;
  return `'${String.fromCharCode(code)}'`;
}

function space(text: string, from: number): number {
  let at = from;
  for (; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) break;
  }
  return at;
}

function value(text: string, at: number): number {
  const first = text[at];
  if (first === "{") return object(text, at + 1);
  if (first === "[") return array(text, at + 1);
  if (first === '"') return string(text, at + 1);
  if (first === "t") return literal(text, at, "true");
  if (first === "f") return literal(text, at, "false");
  if (first === "n") return literal(text, at, "null");
  if (first === "-" || isDigit(first)) return number(text, at);
  throw wrong(text, at, "looking for beginning of value");
}

function object(text: string, from: number): number {
  let at = space(text, from);
  if (text[at] === "}") return at + 1;
  for (;;) {
    if (text[at] !== '"') throw wrong(text, at, "looking for beginning of object key string");
    at = space(text, string(text, at + 1));
    if (text[at] !== ":") throw wrong(text, at, "after object key");
    at = space(text, value(text, space(text, at + 1)));
    if (text[at] === "}") return at + 1;
    if (text[at] !== ",") throw wrong(text, at, "after object key:value pair");
    at = space(text, at + 1);
  }
}

function array(text: string, from: number): number {
  let at = space(text, from);
  if (text[at] === "]") return at + 1;
  for (;;) {
    at = space(text, value(text, at));
    if (text[at] === "]") return at + 1;
    if (text[at] !== ",") throw wrong(text, at, "after array element");
    at = space(text, at + 1);
  }
}

function string(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === 0x22) return at + 1;
    if (code < 0x20) throw wrong(text, at, "in string literal");
    if (code !== 0x5c) continue;
    at++;
    if (text[at] === "u") {
      for (let digit = 1; digit <= 4; digit++) {
        if (!isHex(text[at + digit])) throw wrong(text, at + digit, "in \\u hexadecimal character escape");
      }
      at += 4;
    } else if (at >= text.length || !'bfnrt\\/"'.includes(text[at]!)) {
      throw wrong(text, at, "in string escape code");
    }
  }
  throw wrong(text, text.length, "");
}

function literal(text: string, from: number, word: string): number {
  for (let at = 1; at < word.length; at++) {
    if (text[from + at] !== word[at]) {
      throw wrong(text, from + at, `in literal ${word} (expecting '${word[at]}')`);
    }
  }
  return from + word.length;
}

function number(text: string, from: number): number {
  let at = text[from] === "-" ? from + 1 : from;
  if (!isDigit(text[at])) throw wrong(text, at, "in numeric literal");
  at = text[at] === "0" ? at + 1 : digits(text, at);
  if (text[at] === ".") {
    if (!isDigit(text[at + 1])) throw wrong(text, at + 1, "after decimal point in numeric literal");
    at = digits(text, at + 1);
  }
  if (text[at] === "e" || text[at] === "E") {
    at += text[at + 1] === "+" || text[at + 1] === "-" ? 2 : 1;
    if (!isDigit(text[at])) throw wrong(text, at, "in exponent of numeric literal");
    at = digits(text, at);
  }
  return at;
}

function digits(text: string, from: number): number {
  let at = from;
  while (isDigit(text[at])) at++;
  return at;
}

function isDigit(character: string | undefined): boolean {
  return character !== undefined && character >= "0" && character <= "9";
}

function isHex(character: string | undefined): boolean {
  return character !== undefined && /^[0-9a-fA-F]$/.test(character);
}
