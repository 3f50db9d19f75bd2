/** How many images may be asked of registries: so many at once after a pause, and then so many a second. */
export interface PullRateOptions {
  /** 0: no limit. */
  perSecond: number;
  burst: number;
  now(): number;
}

export class PullRate {
  private readonly options: PullRateOptions;
  private left: number;
  private at: number;

  constructor(options: PullRateOptions) {
    this.options = options;
    this.left = options.burst;
    this.at = options.now();
  }

  /** Whether one more may be asked for now. */
  take(): boolean {
    const { perSecond, burst, now } = this.options;
    if (perSecond === 0) return true;
    const time = now();
    this.left = Math.min(burst, this.left + ((time - this.at) / 1000) * perSecond);
    this.at = time;
    if (this.left < 1) return false;
    this.left--;
    return true;
  }
}
