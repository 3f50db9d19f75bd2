import type { Clock } from "../../base/clock.ts";

interface Lease {
  id: Promise<bigint>;
  until: number;
  left: number;
}

/** How long and for how many keys one lease is used, as in upstream's API server. */
const REUSE_SECONDS = 60;
const MOST_KEYS = 1000;

/** Leases that several keys share: one each would cost etcd more than the keys do. */
export class LeasePool {
  readonly #clock: Clock;
  readonly #grant: (seconds: number) => Promise<bigint>;
  readonly #leases = new Map<number, Lease>();

  constructor(clock: Clock, grant: (seconds: number) => Promise<bigint>) {
    this.#clock = clock;
    this.#grant = grant;
  }

  /** A lease that lasts `ttl` seconds at least, and little longer. */
  async lease(ttl: number): Promise<bigint> {
    const now = this.#clock.now();
    const known = this.#leases.get(ttl);
    if (known && known.until > now && known.left > 0) {
      known.left--;
      return known.id;
    }
    const extra = Math.min(REUSE_SECONDS, Math.ceil(ttl * 0.05));
    const lease = { id: this.#grant(ttl + extra), until: now + extra * 1000, left: MOST_KEYS - 1 };
    this.#leases.set(ttl, lease);
    try {
      return await lease.id;
    } catch (error) {
      if (this.#leases.get(ttl) === lease) this.#leases.delete(ttl);
      throw error;
    }
  }
}
