/**
 * JSON values as YAML that every reader of YAML 1.1 and 1.2 takes for the same values: keys sorted, lists at the
 * indentation of their key, strings quoted where a reader could take them for something else.
 */
import { isExactInteger } from "../json/exact-integer.ts";
import { resolvePlain } from "./plain-scalar.ts";

export function stringifyYAML(value: unknown): string {
  const lines: string[] = [];
  if (isCollection(value)) writeCollection(value, "", "", lines);
  else lines.push(scalarText(value, ""));
  return `${lines.join("\n")}\n`;
}

type Collection = unknown[] | Record<string, unknown>;

function isCollection(value: unknown): value is Collection {
  if (typeof value !== "object" || value === null || isExactInteger(value)) return false;
  return Array.isArray(value) ? value.length > 0 : Object.keys(value).length > 0;
}

/** `first` replaces the indentation of the first line: `- ` of the list that this is in. */
function writeCollection(value: Collection, first: string, indent: string, lines: string[]): void {
  let lead = first;
  if (Array.isArray(value)) {
    for (const element of value) {
      writeEntry(`${lead}-`, element, `${indent}  `, `${lead}- `, lines);
      lead = indent;
    }
    return;
  }
  for (const key of Object.keys(value).sort(compareKeys)) {
    const below = value[key];
    if (below === undefined) continue;
    const name = `${lead}${plainOrQuoted(key)}:`;
    lead = indent;
    if (!isCollection(below)) {
      lines.push(`${name} ${scalarText(below, indent)}`);
      continue;
    }
    lines.push(name);
    const inner = Array.isArray(below) ? indent : `${indent}  `;
    writeCollection(below, inner, inner, lines);
  }
}

function writeEntry(dash: string, element: unknown, indent: string, lead: string, lines: string[]): void {
  if (isCollection(element)) writeCollection(element, lead, indent, lines);
  else lines.push(`${dash} ${scalarText(element, indent.slice(2))}`);
}

/** Go compares strings byte by byte; by code unit is the same but for characters beyond the first 65536. */
function compareKeys(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function scalarText(value: unknown, indent: string): string {
  if (typeof value === "string") return stringText(value, indent);
  if (Array.isArray(value)) return "[]";
  if (isExactInteger(value)) return value.rawJSON;
  if (typeof value === "object" && value !== null) return "{}";
  return JSON.stringify(value) ?? "null";
}

// Printable text without tabs; what is not may only be written in quotes.
const BLOCK = /^[\x20-\x7e\u00a0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\n]*$/;

function stringText(text: string, indent: string): string {
  if (text.includes("\n") && BLOCK.test(text) && !/^[ \n]/.test(text) && !/ (?:\n|$)/.test(text)) {
    const body = text.replace(/\n+$/, "");
    const ends = text.length - body.length;
    const mark = ends === 0 ? "|-" : ends === 1 ? "|" : "|+";
    const lines = body.split("\n").map((line) => (line === "" ? "" : `${indent}  ${line}`));
    for (let more = 1; more < ends; more++) lines.push("");
    return `${mark}\n${lines.join("\n")}`;
  }
  return plainOrQuoted(text);
}

const PLAIN = /^[A-Za-z0-9_./$][A-Za-z0-9_./$ @%^*()+=;<>?~|\\-]*$/;

function plainOrQuoted(text: string): string {
  if (PLAIN.test(text) && !text.endsWith(" ") && isString(text)) return text;
  // JSON's escapes are YAML's too; what JSON leaves as it is but YAML does not print is escaped as well.
  return JSON.stringify(text).replace(
    /[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

// Numbers in base 60 and dates are something else than text to some readers.
const LIKE_NUMBER = /^[0-9.][0-9_:.eE+-]*$|^0[xob]/i;

function isString(text: string): boolean {
  if (LIKE_NUMBER.test(text)) return false;
  try {
    return typeof resolvePlain(text) === "string";
  } catch {
    return false;
  }
}
