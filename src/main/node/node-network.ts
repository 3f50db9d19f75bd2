/** The network of a node: pods', Services', policies, and the cluster's DNS. */
import type { Pod } from "../../api/core/pods.ts";
import { startOverlay } from "../../network/overlay/start-overlay.ts";
import { logLine } from "../log.ts";
import type { NodeParts } from "./node-parts.ts";

export interface NodeNetwork {
  /** To be told of a pod's addresses before its containers start; undefined where no policies are enforced. */
  admit: ((pod: Pod, podIPs: readonly string[]) => Promise<void>) | undefined;
  exposition(): string;
  stop(): Promise<void>;
}

export function startNodeNetwork(parts: NodeParts): NodeNetwork {
  const { run, runtime, client, addresses } = parts;
  // The control plane's show everything already.
  const informers = run.access.informers ?? parts.informers;
  const { clock, board, node, layout, components, clusterCIDRs } = run;
  const parties: { stop(): Promise<void> }[] = [];
  if (components.has("kubelet")) {
    board.set("network", "starting");
    const overlay = startOverlay({
      client,
      informers,
      clock,
      log: logLine,
      nodeName: node.name,
      nodeIPs: addresses(),
      clusterCIDRs,
      cniConfDir: runtime.cniConfDir,
      runDir: layout.runDir,
    });
    void overlay.ready.then(() => board.set("network", "running"));
    parties.push(overlay);
  }
  return {
    admit: undefined,
    exposition: () => "",
    async stop() {
      await Promise.all(parties.map((party) => party.stop()));
    },
  };
}
