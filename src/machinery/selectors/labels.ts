/**
 * Label selectors: parsed from text or from a LabelSelector object into requirements, and compiled into one closure
 * (apimachinery/pkg/labels).
 */
import { isQualifiedName, isValidLabelValue } from "../names/names.ts";
import { SelectorError, type Token, tokenize } from "./tokens.ts";

export { SelectorError };

export type LabelOperator = "=" | "==" | "!=" | "in" | "notin" | "exists" | "!" | "gt" | "lt";

export interface LabelRequirement {
  readonly key: string;
  readonly operator: LabelOperator;
  /** Sorted, without doubles. */
  readonly values: readonly string[];
}

export type Labels = Readonly<Record<string, string>> | undefined;

/** meta.v1.LabelSelector. */
export interface LabelSelectorObject {
  matchLabels?: Readonly<Record<string, string>>;
  matchExpressions?: readonly { key: string; operator: string; values?: readonly string[] }[];
}

export interface LabelSelector {
  /** In the order of their keys. */
  readonly requirements: readonly LabelRequirement[];
  /** Whether every set of labels matches. */
  readonly everything: boolean;
  matches(labels: Labels): boolean;
  /** The canonical text. */
  toString(): string;
}

const BINARY_OPERATORS = "in, notin, =, ==, !=, gt, lt";

function labelValue(labels: Labels, key: string): string | undefined {
  return labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
}

/** A whole number as Go's ParseInt takes it, or undefined. */
function integer(text: string): bigint | undefined {
  const from = text.startsWith("-") || text.startsWith("+") ? 1 : 0;
  if (text.length === from || text.length > 63) return undefined;
  for (let i = from; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 48 || code > 57) return undefined;
  }
  const value = BigInt(text.startsWith("+") ? text.slice(1) : text);
  return value >= -(1n << 63n) && value < 1n << 63n ? value : undefined;
}

type Match = (labels: Labels) => boolean;

function matcher({ key, operator, values }: LabelRequirement): Match {
  const [first = ""] = values;
  switch (operator) {
    case "=":
    case "==":
      return (labels) => labelValue(labels, key) === first;
    case "!=":
      return (labels) => labelValue(labels, key) !== first;
    case "in":
      return (labels) => {
        const value = labelValue(labels, key);
        return value !== undefined && values.includes(value);
      };
    case "notin":
      return (labels) => {
        const value = labelValue(labels, key);
        return value === undefined || !values.includes(value);
      };
    case "exists":
      return (labels) => labelValue(labels, key) !== undefined;
    case "!":
      return (labels) => labelValue(labels, key) === undefined;
    case "gt":
    case "lt": {
      const bound = integer(first)!;
      return (labels) => {
        const value = integer(labelValue(labels, key) ?? "");
        return value !== undefined && (operator === "gt" ? value > bound : value < bound);
      };
    }
  }
}

function textOf({ key, operator, values }: LabelRequirement): string {
  switch (operator) {
    case "exists":
      return key;
    case "!":
      return `!${key}`;
    case "in":
    case "notin":
      return `${key} ${operator} (${values.join(",")})`;
    case "gt":
      return `${key}>${values[0]}`;
    case "lt":
      return `${key}<${values[0]}`;
    default:
      return `${key}${operator}${values[0]}`;
  }
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A selector of requirements that are valid already. */
export function selectorOf(given: readonly LabelRequirement[]): LabelSelector {
  const requirements = given.toSorted((a, b) => compare(a.key, b.key));
  const matches = requirements.map(matcher);
  const [only] = matches;
  return {
    requirements,
    everything: requirements.length === 0,
    matches:
      matches.length === 1
        ? only!
        : (labels) => {
            for (const match of matches) if (!match(labels)) return false;
            return true;
          },
    toString: () => requirements.map(textOf).join(","),
  };
}

/** Matches all; a frozen constant. */
export const EVERYTHING: LabelSelector = selectorOf([]);

/** Matches none: what an absent LabelSelector means. */
export const NOTHING: LabelSelector = {
  requirements: [],
  everything: false,
  matches: () => false,
  toString: () => "",
};

function invalid(field: string, value: unknown, why: string): SelectorError {
  return new SelectorError(`${field}: Invalid value: ${JSON.stringify(value)}: ${why}`);
}

function checkKey(field: string, key: string): void {
  const wrong = isQualifiedName(key);
  if (wrong.length > 0) throw invalid(field, key, wrong.join("; "));
}

/** A requirement that keeps the rules; throws SelectorError in upstream's words. */
export function labelRequirement(
  key: string,
  operator: LabelOperator,
  given: readonly string[],
): LabelRequirement {
  checkKey("key", key);
  const values = [...new Set(given)].sort(compare);
  const several = (why: string) => invalid("values", values, why);
  if (operator === "in" || operator === "notin") {
    if (values.length === 0) throw several("for 'in', 'notin' operators, values set can't be empty");
  } else if (operator === "exists" || operator === "!") {
    if (values.length > 0) throw several("values set must be empty for exists and does not exist");
  } else if (operator === "gt" || operator === "lt") {
    if (values.length !== 1) throw several("for 'Gt', 'Lt' operators, exactly one value is required");
    if (integer(values[0]!) === undefined) {
      throw invalid("values[0]", values[0], "for 'Gt', 'Lt' operators, the value must be an integer");
    }
  } else if (values.length !== 1) throw several("exact-match compatibility requires one single value");
  for (const [i, value] of values.entries()) {
    const wrong = isValidLabelValue(value);
    if (wrong.length > 0) throw invalid(`values[${i}][${key}]`, value, wrong.join("; "));
  }
  return { key, operator, values };
}

class Parser {
  private readonly tokens: readonly Token[];
  private at = 0;

  constructor(text: string) {
    this.tokens = tokenize(text);
  }

  all(): LabelRequirement[] {
    const requirements: LabelRequirement[] = [];
    for (;;) {
      const token = this.peek();
      if (token.type === "end") return requirements;
      if (token.type !== "word" && token.type !== "!") {
        throw new SelectorError(`found '${token.text}', expected: !, identifier, or 'end of string'`);
      }
      requirements.push(this.requirement());
      const after = this.next();
      if (after.type === "end") return requirements;
      if (after.type !== ",") {
        throw new SelectorError(`found '${after.text}', expected: ',' or 'end of string'`);
      }
      const following = this.peek();
      if (following.type !== "word" && following.type !== "!") {
        throw new SelectorError(`found '${following.text}', expected: identifier after ','`);
      }
    }
  }

  private peek(): Token {
    return this.tokens[Math.min(this.at, this.tokens.length - 1)]!;
  }

  private next(): Token {
    const token = this.peek();
    this.at++;
    return token;
  }

  private requirement(): LabelRequirement {
    try {
      return this.readRequirement();
    } catch (error) {
      if (!(error instanceof SelectorError)) throw error;
      throw new SelectorError(`unable to parse requirement: ${error.message}`);
    }
  }

  private readRequirement(): LabelRequirement {
    const negated = this.peek().type === "!";
    if (negated) this.next();
    const key = this.next();
    if (key.type !== "word") throw new SelectorError(`found '${key.text}', expected: identifier`);
    checkKey("<nil>", key.text);
    if (negated) return labelRequirement(key.text, "!", []);
    const after = this.peek();
    if (after.type === "end" || after.type === ",") return labelRequirement(key.text, "exists", []);
    const operator = this.operator();
    const values = operator === "in" || operator === "notin" ? this.values() : [this.exactValue()];
    return labelRequirement(key.text, operator, values);
  }

  private operator(): LabelOperator {
    const { type, text } = this.next();
    if (type === "=" || type === "==" || type === "!=") return type;
    if (type === ">") return "gt";
    if (type === "<") return "lt";
    if (type === "word" && (text === "in" || text === "notin")) return text;
    throw new SelectorError(`found '${text}', expected: ${BINARY_OPERATORS}`);
  }

  private values(): string[] {
    const open = this.next();
    if (open.type !== "(") throw new SelectorError(`found '${open.text}' expected: '('`);
    const first = this.peek();
    if (first.type === ")") {
      this.next();
      return [];
    }
    if (first.type !== "word" && first.type !== ",") {
      throw new SelectorError(`found '${first.text}', expected: ',', ')' or identifier`);
    }
    const values: string[] = [];
    for (;;) {
      // A comma where a value should be stands for the empty value.
      const token = this.peek();
      if (token.type === "word") values.push(this.next().text);
      else if (token.type === "," || token.type === ")") values.push("");
      else throw new SelectorError(`found '${token.text}', expected: ',', or identifier`);
      const after = this.next();
      if (after.type === ")") return values;
      if (after.type !== ",") throw new SelectorError(`found '${after.text}', expected: ',' or ')'`);
    }
  }

  private exactValue(): string {
    const token = this.peek();
    if (token.type === "end" || token.type === ",") return "";
    this.next();
    if (token.type === "word") return token.text;
    throw new SelectorError(`found '${token.text}', expected: identifier`);
  }
}

/** Reads `a=b,c in (d,e),!f`; the empty text matches everything. Throws SelectorError. */
export function parseLabelSelector(text: string): LabelSelector {
  return text === "" ? EVERYTHING : selectorOf(new Parser(text).all());
}

const OBJECT_OPERATORS: ReadonlyMap<string, LabelOperator> = new Map([
  ["In", "in"],
  ["NotIn", "notin"],
  ["Exists", "exists"],
  ["DoesNotExist", "!"],
]);

/** Absent matches nothing, empty matches everything. Throws SelectorError. */
export function labelSelectorOf(selector: LabelSelectorObject | undefined): LabelSelector {
  if (!selector) return NOTHING;
  const requirements: LabelRequirement[] = [];
  for (const [key, value] of Object.entries(selector.matchLabels ?? {})) {
    requirements.push(labelRequirement(key, "=", [value]));
  }
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    const known = OBJECT_OPERATORS.get(operator);
    if (!known) throw new SelectorError(`"${operator}" is not a valid label selector operator`);
    requirements.push(labelRequirement(key, known, values));
  }
  return requirements.length === 0 ? EVERYTHING : selectorOf(requirements);
}

/** Matches objects that have all of `labels`, which need not be valid (a Service's selector). */
export function selectorFromSet(labels: Readonly<Record<string, string>>): LabelSelector {
  return selectorOf(Object.entries(labels).map(([key, value]) => ({ key, operator: "=", values: [value] })));
}

/** As columns show a LabelSelector: `<none>` where it selects nothing in particular. */
export function formatLabelSelector(selector: LabelSelectorObject | undefined): string {
  try {
    return labelSelectorOf(selector).toString() || "<none>";
  } catch (error) {
    if (error instanceof SelectorError) return "<error>";
    throw error;
  }
}

/** As columns show labels: `a=b,c=d` in the order of keys, `<none>` where there are none. */
export function formatLabels(labels: Labels): string {
  const pairs = Object.entries(labels ?? {}).map(([key, value]) => `${key}=${value}`);
  return pairs.sort(compare).join(",") || "<none>";
}
