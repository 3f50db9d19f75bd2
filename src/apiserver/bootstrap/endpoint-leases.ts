/**
 * Which of several servers over one store are alive: each keeps a key that the store forgets when it is not written
 * anew, and makes the `kubernetes` Service lead to all whose keys are there (upstream: the lease endpoint reconciler).
 */

import type { Clock } from "../../base/clock.ts";
import { parseIP } from "../../machinery/names/ip-address.ts";
import type { Store } from "../../store/store.ts";
import type { Registry } from "../registry/registry.ts";
import { publishEndpoints, type Target } from "./kubernetes-service.ts";

/** As upstream's servers name them, so that theirs count too. */
const PREFIX = "/registry/masterleases/";
const BEHIND = "/registry/masterleases0";
/** Seconds. */
const TTL = 15;
/** Milliseconds. */
const RENEW = 10_000;

export interface EndpointLeasesOptions {
  store: Store;
  clock: Clock;
  registry: Registry;
  target: Target;
  /** What could not be done is tried again when the key is due. */
  failed: (error: unknown) => void;
}

export interface EndpointLeases {
  /** Takes this server away from the Service, where there are others. Any number of times. */
  stop(): Promise<void>;
}

/** Resolves once this server is among the Service's addresses. */
export async function startEndpointLeases(options: EndpointLeasesOptions): Promise<EndpointLeases> {
  const leases = new Leases(options);
  await leases.renew();
  return leases;
}

class Leases implements EndpointLeases {
  private readonly options: EndpointLeasesOptions;
  private readonly key: string;
  private cancel = (): void => {};
  private stopped = false;
  /** Renewals and the farewell come one after the other. */
  private turn: Promise<void> = Promise.resolve();

  constructor(options: EndpointLeasesOptions) {
    this.options = options;
    this.key = `${PREFIX}${options.target.address}`;
  }

  async renew(): Promise<void> {
    const { clock, failed } = this.options;
    if (this.stopped) return;
    this.turn = this.turn
      .then(() => this.write(true))
      .then(() => this.publish())
      .catch(failed);
    await this.turn;
    if (!this.stopped) this.cancel = clock.setTimer(RENEW, () => void this.renew());
  }

  async stop(): Promise<void> {
    if (!this.stopped) {
      this.stopped = true;
      this.cancel();
      const { failed } = this.options;
      this.turn = this.turn
        .then(() => this.write(false))
        .then(() => this.publish())
        .catch(failed);
    }
    await this.turn;
  }

  /** Writes the key for as long as it holds, or deletes it. It is this server's own, but may run out at any time. */
  private async write(alive: boolean): Promise<void> {
    const { store, target } = this.options;
    const value = alive ? leaseOf(target) : undefined;
    for (let entry = await store.get(this.key); entry || alive; ) {
      const write = { key: this.key, expect: entry?.modified ?? 0 };
      const outcome = await store.write(value ? { ...write, value, ttl: TTL } : write);
      if (outcome.won) return;
      entry = outcome.now;
    }
  }

  private async publish(): Promise<void> {
    const { store, registry, target } = this.options;
    const { entries } = await store.range({ from: PREFIX, to: BEHIND });
    const { family } = parseIP(target.address) ?? {};
    const alive = entries
      .map(({ key }) => key.slice(PREFIX.length))
      .filter((address) => family !== undefined && parseIP(address)?.family === family);
    // The last to go leaves the Service as it is, as upstream: there is nobody else to lead to.
    if (alive.length > 0) await publishEndpoints(registry, alive.sort(), target.port);
  }
}

/** An Endpoints object, as upstream's servers keep and read. */
function leaseOf({ address }: Target): Uint8Array {
  const subsets = [{ addresses: [{ ip: address }] }];
  return Buffer.from(JSON.stringify({ kind: "Endpoints", apiVersion: "v1", metadata: {}, subsets }));
}
