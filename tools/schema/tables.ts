/** Reads the tables of src/api/schema/facts. */
import type { Facts } from "../../src/api/schema/facts.ts";

export interface MessageField {
  name: string;
  required: boolean;
  /** `2/1`, or "" where there is no protobuf. */
  numbers: string;
  type: string | undefined;
}

export interface Message {
  kind: string;
  /** What follows the `@` of a kind. */
  mark: string | undefined;
  /** Where the facts are stated instead. */
  like: string | undefined;
  fields: MessageField[];
}

export interface Tables {
  facts: Facts;
  messages: Map<string, Message>;
  /** By definition and field: merging facts in the form of definition-text.ts. */
  fieldFacts: Map<string, Map<string, string[]>>;
  atomic: Set<string>;
}

/** The entries of a table; continuation lines are indented deeper than the first entry. */
function entriesOf(table: string): string[] {
  const entries: string[] = [];
  for (const line of table.split("\n")) {
    if (line.trim() === "") continue;
    if (line.startsWith("   ")) entries[entries.length - 1] += ` ${line.trim()}`;
    else entries.push(line.trim());
  }
  return entries;
}

/** Splits at the commas outside parentheses. */
function itemsOf(text: string): string[] {
  return text === "" ? [] : text.split(/,\s+(?![^(]*\))/).map((item) => item.trim());
}

function readMessage(entry: string): Message {
  const match = /^(\w+)(?:@([\w./*]*))?(?::\s*(.*)| = (\S+))$/.exec(entry);
  if (match === null) throw new Error(`not an entry of messages: ${entry}`);
  const [, kind, mark, items = "", like] = match;
  const fields = itemsOf(items).map((item): MessageField => {
    const [numbers = "", name = "", type] = item.split(" ");
    if (!/^(-|[\d/]+)$/.test(numbers) || name === "") throw new Error(`not a field of ${kind}: ${item}`);
    return {
      name: name.replace("!", ""),
      required: name.endsWith("!"),
      numbers: numbers.replace("-", ""),
      type,
    };
  });
  return { kind: kind!, mark, like, fields };
}

function eachItem(table: string | undefined, use: (kind: string, field: string, rest: string) => void): void {
  for (const entry of entriesOf(table ?? "")) {
    const colon = entry.indexOf(": ");
    if (colon < 0) throw new Error(`no colon in ${entry}`);
    for (const item of itemsOf(entry.slice(colon + 2))) {
      const space = item.indexOf(" ");
      const field = space < 0 ? item : item.slice(0, space);
      use(entry.slice(0, colon), field, space < 0 ? "" : item.slice(space + 1));
    }
  }
}

export function readTables(facts: Facts): Tables {
  const messages = new Map(
    entriesOf(facts.messages).map((entry) => {
      const message = readMessage(entry);
      return [message.kind, message];
    }),
  );
  const fieldFacts: Tables["fieldFacts"] = new Map();
  const add = (kind: string, field: string, ...more: string[]) => {
    if (!messages.has(kind)) throw new Error(`${facts.id} has facts of an unknown ${kind}`);
    const fields = fieldFacts.get(kind) ?? new Map<string, string[]>();
    fieldFacts.set(kind, fields);
    fields.set(field, [...(fields.get(field) ?? []), ...more]);
  };
  eachItem(facts.merging, (kind, field, rest) => add(kind, field, ...rest.split(" ")));
  eachItem(facts.enums, (kind, field, rest) => add(kind, field, `enum(${rest})`));
  eachItem(facts.defaults, (kind, field, rest) => add(kind, field, `default(${rest})`));
  eachItem(facts.pointers, (kind, field) => add(kind, field, "pointer"));
  eachItem(facts.keptEmpty, (kind, field) => add(kind, field, "keptEmpty"));
  const atomic = new Set(itemsOf(entriesOf(facts.atomic ?? "").join(" ")));
  return { facts, messages, fieldFacts, atomic };
}
