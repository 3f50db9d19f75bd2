/** Usage as the metrics API writes it. */
import { Quantity } from "../../machinery/quantity/quantity.ts";
import { formatDuration } from "../../machinery/time/duration.ts";
import { formatTime } from "../../machinery/time/time.ts";
import type { Column } from "../resource.ts";
import type { Measured, Usage } from "./metrics-source.ts";

export type UsageList = Record<"cpu" | "memory", string>;

export function usageList({ cpu, memory }: Usage): UsageList {
  return {
    cpu: Quantity.parse(`${Math.round(cpu)}n`).toString(),
    memory: Quantity.ofValue(Math.floor(memory / 1024) * 1024, "BinarySI").toString(),
  };
}

export function measuredAt({ at, window }: Measured): { timestamp: string; window: string } {
  return { timestamp: formatTime(at), window: formatDuration(BigInt(Math.round(window)) * 1_000_000n) };
}

export function sum(usages: readonly UsageList[], resource: "cpu" | "memory"): string {
  let total = Quantity.ofValue(0);
  for (const usage of usages) total = total.add(Quantity.parse(usage[resource]));
  return total.toString();
}

export function usageColumns<T extends { window: string }>(
  usage: (object: T, resource: "cpu" | "memory") => string,
): Column<T>[] {
  return [
    { name: "cpu", type: "string", cell: (object) => usage(object, "cpu") },
    { name: "memory", type: "string", cell: (object) => usage(object, "memory") },
    { name: "Window", type: "string", format: "duration", cell: ({ window }) => window },
  ];
}
