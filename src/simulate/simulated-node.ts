/**
 * The part of a simulated node that its kubelet would be: it registers, renews its lease and reports its status, until it
 * is stopped, as a machine that loses its power is.
 */
import { Lease } from "../api/coordination/lease.ts";
import { Node } from "../api/core/node.ts";
import type { Clock } from "../base/clock.ts";
import type { Client } from "../client/client.ts";
import { isReason } from "../client/status.ts";
import { formatMicroTime } from "../machinery/time/time.ts";
import { type NodeShape, nodeConditions, nodeOf } from "./node-shape.ts";
import { PodAddresses } from "./pod-addresses.ts";

// The kubelet's figures.
export const HEARTBEAT = 10_000;
const LEASE_SECONDS = 40;
const REPORT = 5 * 60_000;
const LEASES = "kube-node-lease";

export interface NodeContext {
  client: Client;
  clock: Clock;
  kubeletVersion: string;
}

export class SimulatedNode {
  readonly name: string;
  readonly hostIP: string;
  readonly shape: NodeShape;
  readonly addresses: PodAddresses;
  /** When it was made known; Infinity before. */
  registeredAt = Number.POSITIVE_INFINITY;
  /** Whether it is on: heartbeats go out and pods make progress. */
  running = true;
  /** As last seen; undefined once it was deleted, of which a kubelet takes no notice either. */
  object: Node | undefined;
  private readonly context: NodeContext;
  private lease: Lease | undefined;
  private reportAt = 0;

  /** `index`: no other node of the simulation has the same. */
  constructor(shape: NodeShape, hostIP: string, index: number, context: NodeContext) {
    this.shape = shape;
    this.name = shape.name;
    this.hostIP = hostIP;
    this.addresses = new PodAddresses(`10.${128 + ((index >> 8) & 127)}.${index & 255}.0/24`);
    this.context = context;
  }

  /** Takes over a Node of its name that is there already. */
  async register(): Promise<void> {
    const { client, clock, kubeletVersion } = this.context;
    const node = nodeOf(this.shape, this.hostIP, kubeletVersion, clock.now());
    const nodes = client.resource(Node);
    this.reportAt = clock.now() + REPORT;
    try {
      this.object = await nodes.create(node);
      this.registeredAt = clock.now();
    } catch (error) {
      if (!isReason(error, "AlreadyExists")) throw error;
      const { labels, annotations } = node.metadata;
      const patch = { metadata: { labels, annotations } };
      await nodes.patch(this.name, patch, { type: "merge" });
      this.object = await nodes.patch(
        this.name,
        { status: node.status },
        { type: "strategic", subresource: "status" },
      );
      this.registeredAt = clock.now();
    }
  }

  async heartbeat(): Promise<void> {
    if (this.context.clock.now() >= this.reportAt) await this.report();
    await this.renew();
  }

  private async renew(): Promise<void> {
    const leases = this.context.client.resource(Lease, LEASES);
    const { name } = this;
    const spec = { holderIdentity: name, leaseDurationSeconds: LEASE_SECONDS, renewTime: this.now() };
    if (!this.lease) {
      const uid = this.object?.metadata.uid;
      const ownerReferences = uid ? [{ apiVersion: "v1", kind: "Node", name, uid }] : undefined;
      try {
        this.lease = await leases.create({ metadata: { name, ownerReferences }, spec });
        return;
      } catch (error) {
        if (!isReason(error, "AlreadyExists")) throw error;
        this.lease = await leases.get(name);
      }
    }
    try {
      this.lease = await leases.update({ metadata: this.lease.metadata, spec });
    } catch (error) {
      // The next heartbeat makes it again, or reads it.
      this.lease = undefined;
      if (!isReason(error, "NotFound", "Conflict")) throw error;
    }
  }

  /** Says that it is well. */
  async report(): Promise<void> {
    const { client, clock } = this.context;
    this.reportAt = clock.now() + REPORT;
    const conditions = nodeConditions(clock.now(), this.object?.status?.conditions);
    const patch = { status: { conditions } };
    try {
      const options = { type: "strategic", subresource: "status" } as const;
      this.object = await client.resource(Node).patch(this.name, patch, options);
    } catch (error) {
      if (!isReason(error, "NotFound")) throw error;
    }
  }

  private now(): string {
    const now = this.context.clock.now();
    return formatMicroTime({ seconds: Math.floor(now / 1000), nanos: Math.floor(now % 1000) * 1_000_000 });
  }
}
