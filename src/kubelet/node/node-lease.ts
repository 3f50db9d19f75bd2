/** The lease by whose renewals the control plane sees that the node lives. */
import { Lease } from "../../api/coordination/lease.ts";
import type { Node } from "../../api/core/node.ts";
import type { Clock } from "../../base/clock.ts";
import type { Client } from "../../client/client.ts";
import { isReason } from "../../client/status.ts";
import { formatMicroTime } from "../../machinery/time/time.ts";

const LEASE_NAMESPACE = "kube-node-lease";

/** What the lease needs of the node: it goes when the node goes. */
type Owner = Pick<Node, "metadata">;

export class NodeLease {
  private readonly client: Client;
  private readonly clock: Clock;
  private readonly name: string;
  private readonly seconds: number;
  private lease: Lease | undefined;

  /** `seconds`: how long it holds. */
  constructor(client: Client, clock: Clock, name: string, seconds: number) {
    this.client = client;
    this.clock = clock;
    this.name = name;
    this.seconds = seconds;
  }

  /** Makes it where there is none. Throws where the server is not reached. */
  async renew(node: Owner | undefined): Promise<void> {
    const leases = this.client.resource(Lease, LEASE_NAMESPACE);
    this.lease ??= await this.find();
    if (!this.lease) {
      this.lease = await leases.create(this.renewed({ name: this.name }, node));
      return;
    }
    try {
      this.lease = await leases.update(this.renewed(this.lease.metadata, node));
    } catch (error) {
      this.lease = undefined;
      if (!isReason(error, "NotFound", "Conflict")) throw error;
      // Somebody else wrote it or took it away: what is there now is looked at, once.
      const found = await this.find();
      this.lease = found
        ? await leases.update(this.renewed(found.metadata, node))
        : await leases.create(this.renewed({ name: this.name }, node));
    }
  }

  private async find(): Promise<Lease | undefined> {
    try {
      return await this.client.resource(Lease, LEASE_NAMESPACE).get(this.name);
    } catch (error) {
      if (isReason(error, "NotFound")) return undefined;
      throw error;
    }
  }

  private renewed(metadata: Lease["metadata"], node: Owner | undefined): Pick<Lease, "metadata" | "spec"> {
    const { name } = this;
    const uid = node?.metadata.uid;
    const owned =
      (metadata.ownerReferences?.length ?? 0) > 0 || uid === undefined
        ? {}
        : { ownerReferences: [{ apiVersion: "v1", kind: "Node", name, uid }] };
    return {
      metadata: { ...metadata, ...owned },
      spec: {
        holderIdentity: name,
        leaseDurationSeconds: this.seconds,
        renewTime: microTime(this.clock.now()),
      },
    };
  }
}

function microTime(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1000);
  return formatMicroTime({ seconds, nanos: Math.floor(milliseconds % 1000) * 1_000_000 });
}
