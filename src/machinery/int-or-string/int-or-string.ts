/** A number, or a share of one as a percentage (apimachinery/pkg/util/intstr): `5`, `25%`. */
import { isDigit } from "../names/texts.ts";

export type IntOrString = number | string;

/** The percentage that a text states, or undefined where it states none. */
export function percentOf(value: IntOrString | undefined): number | undefined {
  if (typeof value !== "string" || !value.endsWith("%") || value.length < 2 || value.length > 16)
    return undefined;
  for (let i = 0; i < value.length - 1; i++) if (!isDigit(value.charCodeAt(i))) return undefined;
  return Number(value.slice(0, -1));
}

/**
 * The number itself, or the percentage of `total` rounded up or down. Throws an Error in upstream's words where the
 * text is no percentage.
 */
export function scaledValue(value: IntOrString, total: number, roundUp: boolean): number {
  if (typeof value === "number") return value;
  if (!value.endsWith("%")) {
    throw new Error("invalid value for IntOrString: invalid type: string is not a percentage");
  }
  const percent = percentOf(value);
  if (percent === undefined) {
    const digits = JSON.stringify(value.slice(0, -1));
    throw new Error(
      `invalid value for IntOrString: invalid value ${JSON.stringify(value)}: strconv.Atoi: parsing ${digits}: invalid syntax`,
    );
  }
  const share = (percent * total) / 100;
  return roundUp ? Math.ceil(share) : Math.floor(share);
}
