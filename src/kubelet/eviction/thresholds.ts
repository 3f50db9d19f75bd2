/** At which amounts of what is left evicting begins. */

import { Quantity } from "../../machinery/quantity/quantity.ts";
import { parseDuration } from "../../machinery/time/duration.ts";

export const SIGNALS = [
  "memory.available",
  "allocatableMemory.available",
  "nodefs.available",
  "nodefs.inodesFree",
  "imagefs.available",
  "imagefs.inodesFree",
  "containerfs.available",
  "containerfs.inodesFree",
  "pid.available",
] as const;
export type Signal = (typeof SIGNALS)[number];

/** What is short where a signal says so, as messages name it. */
export const RESOURCES: Readonly<Record<Signal, Resource>> = {
  "memory.available": "memory",
  "allocatableMemory.available": "memory",
  "nodefs.available": "ephemeral-storage",
  "nodefs.inodesFree": "inodes",
  "imagefs.available": "ephemeral-storage",
  "imagefs.inodesFree": "inodes",
  "containerfs.available": "ephemeral-storage",
  "containerfs.inodesFree": "inodes",
  "pid.available": "pids",
};
export type Resource = "ephemeral-storage" | "inodes" | "memory" | "pids";

/** An amount, or a part of all there is. */
export type Amount = { quantity: Quantity } | { part: number };

export interface Threshold {
  signal: Signal;
  value: Amount;
  /** Milliseconds that it must hold; 0: pods are ended at once. */
  grace: number;
  /** How much more must be left before it counts as over. */
  minReclaim?: Amount;
}

/** Texts as in a KubeletConfiguration: `{ "memory.available": "100Mi", "nodefs.available": "10%" }`. */
export interface EvictionConfiguration {
  evictionHard?: Readonly<Record<string, string>>;
  evictionSoft?: Readonly<Record<string, string>>;
  evictionSoftGracePeriod?: Readonly<Record<string, string>>;
  evictionMinimumReclaim?: Readonly<Record<string, string>>;
  /** Whether pods are held to what is allocatable: that is then watched as the machine is. */
  enforcePods?: boolean;
}

export const DEFAULT_HARD: Readonly<Record<string, string>> = {
  "memory.available": "100Mi",
  "nodefs.available": "10%",
  "nodefs.inodesFree": "5%",
  "imagefs.available": "15%",
  "imagefs.inodesFree": "5%",
};

/** Throws a TypeError that says what is wrong. */
export function parseThresholds(configuration: EvictionConfiguration): Threshold[] {
  const { evictionHard = DEFAULT_HARD, evictionSoft = {}, evictionSoftGracePeriod = {} } = configuration;
  const reclaims = new Map(
    Object.entries(configuration.evictionMinimumReclaim ?? {}).map(([signal, text]) => [
      signalOf(signal),
      amountOf(text),
    ]),
  );
  const thresholds: Threshold[] = [];
  const add = (name: string, text: string, grace: number): void => {
    const signal = signalOf(name);
    // What is never and what is always so is left out.
    if (text === "0%" || text === "100%") return;
    const minReclaim = reclaims.get(signal);
    thresholds.push({ signal, value: positive(name, text), grace, ...(minReclaim ? { minReclaim } : {}) });
  };
  for (const [name, text] of Object.entries(evictionHard)) add(name, text, 0);
  for (const [name, text] of Object.entries(evictionSoft)) {
    const grace = Object.hasOwn(evictionSoftGracePeriod, name) ? evictionSoftGracePeriod[name] : undefined;
    if (grace === undefined) {
      throw new TypeError(`grace period must be specified for the soft eviction threshold ${name}`);
    }
    add(name, text, Number(parseDuration(grace)) / 1e6);
  }
  if (configuration.enforcePods ?? true) {
    const memory = thresholds.find(({ signal, grace }) => signal === "memory.available" && grace === 0);
    if (memory) thresholds.push({ ...memory, signal: "allocatableMemory.available" });
  }
  return thresholds;
}

/** What pods are not to count on: `capacity` in whole units, by the resources of nodes. */
export function reservedForEviction(
  thresholds: readonly Threshold[],
  capacity: { memory: number; "ephemeral-storage": number },
): Record<string, string> {
  const reserved: Record<string, string> = {};
  for (const { signal, value, grace } of thresholds) {
    if (grace > 0) continue;
    const format = "BinarySI";
    if (signal === "memory.available") {
      reserved.memory = Quantity.ofValue(unitsOf(value, capacity.memory), format).toString();
    }
    if (signal === "nodefs.available") {
      const units = unitsOf(value, capacity["ephemeral-storage"]);
      reserved["ephemeral-storage"] = Quantity.ofValue(units, format).toString();
    }
  }
  return reserved;
}

/** Whole units. */
export function unitsOf(amount: Amount, capacity: number): number {
  return "quantity" in amount ? amount.quantity.value() : Math.floor(capacity * amount.part);
}

function signalOf(name: string): Signal {
  if (SIGNALS.includes(name as Signal)) return name as Signal;
  throw new TypeError(`unsupported eviction signal ${name}`);
}

function amountOf(text: string): Amount {
  if (!text.endsWith("%")) return { quantity: Quantity.parse(text) };
  const part = Number(text.slice(0, -1)) / 100;
  if (!(part >= 0 && part <= 1)) throw new TypeError(`${text} is no percentage of all there is`);
  return { part };
}

function positive(name: string, text: string): Amount {
  const amount = amountOf(text);
  if ("quantity" in amount && amount.quantity.sign() <= 0) {
    throw new TypeError(`eviction threshold ${name} must be positive: ${text}`);
  }
  return amount;
}
