/** The columns that nearly every kind has, and the texts that several print alike. */
import type { KubeObject } from "../object.ts";
import type { Column } from "../resource.ts";

export const nameColumn: Column<KubeObject> = {
  name: "Name",
  type: "string",
  format: "name",
  cell: ({ metadata }) => metadata.name,
};

export const ageColumn: Column<KubeObject> = {
  name: "Age",
  type: "string",
  cell: ({ metadata }, now) => since(metadata.creationTimestamp, now),
};

/** How long ago `time` was, as kubectl says it; unknown without a time. */
export function since(time: string | undefined | null, now: Date): string {
  return time ? humanDuration(now.getTime() - Date.parse(time)) : "<unknown>";
}

/** A span in the two or three most telling units: 45s, 3m10s, 7h, 2d4h, 400d, 3y12d. */
export function humanDuration(milliseconds: number): string {
  const seconds = Math.trunc(milliseconds / 1000);
  if (seconds < -1) return "<invalid>";
  if (seconds < 0) return "0s";
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.trunc(seconds / 60);
  if (minutes < 10) return pair(minutes, "m", seconds % 60, "s");
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.trunc(minutes / 60);
  if (hours < 8) return pair(hours, "h", minutes % 60, "m");
  if (hours < 48) return `${hours}h`;
  const days = Math.trunc(hours / 24);
  if (hours < 192) return pair(days, "d", hours % 24, "h");
  if (days < 730) return `${days}d`;
  const years = Math.trunc(days / 365);
  return days < 2920 ? pair(years, "y", days % 365, "d") : `${years}y`;
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`;
}

/** Labels as `a=b,c=d`, sorted; `<none>` without any. */
export function formatLabels(labels: Record<string, string> | undefined): string {
  const keys = labels ? Object.keys(labels).sort() : [];
  return keys.length === 0 ? "<none>" : keys.map((key) => `${key}=${labels?.[key]}`).join(",");
}
