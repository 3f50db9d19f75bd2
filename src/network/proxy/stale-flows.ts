/**
 * Datagrams have no end that the kernel could see: a client that keeps its port would be led to an endpoint that is gone,
 * or to none, as long as it sends. So flows that go where their service no longer leads are forgotten.
 */

import type { RunCommand } from "../../host/command.ts";
import { datagramFlows, type Flow, forgetDatagramFlow } from "../../host/conntrack.ts";
import { FAMILIES } from "../addresses.ts";
import { endpointText } from "./endpoints.ts";
import type { DatagramFrontend } from "./service-rules.ts";

const keyOf = ({ address, port }: Pick<DatagramFrontend, "address" | "port">): string =>
  `${address ?? ""}|${port}`;

/** Those of which flows may be stale; of frontends that are gone all are. */
export function changedFrontends(
  was: readonly DatagramFrontend[],
  now: readonly DatagramFrontend[],
): DatagramFrontend[] {
  const before = new Map(was.map((frontend) => [`${frontend.family}|${keyOf(frontend)}`, frontend]));
  const changed: DatagramFrontend[] = [];
  for (const frontend of now) {
    const key = `${frontend.family}|${keyOf(frontend)}`;
    const old = before.get(key);
    before.delete(key);
    const gone = old ? [...old.endpoints].some((endpoint) => !frontend.endpoints.has(endpoint)) : true;
    const first = (old?.endpoints.size ?? 0) === 0 && frontend.endpoints.size > 0;
    if (gone || first) changed.push(frontend);
  }
  for (const frontend of before.values()) {
    if (frontend.endpoints.size > 0) changed.push({ ...frontend, endpoints: new Set() });
  }
  return changed;
}

export function isStale(
  flow: Flow,
  frontends: ReadonlyMap<string, DatagramFrontend>,
  nodeIPs: ReadonlySet<string>,
): boolean {
  const { destination: address, destinationPort: port } = flow;
  const own = nodeIPs.has(address) ? frontends.get(keyOf({ address: undefined, port })) : undefined;
  const frontend = frontends.get(keyOf({ address, port })) ?? own;
  if (!frontend) return false;
  const translated = flow.answeredBy !== address || flow.answeredFromPort !== port;
  // What was not translated waits at an address that nobody has; it may stay where still nobody answers.
  if (!translated) return frontend.endpoints.size > 0;
  return !frontend.endpoints.has(endpointText({ address: flow.answeredBy, port: flow.answeredFromPort }));
}

/** Returns how many flows it forgot. */
export async function forgetStaleFlows(
  run: RunCommand,
  changed: readonly DatagramFrontend[],
  nodeIPs: ReadonlySet<string>,
): Promise<number> {
  let forgotten = 0;
  for (const family of FAMILIES) {
    const frontends = new Map(
      changed.filter((frontend) => frontend.family === family).map((frontend) => [keyOf(frontend), frontend]),
    );
    if (frontends.size === 0) continue;
    for (const flow of await datagramFlows(run, family === 6)) {
      if (!isStale(flow, frontends, nodeIPs)) continue;
      await forgetDatagramFlow(run, flow);
      forgotten++;
    }
  }
  return forgotten;
}
