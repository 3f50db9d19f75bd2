import assert from "node:assert/strict";
import { test } from "node:test";
import type { ContainerStatus, Pod } from "../../api/schema/core.v1.generated.ts";
import { runningLogs } from "./running-logs.ts";

test("the logs that grow are those of running containers, of all kinds", () => {
  const status = (name: string, restartCount: number, state: ContainerStatus["state"]): ContainerStatus => ({
    ...{ name, restartCount, state, ready: true, image: "", imageID: "" },
    containerID: `containerd://${name}-id`,
  });
  const ended = { terminated: { exitCode: 0 } };
  const pod: Pod = {
    apiVersion: "v1",
    kind: "Pod",
    metadata: { name: "web", namespace: "ns", uid: "u" },
    status: {
      initContainerStatuses: [status("setup", 0, ended), status("sidecar", 1, { running: {} })],
      containerStatuses: [status("main", 3, { running: {} }), status("waiting", 0, { waiting: {} })],
      ephemeralContainerStatuses: [status("debug", 0, { running: {} })],
    },
  };
  assert.deepEqual(runningLogs({ list: () => [pod] }, "/logs"), [
    { id: "main-id", path: "/logs/ns_web_u/main/3.log" },
    { id: "sidecar-id", path: "/logs/ns_web_u/sidecar/1.log" },
    { id: "debug-id", path: "/logs/ns_web_u/debug/0.log" },
  ]);
});
