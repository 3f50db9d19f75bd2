/** Keeps pods off nodes where a host port that they ask for is taken. */
import { Node } from "../../api/core/node.ts";
import { Pod } from "../../api/core/pods.ts";
import type { NodeInfo } from "../framework/node-info.ts";
import { definePlugin, requeueWhen } from "../framework/plugin.ts";
import { podThatLeft } from "../framework/pod-changes.ts";
import { type HostPort, hostPortsOf } from "../framework/pod-info.ts";
import { reject } from "../framework/rejection.ts";

const NAME = "NodePorts";
const TAKEN = reject(
  NAME,
  "unschedulable",
  "node(s) didn't have free ports for the requested pod ports",
  () => "free the host ports on a node, add a node, or let the pod ask for other host ports",
);
const ANY = "0.0.0.0";

/** Two addresses collide where they are the same or one of them is every address. */
function collide(a: string, b: string): boolean {
  return a === b || a === ANY || b === ANY;
}

function isTaken({ protocol, port, ip }: HostPort, { hostPorts }: NodeInfo): boolean {
  const used = hostPorts.get(`${protocol}/${port}`);
  return used?.some((each) => collide(each, ip)) ?? false;
}

function overlap(wanted: readonly HostPort[], freed: readonly HostPort[]): boolean {
  return wanted.some(({ ip, protocol, port }) =>
    freed.some((each) => each.port === port && each.protocol === protocol && collide(each.ip, ip)),
  );
}

export const nodePorts = definePlugin({
  name: NAME,
  start: () => ({
    prepareFilter({ info: { hostPorts } }) {
      if (hostPorts.length === 0) return undefined;
      return {
        twin: () => JSON.stringify([NAME, hostPorts]),
        filter: (node) =>
          node.hostPorts.size > 0 && hostPorts.some((port) => isTaken(port, node)) ? TAKEN : undefined,
      };
    },
    requeue: [
      requeueWhen(Pod, (change) => {
        const left = podThatLeft(change);
        return left?.spec !== undefined && overlap(change.waiting.hostPorts, hostPortsOf(left.spec));
      }),
      requeueWhen(Node, ({ was, now }) => !was && now !== undefined),
    ],
  }),
});
