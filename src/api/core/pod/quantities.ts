/** Quantities as pod rules ask about them: as texts, mostly equal, mostly short. */
import { Quantity } from "../../../machinery/quantity/quantity.ts";

export function compareQuantities(a: string, b: string): number {
  return a === b ? 0 : Quantity.parse(a).compare(Quantity.parse(b));
}

export function isNegative(quantity: string | number): boolean {
  return String(quantity).charCodeAt(0) === 45 && Quantity.parse(quantity).sign() < 0;
}

export function isZero(quantity: string | number): boolean {
  const text = String(quantity);
  const first = text.charCodeAt(0);
  // A text that begins with 1 to 9 is not zero.
  return !(first > 48 && first <= 57) && Quantity.parse(text).sign() === 0;
}

export function isWhole(quantity: string): boolean {
  return Quantity.parse(quantity).isWhole();
}

/** Whether `quantity` is a whole number of `unit`s: of huge pages of that size. */
export function isMultipleOf(quantity: string, unit: string): boolean {
  if (!/^[0-9.]+([KMGTPE]i|[kMGTPE])?$/.test(unit)) return false;
  const size = Quantity.parse(unit).value();
  return size > 0 && Quantity.parse(quantity).value() % size === 0;
}

export function addQuantities(a: string, b: string): string {
  return Quantity.parse(a).add(Quantity.parse(b)).toString();
}

/** Nodes account in thousandths: finer amounts are rounded up when they are stored. */
export function setQuantityPrecision(list: Record<string, string>): void {
  for (const name in list) {
    const text = String(list[name]);
    const last = text.charCodeAt(text.length - 1);
    const fine = last === 110 || last === 117 || text.includes(".") || text.includes("e");
    if (fine && name !== "__proto__") list[name] = Quantity.parse(text).roundUp(-3).toString();
  }
}
