/**
 * The test command behind `npm test`.
 *
 *     node tools/test/run.ts         every test
 *     node tools/test/run.ts unit    the tests beside the code: fast, and nothing needed from the system
 *
 * Further arguments go to Node's test runner, for example `npm test -- unit --test-name-pattern=selector`.
 */
import { spawnSync } from "node:child_process";
import { globSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { prepare } from "./prepare.ts";

interface Stage {
  patterns: string[];
  /** Files at once. One, where each takes the whole machine and measures time. */
  concurrency: number;
}

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const UNIT: Stage = { patterns: ["src/**/*.test.ts", "tools/**/*.test.ts"], concurrency: 2 };
const REST: Stage[] = [
  {
    patterns: ["contract", "scenario", "fuzz"].map((folder) => `test/${folder}/**/*.test.ts`),
    concurrency: 2,
  },
  { patterns: ["e2e", "crash", "node"].map((folder) => `test/${folder}/**/*.test.ts`), concurrency: 1 },
];
/** For one file: long enough for the slowest on a busy machine, short enough that a hang is told and not waited for. */
const TIMEOUT_MS = 8 * 60_000;

/** Whether all tests of the stage passed; a stage without files has. */
function run({ patterns, concurrency }: Stage, args: readonly string[]): boolean {
  const files = globSync(patterns, { cwd: ROOT }).sort();
  if (files.length === 0) return true;
  const { status } = spawnSync(
    process.execPath,
    [
      "--test",
      "--test-reporter=spec",
      `--test-concurrency=${concurrency}`,
      `--test-timeout=${TIMEOUT_MS}`,
      ...args,
      ...files,
    ],
    {
      cwd: ROOT,
      stdio: "inherit",
      // Every file is a process of its own, and most of its time would go into stripping the same types again.
      env: { NODE_COMPILE_CACHE: join(ROOT, "node_modules/.cache/compile"), ...process.env },
    },
  );
  return status === 0;
}

const [first, ...others] = process.argv.slice(2);
const unitOnly = first === "unit";
const args = unitOnly || first === undefined ? others : [first, ...others];
if (!unitOnly) prepare();
const results = (unitOnly ? [UNIT] : [UNIT, ...REST]).map((stage) => run(stage, args));
process.exitCode = results.every(Boolean) ? 0 : 1;
