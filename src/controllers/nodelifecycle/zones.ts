/**
 * How fast the nodes of each zone may lose their pods. The more of a zone is down, the likelier it is that the fault
 * lies elsewhere:
 *
 *   Normal ──▶ 0.1 nodes/s      PartialDisruption ──▶ 0.01 nodes/s in large zones, none in others
 *   FullDisruption ──▶ 0.1 nodes/s; where that is so of all zones: none, and the taints are taken back
 */
import type { Node } from "../../api/core/node.ts";
import { nodeCondition } from "../nodes/node-condition.ts";

export type ZoneState = "Normal" | "PartialDisruption" | "FullDisruption";

// Upstream's --node-eviction-rate, --secondary-node-eviction-rate, --unhealthy-zone-threshold and
// --large-cluster-size-threshold.
const RATE = 0.1;
const SECONDARY_RATE = 0.01;
const UNHEALTHY_THRESHOLD = 0.55;
const LARGE_ZONE = 50;

export function zoneState(ready: number, notReady: number): ZoneState {
  if (ready === 0 && notReady > 0) return "FullDisruption";
  const share = notReady / (notReady + ready);
  return notReady > 2 && share >= UNHEALTHY_THRESHOLD ? "PartialDisruption" : "Normal";
}

/** Nodes a second. */
export function evictionRate(state: ZoneState, size: number): number {
  if (state !== "PartialDisruption") return RATE;
  return size > LARGE_ZONE ? SECONDARY_RATE : 0;
}

/** Lets one through, then none for as long as the rate says. */
export class Pace {
  private rate = RATE;
  private freeAt = 0;

  setRate(rate: number, now: number): void {
    if (rate === this.rate) return;
    this.rate = rate;
    // Who had to wait before has to wait anew.
    if (rate > 0 && this.freeAt > now) this.freeAt = now + 1000 / rate;
  }

  take(now: number): boolean {
    if (this.rate === 0 || now < this.freeAt) return false;
    this.freeAt = now + 1000 / this.rate;
    return true;
  }

  /** Milliseconds until one may pass; undefined while none may. */
  wait(now: number): number | undefined {
    return this.rate === 0 ? undefined : Math.max(0, this.freeAt - now);
  }
}

interface Zone {
  /** Names of the nodes that count, by whether they are ready. */
  ready: Set<string>;
  notReady: Set<string>;
  state: ZoneState | undefined;
  pace: Pace;
  /** Nodes that are to be tainted in turn. */
  waiting: Set<string>;
}

const EXCLUDED = "node.kubernetes.io/exclude-disruption";

export function zoneKey({ metadata: { labels = {} } }: Node): string {
  const region =
    labels["topology.kubernetes.io/region"] ?? labels["failure-domain.beta.kubernetes.io/region"];
  const zone = labels["topology.kubernetes.io/zone"] ?? labels["failure-domain.beta.kubernetes.io/zone"];
  return region || zone ? `${region ?? ""}:\0:${zone ?? ""}` : "";
}

export class Zones {
  private readonly zones = new Map<string, Zone>();
  private readonly zoneOf = new Map<string, string>();
  /** Every zone is down: whoever judges so is probably the one that is cut off. */
  allDown = false;

  sawNode(node: Node): void {
    const { name = "", labels } = node.metadata;
    const key = zoneKey(node);
    if (this.zoneOf.get(name) !== key) this.forget(name);
    this.zoneOf.set(name, key);
    const zone = this.of(key);
    zone.ready.delete(name);
    zone.notReady.delete(name);
    if (labels && Object.hasOwn(labels, EXCLUDED)) return;
    const isReady = nodeCondition(node, "Ready")?.status === "True";
    (isReady ? zone.ready : zone.notReady).add(name);
  }

  forget(name: string): void {
    const key = this.zoneOf.get(name);
    const zone = key === undefined ? undefined : this.zones.get(key);
    this.zoneOf.delete(name);
    if (!zone) return;
    for (const set of [zone.ready, zone.notReady, zone.waiting]) set.delete(name);
  }

  /** Judges every zone anew. `turn` tells of all zones being down, `changed` that some zone's pace may be another. */
  settle(now: number): { turn?: "entered" | "left"; changed: boolean } {
    let counted = 0;
    let down = 0;
    const changed: Zone[] = [];
    for (const zone of this.zones.values()) {
      if (zone.ready.size + zone.notReady.size === 0) continue;
      counted++;
      const state = zoneState(zone.ready.size, zone.notReady.size);
      if (state === "FullDisruption") down++;
      if (state !== zone.state) changed.push(zone);
      zone.state = state;
    }
    const allDown = counted > 0 && down === counted;
    const turn = allDown === this.allDown ? undefined : allDown ? "entered" : "left";
    this.allDown = allDown;
    for (const zone of turn ? this.zones.values() : changed) {
      const size = zone.ready.size + zone.notReady.size;
      zone.pace.setRate(allDown ? 0 : evictionRate(zone.state ?? "Normal", size), now);
    }
    return { turn, changed: turn !== undefined || changed.length > 0 };
  }

  /** Returns the zone whose turn it is to wait for. */
  wait(name: string): string {
    const key = this.zoneOf.get(name) ?? "";
    this.of(key).waiting.add(name);
    return key;
  }

  doNotWait(name: string): void {
    this.zones.get(this.zoneOf.get(name) ?? "")?.waiting.delete(name);
  }

  waiting(key: string): { names: ReadonlySet<string>; pace: Pace } {
    const { waiting: names, pace } = this.of(key);
    return { names, pace };
  }

  /** Zones in which nodes wait. */
  get busy(): string[] {
    return [...this.zones].filter(([, { waiting }]) => waiting.size > 0).map(([key]) => key);
  }

  private of(key: string): Zone {
    let zone = this.zones.get(key);
    if (!zone) {
      zone = {
        ready: new Set(),
        notReady: new Set(),
        state: undefined,
        pace: new Pace(),
        waiting: new Set(),
      };
      this.zones.set(key, zone);
    }
    return zone;
  }
}
