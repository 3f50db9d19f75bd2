import { UsageError } from "../../cli/verb.ts";
import type { DownRun } from "../../cli/verbs/down.ts";
import type { RestartRun } from "../../cli/verbs/restart.ts";
import { stopContainerd } from "../../host/containerd/supervise-containerd.ts";
import { alone, findBackground, stopBackground } from "./background.ts";
import { countContainers, endContainers } from "./containers.ts";
import { runUp } from "./run-up.ts";
import { readSettings } from "./settings.ts";

/** Milliseconds that `restart` waits for the node. */
const START_WITHIN = 120_000;

export async function runDown({ layout, containers }: DownRun): Promise<void> {
  const say = (line: string): void => {
    process.stdout.write(`${line}\n`);
  };
  await alone(layout, async () => {
    const { supervisor, program } = await findBackground(layout);
    await stopBackground(layout);
    const was = supervisor !== undefined || program !== undefined;
    say(
      was
        ? "Kybern is stopped; `kybern up` starts it again with all that it keeps."
        : "Kybern was not running.",
    );
    if (containers) {
      await endContainers(layout);
      say("No container runs any more.");
      return;
    }
    const running = await countContainers(layout);
    if (running === 0) await stopContainerd(layout.containerd);
    if (running) say(`${running} container(s) go on running; \`kybern down --containers\` ends them too.`);
  });
}

export async function runRestart({ layout }: RestartRun): Promise<void> {
  if ((await readSettings(layout)) === undefined)
    throw new UsageError(`there is no cluster in ${layout.dataDir}: make one with \`kybern up\`.`);
  await alone(layout, () => stopBackground(layout));
  await runUp({ layout, flags: {}, simulateNodes: undefined, timeoutMs: START_WITHIN });
}
