/**
 * YAML bodies, read as sigs.k8s.io/yaml does. The text may be hostile: the number of tokens and the size of expanded
 * aliases are limited, and text is given up as soon as it goes beyond, before it has been read whole.
 */
import { Composer, type CST, isAlias, isMap, isScalar, isSeq, Lexer, Parser } from "yaml";
import { isExactInteger } from "../json/exact-integer.ts";
import { stringify } from "../json/json.ts";
import { decodeUTF8 } from "../json/utf8.ts";
import { resolvePlain, UnsupportedFloat } from "./plain-scalar.ts";

export { stringifyYAML } from "./stringify-yaml.ts";

export class YAMLError extends Error {
  constructor(message: string) {
    super(`yaml: ${message}`);
    this.name = "YAMLError";
  }
}

export interface ParsedYAML {
  value: unknown;
  /** `key "name" already set in map`, with lines, for strict decoding; the last of two keys counts. */
  duplicates: string[];
}

const MAX_TOKENS = 400_000;
/** Nodes that aliases may add to those that are written out. */
const MAX_ALIASED = 100_000;
const MAX_NESTING = 1_000;
const MAX_DUPLICATES = 100;
const MAX_EMPTY_DOCUMENTS = 100;
const MAX_DIRECTIVES = 10;

/** The single document of a body. Throws a YAMLError for text that is not YAML, too large, or several documents. */
export function parseYAML(body: Uint8Array | string): unknown {
  return parseYAMLStrict(body).value;
}

/** parseYAML, and which keys came twice. */
export function parseYAMLStrict(body: Uint8Array | string): ParsedYAML {
  const text = typeof body === "string" ? body : decodeUTF8(body);
  try {
    return new Reader(text).read();
  } catch (error) {
    if (error instanceof UnsupportedFloat) throw new YAMLError(error.message);
    if (error instanceof RangeError) throw new YAMLError("exceeded max depth");
    throw error;
  }
}

class Reader {
  private readonly text: string;
  private readonly duplicates: string[] = [];
  private readonly anchors: Map<string, unknown> = new Map();
  /** Anchors whose node is being read: an alias to one would never end. */
  private readonly open: Set<unknown> = new Set();
  private inAlias = 0;
  private aliased = 0;
  private nesting = 0;

  constructor(text: string) {
    this.text = text;
  }

  read(): ParsedYAML {
    // Keys are compared and aliases followed here: the library does both in quadratic time.
    const composer = new Composer({
      uniqueKeys: false,
      schema: "failsafe",
      logLevel: "silent",
      merge: false,
    });
    let content: unknown = null;
    let documents = 0;
    for (const document of composer.compose(this.tokens(), true, this.text.length)) {
      const first = document.errors[0];
      if (first) throw new YAMLError(`line ${this.lineAt(first.pos[0])}: ${shortened(first.message)}`);
      if (document.contents === null && ++documents < MAX_EMPTY_DOCUMENTS) continue;
      if (content !== null) throw new YAMLError("a body must be a single document");
      content = document.contents;
    }
    return { value: this.value(content), duplicates: this.duplicates };
  }

  private *tokens(): Generator<CST.Token> {
    const parser = new Parser();
    let count = 0;
    let nesting = 0;
    let directives = 0;
    for (const lexeme of new Lexer().lex(this.text)) {
      if (++count > MAX_TOKENS) throw new YAMLError("the document has too many parts");
      if (lexeme === "[" || lexeme === "{") nesting++;
      else if (lexeme === "]" || lexeme === "}") nesting--;
      else if (lexeme[0] === "%" && ++directives > MAX_DIRECTIVES) throw new YAMLError("too many directives");
      if (nesting > MAX_NESTING) throw new YAMLError("exceeded max depth");
      yield* parser.next(lexeme);
    }
    yield* parser.end();
  }

  private value(node: unknown): unknown {
    if (node === null || node === undefined) return null;
    if (isAlias(node)) return this.aliasValue(node.source);
    if (this.inAlias > 0 && ++this.aliased > MAX_ALIASED) {
      throw new YAMLError("document contains excessive aliasing");
    }
    const anchor = (node as { anchor?: string }).anchor;
    if (anchor) {
      this.anchors.set(anchor, node);
      this.open.add(node);
    }
    if (++this.nesting > MAX_NESTING) throw new YAMLError("exceeded max depth");
    const value = this.contents(node);
    this.nesting--;
    if (anchor) this.open.delete(node);
    return value;
  }

  private contents(node: unknown): unknown {
    if (isScalar(node)) return this.scalar(node);
    if (isSeq(node)) return node.items.map((item) => this.value(item));
    if (isMap(node)) return this.map(node);
    throw new YAMLError("unexpected node");
  }

  private aliasValue(name: string): unknown {
    const target = this.anchors.get(name);
    if (target === undefined) throw new YAMLError(`unknown anchor '${name}' referenced`);
    if (this.open.has(target)) throw new YAMLError(`anchor '${name}' value contains itself`);
    this.inAlias++;
    const value = this.value(target);
    this.inAlias--;
    return value;
  }

  private scalar(node: { value: unknown; type?: string; tag?: string; range?: unknown }): unknown {
    const text = typeof node.value === "string" ? node.value : String(node.value ?? "");
    switch (node.tag?.replace("tag:yaml.org,2002:", "!!")) {
      case undefined:
        return node.type === "PLAIN" || node.value === null ? resolvePlain(text) : text;
      case "!!int":
      case "!!float":
      case "!!bool":
      case "!!null":
        return resolvePlain(text);
      case "!!binary":
        return decodeUTF8(Uint8Array.from(atob(text), (character) => character.charCodeAt(0)));
      default:
        return text;
    }
  }

  private map(node: { items: { key: unknown; value: unknown }[] }): Record<string, unknown> {
    const entries = new Map<string, unknown>();
    const merged = new Map<string, unknown>();
    for (const { key, value } of node.items) {
      if (isScalar(key) && key.value === "<<" && key.type === "PLAIN" && key.tag === undefined) {
        this.merge(value, merged);
        continue;
      }
      const name = this.keyText(key);
      if (entries.has(name)) this.duplicate(name, key);
      entries.set(name, this.value(value));
    }
    for (const [name, value] of merged) if (!entries.has(name)) entries.set(name, value);
    return Object.fromEntries(entries);
  }

  private merge(value: unknown, into: Map<string, unknown>): void {
    const sources = isSeq(value) ? value.items : [value];
    for (const source of sources) {
      const below = this.value(source);
      if (typeof below !== "object" || below === null || Array.isArray(below)) {
        throw new YAMLError("map merge requires map or sequence of maps as the value");
      }
      for (const [name, inner] of Object.entries(below)) if (!into.has(name)) into.set(name, inner);
    }
  }

  private keyText(key: unknown): string {
    const value = this.value(key);
    if (typeof value === "string") return value;
    if (isExactInteger(value)) return value.rawJSON;
    if (typeof value === "object") throw new YAMLError(`unsupported map key ${stringify(value)}`);
    return stringify(value);
  }

  private duplicate(name: string, key: unknown): void {
    if (this.duplicates.length >= MAX_DUPLICATES) return;
    const range = (key as { range?: [number, number, number] }).range;
    this.duplicates.push(
      `line ${this.lineAt(range?.[0] ?? 0)}: key ${JSON.stringify(name)} already set in map`,
    );
  }

  private lineAt(position: number): number {
    let line = 1;
    for (let at = this.text.indexOf("\n"); at >= 0 && at < position; at = this.text.indexOf("\n", at + 1))
      line++;
    return line;
  }
}

/** The library's message without its own position, and not as long as the text it complains of. */
function shortened(message: string): string {
  return message.split(" at line ")[0]!.slice(0, 200);
}
