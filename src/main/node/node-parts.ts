import type { Client } from "../../client/client.ts";
import type { EventRecorder } from "../../client/events/event-recorder.ts";
import type { Informers } from "../../client/informer/informers.ts";
import type { NodeRuntime } from "./container-runtime.ts";
import type { NodeRun } from "./node-run.ts";

/** What the parts of a node share. */
export interface NodeParts {
  run: NodeRun;
  runtime: NodeRuntime;
  /** Acts as the node. */
  client: Client;
  /** Of the same user. */
  informers: Informers;
  /** In the kubelet's name. */
  events: EventRecorder;
  /** By which others reach the node, as they are now. */
  addresses: () => string[];
  failed: (what: { plural: string }, error: unknown) => void;
}
