import assert from "node:assert/strict";
import { test } from "node:test";
import { CommandError, type RunCommand } from "./command.ts";
import { datagramFlows, forgetDatagramFlow } from "./conntrack.ts";

const LINES = `udp      17 28 src=10.244.0.13 dst=10.96.0.10 sport=4000 dport=53 src=10.244.0.11 dst=10.244.0.13 sport=5353 dport=4000 [ASSURED] mark=0 use=1
udp      17 3 src=fd00::1 dst=fd00::2 sport=1 dport=2 [UNREPLIED] src=fd00::2 dst=fd00::1 sport=2 dport=1 mark=0 use=1
conntrack v1.4.7 (conntrack-tools): 2 flow entries have been shown.
`;

test("flows of datagrams are read with where they began and where they are answered", async () => {
  const flows = await datagramFlows(async () => LINES, false);
  assert.deepEqual(flows, [
    {
      source: "10.244.0.13",
      sourcePort: 4000,
      destination: "10.96.0.10",
      destinationPort: 53,
      answeredBy: "10.244.0.11",
      answeredFromPort: 5353,
    },
    {
      source: "fd00::1",
      sourcePort: 1,
      destination: "fd00::2",
      destinationPort: 2,
      answeredBy: "fd00::2",
      answeredFromPort: 2,
    },
  ]);
});

test("forgetting a flow names it exactly, and takes one that is gone for forgotten", async () => {
  const calls: string[] = [];
  let code: number | undefined = 1;
  const run: RunCommand = async (command, args) => {
    calls.push([command, ...args].join(" "));
    throw new CommandError(command, code, "0 flow entries have been deleted");
  };
  const [, flow] = await datagramFlows(async () => LINES, true);
  await forgetDatagramFlow(run, flow!);
  assert.deepEqual(calls, ["conntrack -D -p udp -f ipv6 -s fd00::1 -d fd00::2 --sport 1 --dport 2"]);
  code = undefined;
  await assert.rejects(forgetDatagramFlow(run, flow!), CommandError);
});
