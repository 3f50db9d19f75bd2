/** CPU in the units of the kernel, from thousandths of a core. */

export const MIN_SHARES = 2;
const MAX_SHARES = 262_144;
const SHARES_OF_A_CORE = 1024;
/** Microseconds; upstream's --cpu-cfs-quota-period. */
export const QUOTA_PERIOD = 100_000;
/** The kernel takes no less, which is a hundredth of a core. */
const MIN_QUOTA = 1000;

export function sharesOf(milliCPU: number): number {
  if (milliCPU === 0) return MIN_SHARES;
  return Math.min(Math.max(Math.floor((milliCPU * SHARES_OF_A_CORE) / 1000), MIN_SHARES), MAX_SHARES);
}

/** Microseconds of CPU in each period; undefined: without limit. */
export function quotaOf(milliCPU: number, period = QUOTA_PERIOD): number | undefined {
  if (milliCPU === 0) return undefined;
  return Math.max(Math.floor((milliCPU * period) / 1000), MIN_QUOTA);
}

/**
 * The weight of version 2 for shares of version 1: a curve through (2, 1), (1024, 100) and (262144, 10000), as container
 * runtimes of today take it (opencontainers/cgroups: ConvertCPUSharesToCgroupV2Value).
 */
export function weightOf(shares: number): number {
  if (shares <= MIN_SHARES) return 1;
  if (shares >= MAX_SHARES) return 10_000;
  const l = Math.log2(shares);
  return Math.ceil(10 ** ((l * l + 125 * l) / 612 - 7 / 34));
}

/** The least shares of that weight. */
export function sharesOfWeight(weight: number): number {
  let [low, high] = [MIN_SHARES, MAX_SHARES];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (weightOf(middle) >= weight) high = middle;
    else low = middle + 1;
  }
  return low;
}
