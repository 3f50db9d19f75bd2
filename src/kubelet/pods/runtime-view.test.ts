import assert from "node:assert/strict";
import { test } from "node:test";
import type { ContainerRuntime } from "../runtime/container-runtime.ts";
import { ContainerState } from "../runtime/cri/shared.ts";
import { RuntimeView } from "./runtime-view.ts";

test("a container that ended is read again when it is told later that its memory ran out", async () => {
  const labels = new Map<string, string>();
  let reason = "Error";
  let asked = 0;
  const runtime = {
    listPodSandbox: async () => ({ items: [] }),
    listContainers: async () => ({ containers: [{ id: "a", podSandboxId: "s", labels }] }),
    containerStatus: async () => {
      asked++;
      const state = ContainerState.CONTAINER_EXITED;
      return {
        status: { id: "a", state, reason, exitCode: 137, annotations: new Map(), logPath: "", mounts: [] },
      };
    },
  } as unknown as ContainerRuntime;
  const view = new RuntimeView(runtime, "uid", true);
  const look = async (): Promise<string | undefined> => {
    await view.refresh();
    return view.state.containers[0]?.reason;
  };
  view.changed("a", "ended", 0);
  assert.equal(await look(), "Error");
  view.changed();
  assert.equal(await look(), "Error");
  assert.equal(asked, 1, "what has ended does not change by itself");
  view.changed("a", "out of memory", 0);
  assert.equal(await look(), "Error");
  reason = "OOMKilled";
  assert.equal(view.settlesAfter(0), 10);
  assert.equal(await look(), "OOMKilled");
  assert.equal(view.settlesAfter(10), undefined);
});
