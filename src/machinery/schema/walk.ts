/** A body or value that does not fit its definition; the message is what Go's decoder says. */
export class DecodeError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "DecodeError";
  }
}

/** What `read` makes of a text. What it cannot read is a DecodeError in its words. */
export function decodeText<T>(read: (value: T) => string, value: T): string {
  try {
    return read(value);
  } catch (error) {
    throw new DecodeError(error instanceof Error ? error.message : String(error));
  }
}

/** No more strict errors than this are collected for one object. */
const MAX_STRICT_ERRORS = 100;

/** A map's key on the way to a value; Go names it in strict errors and leaves it out of type errors. */
export interface MapKey {
  key: string;
}

/** One walk over one value: where it is, what it has found wrong but not fatal, and how many keys it has seen. */
export class Walk {
  /** Fields, list indexes and map keys from the root down; only the first `depth` count. */
  readonly path: (string | number | MapKey)[] = [];
  depth = 0;
  keys = 0;
  readonly strictErrors: string[] = [];
  /** Whether the value may be changed and kept, because nobody else has it. */
  readonly owned: boolean;
  /** Whether keys below values of any shape are to be counted. */
  readonly counting: boolean;

  constructor(owned: boolean, counting: boolean) {
    this.owned = owned;
    this.counting = counting;
  }

  unknownField(key: string): void {
    const above = this.strictPath();
    this.strictError(`unknown field ${JSON.stringify(above === "" ? key : `${above}.${key}`)}`);
  }

  strictError(text: string): void {
    if (this.strictErrors.length < MAX_STRICT_ERRORS && !this.strictErrors.includes(text)) {
      this.strictErrors.push(text);
    }
  }

  /** `spec.containers[0].env`, as strict errors name a place. */
  private strictPath(): string {
    let text = "";
    for (let at = 0; at < this.depth; at++) {
      const part = this.path[at]!;
      if (typeof part === "number") text += `[${part}]`;
      else {
        const name = typeof part === "string" ? part : part.key;
        text += text === "" ? name : `.${name}`;
      }
    }
    return text;
  }

  /** `spec.containers.env`, as type errors name a place: fields only. */
  fieldPath(last: string): string {
    const names: string[] = [];
    for (let at = 0; at < this.depth; at++) {
      const part = this.path[at]!;
      if (typeof part === "string") names.push(part);
    }
    if (last !== "") names.push(last);
    return names.join(".");
  }
}
