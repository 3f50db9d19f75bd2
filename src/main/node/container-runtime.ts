/** The container runtime of a node: a containerd of its own, or one that was named. */

import { superviseContainerd } from "../../host/containerd/supervise-containerd.ts";
import { findCNI, mayLowerOOMScore } from "../../host/machine/machine.ts";
import { keepLogSmall } from "../../host/supervisor/keep-log-small.ts";
import { milliseconds } from "../../kubelet/configuration/milliseconds.ts";
import { type ContainerRuntime, openContainerRuntime } from "../../kubelet/runtime/container-runtime.ts";
import { logLine } from "../log.ts";
import { letUsersPass } from "./let-users-pass.ts";
import type { NodeRun } from "./node-run.ts";

export interface NodeRuntime {
  socket: string;
  calls: ContainerRuntime;
  /** Where its CNI configuration belongs. */
  cniConfDir: string;
  /** Lets go of it; it goes on running. */
  close(): Promise<void>;
}

/** Where a runtime of the system looks. */
const SYSTEM_CNI = "/etc/cni/net.d";

export async function openNodeRuntime({
  layout,
  node,
  configuration,
  board,
  clock,
}: NodeRun): Promise<NodeRuntime> {
  const given = node.runtimeSocket;
  const timeout = milliseconds(configuration.runtimeRequestTimeout);
  if (given !== undefined) {
    const calls = openContainerRuntime(given, timeout);
    board.set("container runtime", "running", given);
    return { socket: given, calls, cniConfDir: SYSTEM_CNI, close: async () => calls.close() };
  }
  board.set("containerd", "starting");
  await letUsersPass(layout);
  const binDir = await findCNI();
  let version = "";
  const supervised = await superviseContainerd({
    places: layout.containerd,
    cni: { binDir: binDir ?? "/opt/cni/bin", confDir: layout.cniConfDir },
    registryDir: layout.registries,
    restrictOOMScore: !(await mayLowerOOMScore()),
    clock,
    log: logLine,
    told: (problem) =>
      board.set("containerd", problem === undefined ? "running" : "failed", problem ?? version),
  });
  const calls = openContainerRuntime(supervised.socket, timeout);
  version = (await calls.version({})).runtimeVersion;
  board.set("containerd", "running", `${version}${supervised.adopted ? ", was running" : ""}`);
  const rotation = keepLogSmall(layout.containerd.log);
  return {
    socket: supervised.socket,
    calls,
    cniConfDir: layout.cniConfDir,
    async close() {
      rotation();
      calls.close();
      await supervised.close();
    },
  };
}
