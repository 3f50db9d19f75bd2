/**
 * Field selectors: `status.phase!=Failed,spec.nodeName=a` (apimachinery/pkg/fields). Values escape `,`, `=` and `\`
 * with a backslash.
 */
import { SelectorError } from "./tokens.ts";

export interface FieldRequirement {
  readonly field: string;
  readonly operator: "=" | "!=";
  readonly value: string;
}

export interface FieldSelector {
  readonly requirements: readonly FieldRequirement[];
  readonly everything: boolean;
  /** `get` answers the field's value, "" where it has none. */
  matches(get: (field: string) => string): boolean;
  /** The value that the field must have, where one is required. */
  exact(field: string): string | undefined;
  toString(): string;
}

export function escapeFieldValue(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll(",", "\\,").replaceAll("=", "\\=");
}

function unescaped(text: string): string {
  if (!text.includes("\\") && !text.includes(",") && !text.includes("=")) return text;
  let value = "";
  for (let i = 0; i < text.length; i++) {
    const char = text[i]!;
    if (char === "\\") {
      const next = text[i + 1];
      if (next === undefined || !"\\,=".includes(next)) {
        throw new SelectorError(`invalid field selector: invalid escape sequence: ${text.slice(i, i + 2)}`);
      }
      value += next;
      i++;
    } else if (char === "," || char === "=") {
      const code = char.charCodeAt(0);
      throw new SelectorError(`invalid field selector: unescaped character in value: ${code}`);
    } else value += char;
  }
  return value;
}

/** Terms between commas that no backslash hides. */
function termsOf(selector: string): string[] {
  const terms: string[] = [];
  let from = 0;
  for (let i = 0; i < selector.length; i++) {
    if (selector[i] === "\\") i++;
    else if (selector[i] === ",") {
      terms.push(selector.slice(from, i));
      from = i + 1;
    }
  }
  terms.push(selector.slice(from));
  return terms;
}

function requirementOf(term: string, selector: string): FieldRequirement {
  for (let i = 0; i < term.length; i++) {
    const sign = ["!=", "==", "="].find((text) => term.startsWith(text, i));
    if (sign === undefined) continue;
    const value = unescaped(term.slice(i + sign.length));
    return { field: term.slice(0, i), operator: sign === "!=" ? "!=" : "=", value };
  }
  throw new SelectorError(`invalid selector: '${selector}'; can't understand '${term}'`);
}

/** A selector of these requirements. */
export function fieldSelectorOf(requirements: readonly FieldRequirement[]): FieldSelector {
  return {
    requirements,
    everything: requirements.length === 0,
    matches(get) {
      for (const { field, operator, value } of requirements) {
        if ((get(field) === value) !== (operator === "=")) return false;
      }
      return true;
    },
    exact: (field) => requirements.find((r) => r.field === field && r.operator === "=")?.value,
    toString: () => requirements.map((r) => `${r.field}${r.operator}${escapeFieldValue(r.value)}`).join(","),
  };
}

/** Reads a selector; empty terms are left out. Throws SelectorError. */
export function parseFieldSelector(text: string): FieldSelector {
  const terms = termsOf(text).filter((term) => term !== "");
  return fieldSelectorOf(terms.sort().map((term) => requirementOf(term, text)));
}
