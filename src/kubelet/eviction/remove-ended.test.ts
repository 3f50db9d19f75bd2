import assert from "node:assert/strict";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import type { Pod } from "../../api/schema/core.v1.generated.ts";
import { POD_UID } from "../pods/runtime-labels.ts";
import { type EndedContainers, removeEnded } from "./remove-ended.ts";

test("removeEnded removes containers of pods that have ended, with their logs, and no others", async (t) => {
  const logs = await mkdtemp(join(tmpdir(), "kybern-ended-"));
  t.after(() => rm(logs, { recursive: true }));
  const phases = new Map([
    ["failed", "Failed"],
    ["done", "Succeeded"],
    ["runs", "Running"],
  ]);
  const uids = [...phases.keys(), "unknown"];
  for (const uid of uids) await writeFile(join(logs, uid), "said");
  const removed: string[] = [];
  await removeEnded({
    pods: {
      byUID: (uid) =>
        phases.has(uid) ? ({ metadata: { uid }, status: { phase: phases.get(uid) } } as Pod) : undefined,
    },
    runtime: {
      listContainers: async () => ({
        containers: uids.map((uid) => ({ id: `of ${uid}`, labels: new Map([[POD_UID, uid]]) })),
      }),
      containerStatus: async ({ containerId }: { containerId: string }) => ({
        status: { logPath: join(logs, containerId.slice("of ".length)) },
      }),
      removeContainer: async ({ containerId }: { containerId: string }) => {
        removed.push(containerId);
        return {};
      },
    } as unknown as EndedContainers["runtime"],
  });
  assert.deepEqual(removed, ["of failed", "of done"]);
  assert.deepEqual((await readdir(logs)).sort(), ["runs", "unknown"]);
});
