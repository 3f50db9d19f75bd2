/**
 * The first free number: from a random start in the upper band, round that band, then the same in the lower one.
 * Undefined when all are taken.
 */
export function pickFree(
  size: number,
  lowerBand: number,
  below: (limit: number) => number,
  isTaken: (index: number) => boolean,
): number | undefined {
  const round = (from: number, to: number) => {
    const count = to - from;
    if (count <= 0) return undefined;
    const start = below(count);
    for (let i = 0; i < count; i++) {
      const index = from + ((start + i) % count);
      if (!isTaken(index)) return index;
    }
    return undefined;
  };
  return round(lowerBand, size) ?? round(0, lowerBand);
}
