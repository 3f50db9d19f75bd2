/**
 * Amounts of resources with a suffix: `500m`, `1Gi`, `2e3` (apimachinery/pkg/api/resource). Arithmetic is exact: a
 * value is a whole number times a power of ten, and no finer than nano. Values never change.
 */
import { QuantityError, type QuantityFormat, readQuantity } from "./read.ts";

export { QuantityError, type QuantityFormat };

const MAX_INT64 = (1n << 63n) - 1n;
const DECIMAL_SUFFIXES = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
const BINARY_SUFFIXES = ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"];

function powerOfTen(exponent: number): bigint {
  return 10n ** BigInt(exponent);
}

/** Divides, rounding away from zero. */
function dividedUp(value: bigint, by: bigint): bigint {
  const quotient = value / by;
  if (quotient * by === value) return quotient;
  return value < 0n ? quotient - 1n : quotient + 1n;
}

function clamped(value: bigint): number {
  if (value > MAX_INT64) return Number(MAX_INT64);
  return value < -MAX_INT64 ? Number(-MAX_INT64) : Number(value);
}

export class Quantity {
  readonly format: QuantityFormat;
  private readonly digits: bigint;
  private readonly exponent: number;
  /** The value in thousandths where a double holds it exactly: the way of most comparisons and sums. */
  private readonly milli: number | undefined;
  private text: string | undefined;

  private constructor(digits: bigint, exponent: number, format: QuantityFormat, text?: string) {
    this.digits = digits;
    this.exponent = exponent;
    this.format = format;
    this.text = text;
    const shift = exponent + 3;
    if (shift >= 0 && shift <= 24) {
      const milli = Number(digits) * 10 ** shift;
      this.milli = Number.isSafeInteger(milli) ? milli : undefined;
    } else if (shift < 0 && digits % powerOfTen(-shift) === 0n) {
      const milli = Number(digits / powerOfTen(-shift));
      this.milli = Number.isSafeInteger(milli) ? milli : undefined;
    }
  }

  /** Throws QuantityError, in upstream's words. */
  static parse(given: string | number): Quantity {
    const text = typeof given === "number" ? String(given) : given;
    const known = parsed.get(text);
    if (known) return known;
    const { digits, exponent, format, kept } = readQuantity(text);
    const quantity = new Quantity(digits, exponent, format, kept);
    parsed.set(text, quantity);
    return quantity;
  }

  static ofValue(value: number, format: QuantityFormat = "DecimalSI"): Quantity {
    return new Quantity(BigInt(value), 0, format);
  }

  static ofMilli(milli: number, format: QuantityFormat = "DecimalSI"): Quantity {
    return new Quantity(BigInt(milli), -3, format);
  }

  sign(): -1 | 0 | 1 {
    return this.digits === 0n ? 0 : this.digits < 0n ? -1 : 1;
  }

  compare(other: Quantity): number {
    if (this.milli !== undefined && other.milli !== undefined) return Math.sign(this.milli - other.milli);
    const [a, b] = this.aligned(other);
    return a === b ? 0 : a < b ? -1 : 1;
  }

  /** The sum has the format of the left side, unless that is zero. */
  add(other: Quantity): Quantity {
    const format = this.digits === 0n ? other.format : this.format;
    const [a, b, exponent] = this.aligned(other);
    return new Quantity(a + b, exponent, format);
  }

  sub(other: Quantity): Quantity {
    const format = this.digits === 0n ? other.format : this.format;
    const [a, b, exponent] = this.aligned(other);
    return new Quantity(a - b, exponent, format);
  }

  neg(): Quantity {
    return new Quantity(-this.digits, this.exponent, this.format);
  }

  /** In whole units, rounded away from zero; at most what an int64 holds, to a double's precision. */
  value(): number {
    return clamped(this.scaled(0));
  }

  /** In thousandths, rounded away from zero. */
  milliValue(): number {
    return this.milli ?? clamped(this.scaled(-3));
  }

  /** As a double, as near as one comes. */
  approximate(): number {
    return this.milli !== undefined ? this.milli / 1000 : Number(`${this.digits}e${this.exponent}`);
  }

  /** Rounded away from zero to a multiple of 10^exponent (resources of pods: -3). */
  roundUp(exponent: number): Quantity {
    return this.exponent >= exponent ? this : new Quantity(this.scaled(exponent), exponent, this.format);
  }

  /** Whether the value is a whole number. */
  isWhole(): boolean {
    return this.exponent >= 0 || this.digits % powerOfTen(-this.exponent) === 0n;
  }

  /** The canonical form, except that a text which is already near it is kept, as upstream keeps it. */
  toString(): string {
    this.text ??= this.canonical();
    return this.text;
  }

  toJSON(): string {
    return this.toString();
  }

  private scaled(exponent: number): bigint {
    const shift = this.exponent - exponent;
    return shift >= 0 ? this.digits * powerOfTen(shift) : dividedUp(this.digits, powerOfTen(-shift));
  }

  private aligned(other: Quantity): [bigint, bigint, number] {
    const exponent = Math.min(this.exponent, other.exponent);
    return [
      this.digits * powerOfTen(this.exponent - exponent),
      other.digits * powerOfTen(other.exponent - exponent),
      exponent,
    ];
  }

  private canonical(): string {
    if (this.digits === 0n) return "0";
    if (this.format === "BinarySI" && this.isWhole()) {
      let amount = this.scaled(0);
      if (amount <= -1024n || amount >= 1024n) {
        let times = 0;
        for (; times < BINARY_SUFFIXES.length - 1 && amount % 1024n === 0n; times++) amount /= 1024n;
        return `${amount}${BINARY_SUFFIXES[times]}`;
      }
    }
    return this.canonicalDecimal();
  }

  /** The shortest digits whose exponent is a multiple of three. */
  private canonicalDecimal(): string {
    let { digits, exponent } = this;
    const most = this.format === "DecimalExponent" ? Number.POSITIVE_INFINITY : 18;
    while (digits % 10n === 0n && exponent < most) {
      digits /= 10n;
      exponent++;
    }
    const over = Math.max(((exponent % 3) + 3) % 3, exponent - most);
    digits *= powerOfTen(over);
    exponent -= over;
    if (this.format === "DecimalExponent") return exponent === 0 ? `${digits}` : `${digits}e${exponent}`;
    return `${digits}${DECIMAL_SUFFIXES[exponent / 3 + 3]}`;
  }
}

/** Two generations, so that what is asked for often stays and the whole never grows past a bound. */
class RecentQuantities {
  private young = new Map<string, Quantity>();
  private old = new Map<string, Quantity>();

  get(text: string): Quantity | undefined {
    const found = this.young.get(text);
    if (found) return found;
    const older = this.old.get(text);
    if (older) this.set(text, older);
    return older;
  }

  set(text: string, quantity: Quantity): void {
    if (text.length > 32) return;
    if (this.young.size >= 4096) {
      this.old = this.young;
      this.young = new Map();
    }
    this.young.set(text, quantity);
  }
}

const parsed = new RecentQuantities();

/** What is stored for a quantity that a client wrote; throws QuantityError. */
export function canonicalQuantity(text: string | number): string {
  return Quantity.parse(text).toString();
}

/** Whether the text is a quantity. */
export function isQuantity(text: string | number): boolean {
  try {
    Quantity.parse(text);
    return true;
  } catch (error) {
    if (error instanceof QuantityError) return false;
    throw error;
  }
}
