/** Reads the arguments of a plugin: every field is asked for by name, what was not asked for is an error. */
import { ConfigurationError } from "./plugin.ts";

export type Given = Readonly<Record<string, unknown>>;

function isObject(value: unknown): value is Given {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Upstream's form: `scoringStrategy.type: Unsupported value: "Other": supported values: "LeastAllocated", …`. */
function refuse(path: string, kind: string, why: string, value?: unknown): ConfigurationError {
  const shown = value === undefined ? "" : ` ${JSON.stringify(value)}:`;
  return new ConfigurationError(`${path}: ${kind}:${shown} ${why}`);
}

export class ArgumentsReader {
  private readonly given: Given;
  private readonly path: string;
  private readonly asked = new Set<string>();

  constructor(given: unknown, path = "") {
    if (given !== undefined && given !== null && !isObject(given)) {
      throw new ConfigurationError(`${path || "args"}: Invalid value: must be an object`);
    }
    this.given = given ?? {};
    this.path = path;
  }

  /** Whether the field is there. */
  has(name: string): boolean {
    return this.take(name) !== undefined;
  }

  text(name: string, fallback: string, allowed?: readonly string[]): string {
    const value = this.take(name);
    if (value === undefined) return fallback;
    if (typeof value !== "string") throw this.invalid(name, value, "must be a string");
    if (allowed && !allowed.includes(value)) {
      const names = allowed.map((each) => JSON.stringify(each)).join(", ");
      throw refuse(this.at(name), "Unsupported value", `supported values: ${names}`, value);
    }
    return value;
  }

  /** A whole number. */
  number(name: string, fallback: number, least: number, most: number): number {
    const value = this.take(name);
    if (value === undefined) return fallback;
    if (typeof value !== "number" || !Number.isInteger(value)) {
      throw this.invalid(name, value, "must be a whole number");
    }
    if (value < least || value > most) {
      throw this.invalid(
        name,
        value,
        most === Number.POSITIVE_INFINITY
          ? `must be greater than or equal to ${least}`
          : `not in valid range [${least}, ${most}]`,
      );
    }
    return value;
  }

  flag(name: string, fallback: boolean): boolean {
    const value = this.take(name);
    if (value === undefined) return fallback;
    if (typeof value !== "boolean") throw this.invalid(name, value, "must be true or false");
    return value;
  }

  texts(name: string): string[] {
    return this.items(name).map((value, i) => {
      if (typeof value !== "string") throw this.invalid(`${name}[${i}]`, value, "must be a string");
      return value;
    });
  }

  /** Undefined where the field is absent. */
  list<T>(name: string, read: (item: ArgumentsReader, path: string) => T): T[] | undefined {
    if (this.take(name) === undefined) return undefined;
    return this.items(name).map((value, i) => {
      const path = `${this.at(name)}[${i}]`;
      const item = new ArgumentsReader(value, path);
      const result = read(item, path);
      item.done();
      return result;
    });
  }

  object<T>(name: string, read: (object: ArgumentsReader) => T): T | undefined {
    const value = this.take(name);
    if (value === undefined) return undefined;
    const object = new ArgumentsReader(value, this.at(name));
    const result = read(object);
    object.done();
    return result;
  }

  /** As it is given, for what the API's own schema describes. */
  raw(name: string): unknown {
    return this.take(name);
  }

  invalid(name: string, value: unknown, why: string): ConfigurationError {
    return refuse(this.at(name), "Invalid value", why, value);
  }

  missing(name: string, why = ""): ConfigurationError {
    return new ConfigurationError(`${this.at(name)}: Required value${why && `: ${why}`}`);
  }

  /** To be called last. */
  done(): void {
    for (const name of Object.keys(this.given)) {
      if (this.asked.has(name) || (this.path === "" && (name === "apiVersion" || name === "kind"))) continue;
      throw new ConfigurationError(`unknown field "${this.at(name)}"`);
    }
  }

  private items(name: string): readonly unknown[] {
    const value = this.take(name);
    if (value === undefined) return [];
    if (!Array.isArray(value)) throw this.invalid(name, value, "must be a list");
    return value;
  }

  private take(name: string): unknown {
    this.asked.add(name);
    const value = Object.hasOwn(this.given, name) ? this.given[name] : undefined;
    return value === null ? undefined : value;
  }

  private at(name: string): string {
    return this.path === "" ? name : `${this.path}.${name}`;
  }
}

/** Reads all arguments of a plugin. */
export function readArguments<T>(given: Given | undefined, read: (from: ArgumentsReader) => T): T {
  const reader = new ArgumentsReader(given);
  const result = read(reader);
  reader.done();
  return result;
}
