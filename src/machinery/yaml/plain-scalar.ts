/**
 * What an unquoted word of YAML means to sigs.k8s.io/yaml: YAML 1.1 booleans, numbers with Go's prefixes, and times as
 * text. Only the plain style is resolved; quoted and block text is always a string.
 */
import { fitsInt64, integer } from "../json/exact-integer.ts";

const WORDS: ReadonlyMap<string, boolean | null> = new Map<string, boolean | null>([
  ...["", "~", "null", "Null", "NULL"].map((word) => [word, null] as const),
  ...["y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"].map(
    (word) => [word, true] as const,
  ),
  ...["n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"].map(
    (word) => [word, false] as const,
  ),
]);

const SPECIAL_FLOAT = /^[-+]?\.(?:inf|Inf|INF)$|^\.(?:nan|NaN|NAN)$/;
const INTEGER = /^[-+]?(?:0|[1-9][0-9]*)$/;
const PREFIXED = /^([-+]?)0(?:[xX]([0-9a-fA-F]+)|[oO]?([0-7]+)|[bB]([01]+))$/;
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;

/** No number is written with more characters than this; longer words are text. */
const LONGEST_NUMBER = 400;

export class UnsupportedFloat extends Error {}

/** The value of a plain scalar. Throws UnsupportedFloat for infinity and NaN, which JSON does not have. */
export function resolvePlain(word: string): unknown {
  const named = WORDS.get(word);
  if (named !== undefined) return named;
  const first = word.charCodeAt(0);
  const numeric = (first >= 0x30 && first <= 0x39) || first === 0x2b || first === 0x2d || first === 0x2e;
  if (!numeric || word.length > LONGEST_NUMBER) return word;
  if (SPECIAL_FLOAT.test(word)) throw new UnsupportedFloat(`json: unsupported value: ${word}`);
  return resolveNumber(word.replaceAll("_", "")) ?? word;
}

function resolveNumber(digits: string): unknown {
  if (INTEGER.test(digits)) return fitted(BigInt(digits.startsWith("+") ? digits.slice(1) : digits), digits);
  const prefixed = PREFIXED.exec(digits);
  if (prefixed) {
    const [, sign, hex, octal, binary] = prefixed;
    const size = BigInt(hex ? `0x${hex}` : octal ? `0o${octal}` : `0b${binary}`);
    return fitted(sign === "-" ? -size : size, digits);
  }
  if (!FLOAT.test(digits)) return undefined;
  const float = Number(digits);
  return Number.isFinite(float) ? float : undefined;
}

function fitted(value: bigint, digits: string): unknown {
  if (fitsInt64(value)) return integer(value);
  const float = Number(digits);
  return Number.isFinite(float) ? float : undefined;
}
