/** The pod network of a node: connects its pods, and leads to those of other nodes. */
import { isIPv6 } from "node:net";
import { Node } from "../../api/core/node.ts";
import type { Change } from "../../client/informer/informer.ts";
import { WorkQueue } from "../../client/work-queue/work-queue.ts";
import { type RunCommand, runCommand } from "../../host/command.ts";
import { monitorLink } from "../../host/links/link-monitor.ts";
import { deepEqual } from "../../machinery/json/equal.ts";
import { HostNetwork, removeHostNetwork } from "./host-network.ts";
import { NodeReport } from "./node-report.ts";
import { OVERLAY_NAMES, type Overlay, type OverlayNames, type OverlayOptions } from "./overlay-options.ts";
import { type Peer, PUBLIC_IP, peerOf, podCIDR, podCIDRsOf } from "./peer.ts";

/** Everything is one piece of work: changes of many nodes at once become one batch. */
const WORK = "overlay";
/** Milliseconds to the first retry of what failed and to the slowest. */
const RETRY = { first: 200, longest: 30_000 };
/** Milliseconds after which the rules are looked for: nothing tells that somebody removed them. */
const CHECK = 30_000;
/** Milliseconds in which somebody who takes things away may be done. */
const SETTLE = 500;

export function startOverlay(options: OverlayOptions): Overlay {
  const { client, informers, clock, log, nodeName, nodeIPs, run = runCommand } = options;
  const local = nodeIPs[0];
  if (local === undefined)
    throw new Error("this machine has no network address but that of its loopback, and a node needs one");
  const family = isIPv6(local) ? 6 : 4;
  const nodes = informers.of(Node);
  const peers = new Map<string, Peer>();
  const ready = Promise.withResolvers<void>();
  const report = new NodeReport(client, clock, nodeName, local);
  const host = new HostNetwork({
    run,
    nodeName,
    local,
    family,
    clusterCIDRs: options.clusterCIDRs.flatMap((text) => podCIDR(text) ?? []),
    cniConfDir: options.cniConfDir,
    runDir: options.runDir,
    names: { ...OVERLAY_NAMES, ...options.names },
  });

  const queue = new WorkQueue({
    clock,
    retry: RETRY,
    async work() {
      const own = nodes.lister.get("", nodeName);
      const podCIDRs = own ? podCIDRsOf(own) : [];
      if (!own || podCIDRs.length === 0) return;
      if (await host.hasLostTable())
        log("warn", "the rules of the pod network were removed, and are made anew");
      await host.connectPods(podCIDRs);
      await host.reach(peers);
      ready.resolve();
      await report.tell(own, peers.size > 0 ? host.problem : undefined);
      // There is nobody to reach for whom it would fail.
      if (host.problem && peers.size > 0) throw host.problem;
      return { after: CHECK };
    },
    failed(_, error, attempt) {
      host.forget();
      if (attempt === 3) log("error", "the pod network is not as it should be", { error: String(error) });
    },
  });

  const seen = ({ key, now, was }: Change<Node>): void => {
    if (key === nodeName) {
      if (now && report.concerns(now, was)) queue.add(WORK);
      return;
    }
    // Most changes of nodes are of their conditions.
    if (now && was && sayingOf(now) === sayingOf(was)) return;
    const peer = now && peerOf(now, family);
    if (deepEqual(peer, peers.get(key))) return;
    if (peer) peers.set(key, peer);
    else peers.delete(key);
    queue.add(WORK);
  };
  const leave = nodes.subscribe(seen);
  nodes.start();
  let cancel: (() => void) | undefined;
  const stopMonitor = monitorLink({
    clock,
    link: { ...OVERLAY_NAMES, ...options.names }.link,
    gone() {
      cancel ??= clock.setTimer(SETTLE, () => {
        cancel = undefined;
        host.forget();
        queue.add(WORK);
      });
    },
  });
  // Before everything is known, what leads to nodes that are not yet seen would be taken away.
  void nodes.synced.then(() => queue.start());
  return {
    ready: ready.promise,
    async stop() {
      leave();
      stopMonitor();
      cancel?.();
      await queue.close();
    },
  };
}

const sayingOf = ({ metadata, spec }: Node): string =>
  `${metadata.annotations?.[PUBLIC_IP]} ${spec?.podCIDR} ${spec?.podCIDRs?.join(" ")}`;

/** Takes away what `startOverlay` made under these names, after the pods are gone. Any number of times. */
export async function cleanUpOverlay(options: {
  run?: RunCommand;
  cniConfDir: string;
  runDir: string;
  names?: Partial<OverlayNames>;
}): Promise<void> {
  const { run = runCommand, cniConfDir, runDir } = options;
  await removeHostNetwork({ run, cniConfDir, runDir, names: { ...OVERLAY_NAMES, ...options.names } });
}
