/** Control groups of a machine whose systemd keeps them: slices, which are its units. */
import type { RunCommand } from "../command.ts";

export interface SliceLimits {
  cpuWeight?: number;
  /** Microseconds of CPU in each period; -1: no limit. */
  cpuQuota?: number;
  cpuPeriod?: number;
  /** Bytes; -1: no limit. */
  memory?: number;
  /** -1: no limit. */
  tasks?: number;
}

export interface Slices {
  /** Makes it, and those above it that its name tells, or changes its limits. */
  ensure(name: string, limits: SliceLimits): Promise<void>;
  /** Ends it and all that runs in it. Any number of times. */
  stop(name: string): Promise<void>;
}

export function systemdSlices(run: RunCommand): Slices {
  return {
    async ensure(name, limits) {
      const properties = sliceProperties(limits);
      // A slice without a file of its own comes into being when it is spoken of.
      if (properties.length > 0) await run("systemctl", ["set-property", "--runtime", name, ...properties]);
      await run("systemctl", ["start", name]);
    },
    async stop(name) {
      await run("systemctl", ["stop", name]);
      // What was set while running lasts until it is reverted.
      await run("systemctl", ["revert", name]).catch(() => {});
    },
  };
}

/** systemd's words are those of version 2; it turns them into those of version 1 by itself. */
export function sliceProperties({ cpuWeight, cpuQuota, cpuPeriod, memory, tasks }: SliceLimits): string[] {
  const properties: string[] = [];
  if (cpuWeight !== undefined) properties.push(`CPUWeight=${cpuWeight}`);
  if (cpuQuota !== undefined && cpuPeriod !== undefined) {
    // Whole hundredths of a core are what it keeps, and less than asked for would be too little.
    const percent = Math.ceil((cpuQuota * 100) / cpuPeriod);
    properties.push(`CPUQuotaPeriodSec=${cpuPeriod}us`, `CPUQuota=${cpuQuota < 0 ? "" : `${percent}%`}`);
  }
  if (memory !== undefined) properties.push(`MemoryMax=${memory < 0 ? "infinity" : memory}`);
  if (tasks !== undefined) properties.push(`TasksMax=${tasks < 0 ? "infinity" : tasks}`);
  return properties;
}
