/**
 * Makes this machine a node: starts what a node runs in the order that the parts need each other. Where one cannot be
 * started, those before it are stopped: whoever tries again starts them all.
 */
import { Node } from "../../api/core/node.ts";
import { openClient } from "../../client/client.ts";
import { CoreEventRecorder } from "../../client/events/core-event-recorder.ts";
import { Informers } from "../../client/informer/informers.ts";
import { followedAddresses } from "../../host/machine/addresses.ts";
import { logLine } from "../log.ts";
import { openNodeRuntime } from "./container-runtime.ts";
import { startNodeKubelet } from "./node-kubelet.ts";
import { startNodeNetwork } from "./node-network.ts";
import type { NodeRun } from "./node-run.ts";

export interface RunningNode {
  /** For /metrics. */
  exposition(): string;
  /** Lets go of the node: what runs goes on running. */
  stop(): Promise<void>;
}

export async function runNode(run: NodeRun): Promise<RunningNode> {
  const { node, access, clock, board } = run;
  await using started = new AsyncDisposableStack();
  const runtime = await openNodeRuntime(run);
  started.defer(() => runtime.close());
  const client = openClient(access.open("node"), { userAgent: "kubelet" });
  started.defer(() => client.close());
  const failed = (what: { plural: string }, error: unknown): void =>
    logLine("warn", "a watch of the node failed, and is tried again", {
      resource: what.plural,
      error: String(error),
    });
  const informers = new Informers({ client, clock, random: Math.random, failed });
  started.defer(() => informers.stop());
  const events = new CoreEventRecorder({ client, component: "kubelet", host: node.name, clock });
  const addresses = followedAddresses(node.address);
  const parts = { run, runtime, client, informers, events, addresses, failed };
  board.tell({ node: { name: node.name, ready: false, message: "not registered yet", simulated: 0 } });
  const network = await startNodeNetwork(parts);
  started.defer(() => network.stop());
  const kubelet = await startNodeKubelet({ ...parts, admit: network.admit });
  started.defer(() => kubelet.stop());
  started.defer(tellReadiness(run, informers));
  // Told by whoever tried before, and failed.
  board.remove("node");
  const all = started.move();
  return { exposition: network.exposition, stop: () => all.disposeAsync() };
}

/** Keeps the board up to date with what the cluster knows of this node. */
function tellReadiness({ node, board }: NodeRun, informers: Informers): () => void {
  const own = informers.of(Node, { fieldSelector: `metadata.name=${node.name}` });
  const leave = own.subscribe(({ now }) => {
    const condition = now?.status?.conditions?.find(({ type }) => type === "Ready");
    const ready = condition?.status === "True";
    const message = ready ? "" : (condition?.message ?? "not registered yet");
    board.tell({ node: { name: node.name, ready, message, simulated: 0 } });
  });
  own.start();
  return leave;
}
