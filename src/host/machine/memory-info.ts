/** Bytes by the names of /proc/meminfo. */
export function parseMemoryInfo(text: string): Partial<Record<MemoryName, number>> {
  const amounts: Partial<Record<MemoryName, number>> = {};
  for (const line of text.split("\n")) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon) as MemoryName;
    if (NAMES.has(name)) amounts[name] = Number.parseInt(line.slice(colon + 1), 10) * 1024;
  }
  return amounts;
}

const ALL = ["MemTotal", "MemFree", "MemAvailable", "Inactive(file)", "SwapTotal", "SwapFree"] as const;
export type MemoryName = (typeof ALL)[number];

const NAMES: ReadonlySet<string> = new Set(ALL);
