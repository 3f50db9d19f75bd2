/** What `kybern join` does: the machine gets to know the cluster, and its agent is started. */
import { mkdir } from "node:fs/promises";
import { systemClock } from "../../base/clock.ts";
import { UsageError } from "../../cli/verb.ts";
import type { JoinRun } from "../../cli/verbs/join.ts";
import { writeFileAtomically } from "../../cluster/pki/write-file-atomically.ts";
import { cannotRunContainers } from "../../host/machine/findings.ts";
import { openKubeletConfiguration } from "../node/kubelet-configuration.ts";
import { alone, findBackground } from "../up/background.ts";
import { runUp } from "../up/run-up.ts";
import { readSettings, writeSettings } from "../up/settings.ts";
import { discover } from "./discover.ts";

/** Milliseconds that it may take until the node is ready. */
const WITHIN = 180_000;

export async function runJoin({ layout, server, token, caHashes, flags }: JoinRun): Promise<void> {
  const obstacle = cannotRunContainers({ platform: process.platform, root: process.getuid?.() === 0 });
  if (obstacle !== undefined) throw new UsageError(`this machine cannot be a node: ${obstacle}.`);
  // What the agent would refuse is refused here, where somebody reads it.
  await openKubeletConfiguration({ kubeletConfig: flags["kubelet-config"] }, () => {});
  await alone(layout, async () => {
    const before = await readSettings(layout);
    if (before?.role === "server")
      throw new UsageError(
        `this machine has a cluster of its own (${layout.dataDir}): \`kybern reset\` ends it.`,
      );
    if ((await findBackground(layout)).supervisor !== undefined)
      throw new UsageError("this machine has joined already: `kybern reset` ends that.");
    const ca = await discover({ server, token, caHashes }, systemClock);
    await mkdir(layout.dataDir, { recursive: true, mode: 0o700 });
    await writeFileAtomically(layout.nodeConfig, `${JSON.stringify({ server, ca, token }, undefined, 2)}\n`);
    await writeSettings(layout, { role: "agent", simulateNodes: 0, flags });
    process.stdout.write(`The cluster at ${server} is the one that was meant.\n`);
  });
  await runUp({ layout, flags: {}, simulateNodes: undefined, timeoutMs: WITHIN });
}
