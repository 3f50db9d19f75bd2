/** Reading the text of a quantity. */
export type QuantityFormat = "DecimalSI" | "BinarySI" | "DecimalExponent";

/** The text is no quantity; the message is upstream's. */
export class QuantityError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "QuantityError";
  }
}

const FORMAT_WRONG =
  "quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'";
const NUMERIC_WRONG = "unable to parse numeric part of quantity";
const SUFFIX_WRONG = "unable to parse quantity's suffix";

const DECIMAL: ReadonlyMap<string, number> = new Map([
  ["n", -9],
  ["u", -6],
  ["m", -3],
  ["", 0],
  ["k", 3],
  ["M", 6],
  ["G", 9],
  ["T", 12],
  ["P", 15],
  ["E", 18],
]);
const BINARY: ReadonlyMap<string, number> = new Map([
  ["Ki", 10],
  ["Mi", 20],
  ["Gi", 30],
  ["Ti", 40],
  ["Pi", 50],
  ["Ei", 60],
]);

const MAX_INT64 = (1n << 63n) - 1n;
const NANO = -9;
/** Digits that always fit an int64. */
const SHORT_DIGITS = 18;
/** Beyond any amount there can be; keeps hostile exponents and digits from costing memory. */
const MOST_DIGITS = 1000;

interface Parts {
  negative: boolean;
  whole: string;
  fraction: string;
  suffix: string;
}

function digitsEnd(text: string, from: number): number {
  let at = from;
  while (at < text.length && text.charCodeAt(at) >= 48 && text.charCodeAt(at) <= 57) at++;
  return at;
}

function split(text: string): Parts {
  const signed = text.startsWith("-") || text.startsWith("+");
  let at = signed ? 1 : 0;
  while (at < text.length && text.charCodeAt(at) === 48) at++;
  let end = digitsEnd(text, at);
  const whole = text.slice(at, end) || "0";
  let fraction = "";
  if (text.charCodeAt(end) === 46) {
    at = end + 1;
    end = digitsEnd(text, at);
    fraction = text.slice(at, end);
  }
  const suffixAt = end;
  while (end < text.length && "eEinumkKMGTP".includes(text[end]!)) end++;
  if (end < text.length && (text[end] === "-" || text[end] === "+")) end++;
  end = digitsEnd(text, end);
  if (end < text.length || text.length === 0) throw new QuantityError(FORMAT_WRONG);
  return { negative: text.startsWith("-"), whole, fraction, suffix: text.slice(suffixAt) };
}

function interpret(suffix: string): { base: 2 | 10; exponent: number; format: QuantityFormat } {
  const decimal = DECIMAL.get(suffix);
  if (decimal !== undefined) return { base: 10, exponent: decimal, format: "DecimalSI" };
  const binary = BINARY.get(suffix);
  if (binary !== undefined) return { base: 2, exponent: binary, format: "BinarySI" };
  if (suffix.length > 1 && (suffix.startsWith("e") || suffix.startsWith("E"))) {
    const signed = suffix[1] === "-" || suffix[1] === "+" ? 2 : 1;
    if (suffix.length > signed && digitsEnd(suffix, signed) === suffix.length) {
      const exponent = Number(suffix.slice(1));
      if (Math.abs(exponent) <= MOST_DIGITS) return { base: 10, exponent, format: "DecimalExponent" };
    }
  }
  throw new QuantityError(SUFFIX_WRONG);
}

/** Whether upstream reads the text on its int64 path, where no value is rounded or capped. */
function isShort({ whole, fraction }: Parts, base: 2 | 10, exponent: number): boolean {
  if (base === 10) {
    return whole.length + fraction.length <= SHORT_DIGITS && exponent - fraction.length >= NANO;
  }
  return fraction === "" && 15 - whole.length - Math.trunc((exponent * 3) / 10) - 1 >= 0;
}

/** Whether upstream stores the text as it stands, judging it canonical. */
function isKept({ whole, fraction }: Parts, base: 2 | 10, exponent: number): boolean {
  if (base === 2) return Number(whole) % 8 !== 0;
  const digits = whole + fraction;
  return (exponent - fraction.length) % 3 === 0 && !digits.endsWith("000") && !digits.startsWith("0");
}

/** `digits` times 10^`exponent`, and the text where it is what is to be stored. */
export function readQuantity(given: string): {
  digits: bigint;
  exponent: number;
  format: QuantityFormat;
  kept: string | undefined;
} {
  const text = given.trim();
  const parts = split(text);
  const { whole, fraction, negative } = parts;
  const { base, exponent: power, format: said } = interpret(parts.suffix);
  if (whole.length + fraction.length > MOST_DIGITS) throw new QuantityError(NUMERIC_WRONG);
  let digits = BigInt(whole + fraction);
  let exponent = -fraction.length;
  let format = said;
  let kept: string | undefined;
  if (base === 2) digits <<= BigInt(power);
  else exponent += power;
  if (isShort(parts, base, power) && digits <= MAX_INT64) {
    if (isKept(parts, base, power)) kept = text;
  } else {
    if (exponent < NANO) {
      const by = 10n ** BigInt(NANO - exponent);
      digits = digits % by === 0n ? digits / by : digits / by + 1n;
      exponent = NANO;
    }
    if (base === 2) {
      const one = 10n ** BigInt(-exponent);
      if (digits > MAX_INT64 * one) {
        digits = MAX_INT64;
        exponent = 0;
      } else if (digits > 0n && digits < one) format = "DecimalSI";
    }
  }
  return { digits: negative ? -digits : digits, exponent, format, kept: text === "0" ? text : kept };
}
