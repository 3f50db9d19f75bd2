/** What a node says of its pod network in its Node object. */
import { Node, type NodeCondition } from "../../api/core/node.ts";
import type { Clock } from "../../base/clock.ts";
import type { Client } from "../../client/client.ts";
import { formatTime } from "../../machinery/time/time.ts";
import { PUBLIC_IP, podCIDRsOf } from "./peer.ts";

const CONDITION = "NetworkUnavailable";

export class NodeReport {
  private readonly client: Client;
  private readonly clock: Clock;
  private readonly nodeName: string;
  private readonly publicIP: string;

  constructor(client: Client, clock: Clock, nodeName: string, publicIP: string) {
    this.client = client;
    this.clock = clock;
    this.nodeName = nodeName;
    this.publicIP = publicIP;
  }

  /** Whether a change of the node itself calls for another look. */
  concerns(now: Node, was: Node | undefined): boolean {
    if (!was) return true;
    const facts = (node: Node) =>
      JSON.stringify([podCIDRsOf(node), node.metadata.annotations?.[PUBLIC_IP], conditionOf(node)?.status]);
    return facts(now) !== facts(was);
  }

  /** Writes what the object does not say yet. */
  async tell(node: Node, problem: Error | undefined): Promise<void> {
    const nodes = this.client.resource(Node);
    if (node.metadata.annotations?.[PUBLIC_IP] !== this.publicIP) {
      const metadata = { annotations: { [PUBLIC_IP]: this.publicIP } };
      await nodes.patch(this.nodeName, { metadata }, { type: "merge" });
    }
    const wanted = problem
      ? {
          status: "True",
          reason: "NoTunnel",
          message: `Pods of other nodes cannot be reached: ${problem.message}`,
        }
      : { status: "False", reason: "KybernIsUp", message: "Kybern's pod network is running on this node" };
    const there = conditionOf(node);
    if (there && there.status === wanted.status && there.message === wanted.message) return;
    const now = formatTime(this.clock.now());
    const lastTransitionTime = there?.status === wanted.status ? there.lastTransitionTime : now;
    const condition = { type: CONDITION, ...wanted, lastHeartbeatTime: now, lastTransitionTime };
    await nodes.patch(
      this.nodeName,
      { status: { conditions: [condition] } },
      { type: "strategic", subresource: "status" },
    );
  }
}

function conditionOf({ status }: Node): NodeCondition | undefined {
  return status?.conditions?.find(({ type }) => type === CONDITION);
}
