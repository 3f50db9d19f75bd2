import { parseDuration } from "../../machinery/time/duration.ts";

/** Of a duration as a configuration has it: `1m30s`. */
export function milliseconds(duration: string): number {
  return Number(parseDuration(duration)) / 1e6;
}
