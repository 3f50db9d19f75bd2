import { compactionContract } from "./contract/compaction.ts";
import type { ContractOptions, Open } from "./contract/harness.ts";
import { lifecycleContract } from "./contract/lifecycle.ts";
import { readContract } from "./contract/reads.ts";
import { regressionContract } from "./contract/regressions.ts";
import { watchContract } from "./contract/watches.ts";
import { writeContract } from "./contract/writes.ts";

export type { Open, Opened } from "./contract/harness.ts";

/** What every backend must do. Each backend's test calls this with a way to open a store of its own. */
export function storeContract(name: string, open: Open, options: ContractOptions): void {
  writeContract(name, open, options);
  readContract(name, open, options);
  watchContract(name, open, options);
  compactionContract(name, open, options);
  lifecycleContract(name, open, options);
  regressionContract(name, open, options);
}
