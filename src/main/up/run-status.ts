import { UsageError } from "../../cli/verb.ts";
import { type StatusRun, statusTable } from "../../cli/verbs/status.ts";
import { readStatus } from "../../cluster/cluster-status.ts";
import { findBackground } from "./background.ts";
import { serverFinding } from "./reach-server.ts";

/** Fails where nothing runs, so that scripts see it. */
export async function runStatus({ layout, json }: StatusRun): Promise<void> {
  const status = await readStatus(layout.statusSocket);
  if (!status) {
    const { supervisor } = await findBackground(layout);
    throw new UsageError(
      supervisor === undefined
        ? `nothing runs here (${layout.dataDir}): start it with \`kybern up\`.`
        : `the program is being started again: \`kybern logs\` says why (${layout.log}).`,
    );
  }
  if (json) {
    process.stdout.write(`${JSON.stringify(status, undefined, 2)}\n`);
    return;
  }
  process.stdout.write(statusTable(status, Date.now()));
  const unreached = await serverFinding(status);
  if (unreached) process.stdout.write(`\nOut of reach: ${unreached.what}.\n`);
}
