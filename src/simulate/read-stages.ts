/** Stages as a file writes them: the same names, delays as Go writes durations (`5s`, or `{ after: 5s, jitter: 2s }`). */
import { type Delay, milliseconds, type PodMatch, type Stage } from "./stage.ts";

type Fields = Readonly<Record<string, unknown>>;
type Read<T> = (value: unknown, at: string) => T;

/** Throws a TypeError that says what is wrong and where. */
export function readStages(value: unknown): Stage[] {
  if (!Array.isArray(value)) throw new TypeError("stages must be a list");
  return value.map((stage, i) => readStage(stage, `stages[${i}]`));
}

const readStage: Read<Stage> = (value, at) =>
  fields(value, at, {
    match: readMatch,
    start: delayOrNever,
    initialize: delay,
    ready: delayOrNever,
    unready: (given, path) => fields(given, path, { every: delay, for: delay }, ["every", "for"]),
    exit: (given, path) =>
      fields(given, path, { after: delay, code: number, failureRate: rate, failureCode: number }, ["after"]),
    terminate: delay,
  }) as Stage;

const readMatch: Read<PodMatch> = (value, at) =>
  fields(value, at, { namespace: text, labels: text, annotations: texts, ownerKind: text, image: text });

function fields(
  value: unknown,
  at: string,
  readers: Readonly<Record<string, Read<unknown>>>,
  required: readonly string[] = [],
): Fields {
  const given = mapping(value, at);
  for (const name of required) {
    if (!Object.hasOwn(given, name)) throw new TypeError(`${at}.${name} is missing`);
  }
  return Object.fromEntries(
    Object.entries(given).map(([name, field]) => {
      const read = Object.hasOwn(readers, name) ? readers[name] : undefined;
      if (read) return [name, read(field, `${at}.${name}`)];
      throw new TypeError(`${at}.${name} is not known; there are ${Object.keys(readers).join(", ")}`);
    }),
  );
}

function mapping(value: unknown, at: string): Fields {
  if (typeof value === "object" && value !== null && !Array.isArray(value)) return value as Fields;
  throw new TypeError(`${at} must have fields`);
}

const duration: Read<number> = (value, at) => {
  const read = typeof value === "string" || value === 0 ? milliseconds(String(value)) : undefined;
  if (read === undefined) throw new TypeError(`${at} must be a duration such as 500ms or 1m30s`);
  return read;
};

const delay: Read<Delay> = (value, at) => {
  if (typeof value !== "object") return duration(value, at);
  const { after, jitter } = fields(value, at, { after: duration, jitter: duration }, ["after", "jitter"]);
  return { ms: after as number, jitter: jitter as number };
};

const delayOrNever: Read<Delay | "never"> = (value, at) => (value === "never" ? value : delay(value, at));

const number: Read<number> = (value, at) => {
  if (Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 255) return value as number;
  throw new TypeError(`${at} must be a whole number from 0 to 255`);
};

const rate: Read<number> = (value, at) => {
  if (typeof value === "number" && value >= 0 && value <= 1) return value;
  throw new TypeError(`${at} must be a number from 0 to 1`);
};

const text: Read<string> = (value, at) => {
  if (typeof value === "string") return value;
  throw new TypeError(`${at} must be a text`);
};

const texts: Read<Record<string, string>> = (value, at) =>
  Object.fromEntries(
    Object.entries(mapping(value, at)).map(([name, given]) => [name, text(given, `${at}.${name}`)]),
  );
