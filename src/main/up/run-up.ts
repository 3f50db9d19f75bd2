/** What `kybern up` does: brings the cluster of this machine up, and says how far it is. */
import { isDeepStrictEqual } from "node:util";
import { UsageError } from "../../cli/verb.ts";
import type { UpRun } from "../../cli/verbs/up.ts";
import { type ClusterStatus, readStatus } from "../../cluster/cluster-status.ts";
import type { Layout } from "../../cluster/layout.ts";
import { cannotRunContainers } from "../../host/machine/findings.ts";
import { lastLines } from "../../host/supervisor/supervisor.ts";
import { alone, findBackground, startBackground, stopBackground } from "./background.ts";
import { followStart } from "./follow-start.ts";
import { forgetFormerBoot } from "./former-boot.ts";
import { whatNext } from "./next-steps.ts";
import { machineText, prepareMachine, rangesOf, type Say } from "./prepare-machine.ts";
import { Progress } from "./progress.ts";
import { readSettings, type UpSettings, writeSettings } from "./settings.ts";

export async function runUp(run: UpRun, say: Say = printLine): Promise<void> {
  const { layout } = run;
  const before = await readSettings(layout);
  const settings = await settingsOf(run, before, say);
  if (before) refuseOtherNetworks(before, settings);
  // What the program would refuse is refused here, where somebody reads it.
  const kubeletConfig = settings.flags["kubelet-config"];
  if (settings.simulateNodes === 0 && kubeletConfig !== undefined) {
    const { openKubeletConfiguration } = await import("../node/kubelet-configuration.ts");
    await openKubeletConfiguration({ kubeletConfig }, () => {});
  }
  const status = await alone(layout, async () => {
    const progress = new Progress(say);
    const running = await findBackground(layout);
    const same = before !== undefined && isDeepStrictEqual(before, settings);
    if (running.supervisor !== undefined && same) {
      const now = await readStatus(layout.statusSocket);
      if (now?.node?.ready) {
        say("Kybern is up already.");
        return now;
      }
    } else {
      if (running.supervisor !== undefined || running.program !== undefined) {
        progress.step(
          same ? "Its supervisor is gone: starting the program again" : "Told otherwise: starting again",
        );
        await stopBackground(layout);
      }
      await forgetFormerBoot(layout);
      const machine = await prepareMachine(layout, settings, say);
      progress.step(`Machine: ${machineText(machine)}`);
      await writeSettings(layout, settings);
      await startBackground(layout, settings);
    }
    return await wholeStart(layout, progress, run.timeoutMs);
  });
  say("");
  for (const line of await whatNext(layout, status)) say(line);
}

/** Nodes and Services have their parts of them, and would keep those. */
function refuseOtherNetworks(before: UpSettings, settings: UpSettings): void {
  const now = rangesOf(settings);
  for (const [flag, ranges] of Object.entries(rangesOf(before))) {
    const was = ranges.join();
    if (now[flag]?.join() === was) continue;
    throw new UsageError(
      `this cluster was made with --${flag} ${was}, and keeps it: \`kybern reset\` makes room for another.`,
    );
  }
}

function printLine(line: string): void {
  process.stdout.write(`${line}\n`);
}

/** What was given, over what was given before, over what the machine allows. */
async function settingsOf(run: UpRun, before: UpSettings | undefined, say: Say): Promise<UpSettings> {
  if (before?.role === "agent") {
    const given = Object.keys(run.flags);
    if (given.length > 0 || run.simulateNodes !== undefined)
      throw new UsageError(
        "this machine has joined a cluster, and runs as it was told by `kybern join`: `kybern reset` ends that.",
      );
    return before;
  }
  const obstacle = cannotRunContainers({ platform: process.platform, root: process.getuid?.() === 0 });
  let { simulateNodes = before?.simulateNodes } = run;
  if (simulateNodes === undefined || (simulateNodes === 0 && obstacle !== undefined)) {
    if (run.simulateNodes === 0)
      throw new UsageError(`${obstacle}: run it as root on Linux, or with --simulate-nodes 1.`);
    simulateNodes = obstacle === undefined ? 0 : 1;
    if (obstacle !== undefined)
      say(
        `No container will run: ${obstacle}. The cluster gets a simulated node, on which pods go through their phases.`,
      );
  }
  return { role: "server", simulateNodes, flags: { ...before?.flags, ...run.flags } };
}

/** Throws UsageError with the program's last words where it does not start. */
async function wholeStart(layout: Layout, progress: Progress, timeoutMs: number): Promise<ClusterStatus> {
  const outcome = await followStart(layout, progress, timeoutMs);
  if (outcome.ready) return outcome.status;
  const { log } = layout;
  const words = (await lastLines(log, 5)).map((line) => `  ${line}`).join("\n");
  if (outcome.ended) {
    await stopBackground(layout);
    throw new UsageError(`Kybern could not be started. The end of its log (${log}):\n${words}`);
  }
  const why = outcome.status?.node?.message ?? "nothing was heard from it";
  throw new UsageError(
    `the node is not ready after ${timeoutMs / 1000} s (${why}). It goes on in the background: see \`kybern status\`, \`kybern doctor\` and ${log}.`,
  );
}
