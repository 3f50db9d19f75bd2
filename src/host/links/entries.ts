/** What leads over a link: routes with a gateway, neighbours and forwarding entries that do not age. */
import type { RunCommand } from "../command.ts";
import { applyBatch } from "./links.ts";

/** Maps of texts: what is the same prints the same. */
export interface Entries {
  /** Gateways by destination. */
  routes: ReadonlyMap<string, string>;
  /** MAC addresses by IP address. */
  neighbours: ReadonlyMap<string, string>;
  /** Addresses of tunnel ends by MAC address. */
  forwarding: ReadonlyMap<string, string>;
}

export const NO_ENTRIES: Entries = { routes: new Map(), neighbours: new Map(), forwarding: new Map() };

export async function readEntries(run: RunCommand, link: string): Promise<Entries> {
  const dev = ["show", "dev", link];
  const [routes4, routes6, neighbours, forwarding] = await Promise.all([
    run("ip", ["-4", "-j", "route", ...dev]),
    run("ip", ["-6", "-j", "route", ...dev]),
    run("ip", ["-j", "neigh", ...dev]),
    run("bridge", ["-j", "fdb", ...dev]),
  ]);
  return {
    routes: new Map([
      ...pairs(routes4, isRoute, "dst", "gateway"),
      ...pairs(routes6, isRoute, "dst", "gateway"),
    ]),
    neighbours: new Map(pairs(neighbours, isPermanent, "dst", "lladdr")),
    forwarding: new Map(pairs(forwarding, () => true, "mac", "dst")),
  };
}

type Printed = Readonly<Record<string, unknown>>;

const isRoute = ({ protocol }: Printed): boolean => protocol !== "kernel";
const isPermanent = ({ state }: Printed): boolean => Array.isArray(state) && state.includes("PERMANENT");

function pairs(
  text: string,
  isOurs: (entry: Printed) => boolean,
  key: string,
  value: string,
): [string, string][] {
  return (JSON.parse(text.trim() || "[]") as Printed[]).flatMap((entry): [string, string][] => {
    const [from, to] = [entry[key], entry[value] ?? ""];
    return isOurs(entry) && typeof from === "string" && typeof to === "string" ? [[from, to]] : [];
  });
}

export interface EntryCommands {
  /** Of `ip`, to be run first. */
  remove: string[];
  /** Of `bridge`. */
  forward: string[];
  /** Of `ip`, to be run last: a route leads nowhere before its neighbour is known. */
  add: string[];
}

/** What makes `wanted` of what is there. */
export function entryCommands(link: string, there: Entries, wanted: Entries): EntryCommands {
  const commands: EntryCommands = { remove: [], forward: [], add: [] };
  for (const destination of gone(there.routes, wanted.routes)) {
    commands.remove.push(`route del ${destination} dev ${link}`);
  }
  for (const ip of gone(there.neighbours, wanted.neighbours))
    commands.remove.push(`neigh del ${ip} dev ${link}`);
  for (const mac of gone(there.forwarding, wanted.forwarding)) {
    commands.forward.push(`fdb del ${mac} dev ${link} dst ${there.forwarding.get(mac)} self`);
  }
  for (const [mac, ip] of fresh(there.forwarding, wanted.forwarding)) {
    commands.forward.push(`fdb replace ${mac} dev ${link} dst ${ip} self permanent`);
  }
  for (const [ip, mac] of fresh(there.neighbours, wanted.neighbours)) {
    commands.add.push(`neigh replace ${ip} lladdr ${mac} dev ${link} nud permanent`);
  }
  for (const [destination, gateway] of fresh(there.routes, wanted.routes)) {
    commands.add.push(`route replace ${destination} via ${gateway} dev ${link} onlink`);
  }
  return commands;
}

export async function applyEntries(run: RunCommand, { remove, forward, add }: EntryCommands): Promise<void> {
  await applyBatch(run, "ip", remove);
  await applyBatch(run, "bridge", forward);
  await applyBatch(run, "ip", add);
}

type Pairs = ReadonlyMap<string, string>;

const gone = (there: Pairs, wanted: Pairs): string[] => [...there.keys()].filter((key) => !wanted.has(key));

const fresh = (there: Pairs, wanted: Pairs): [string, string][] =>
  [...wanted].filter(([key, value]) => there.get(key) !== value);
