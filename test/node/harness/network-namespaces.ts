/**
 * Machines made of network namespaces on one wire, gone when the test ends:
 *
 *   const [a, b] = await networkNamespaces(t, { a: ["192.168.50.1/24"], b: ["192.168.50.2/24"] })
 */
import { type ChildProcess, type SpawnOptions, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import type { TestContext } from "node:test";
import { type RunCommand, runCommand } from "../../../src/host/command.ts";

export interface Machine {
  /** Of the network namespace, below /run/netns. */
  name: string;
  /** Runs a program in it. */
  run: RunCommand;
  /** Starts a program in it, and kills it when the test ends. */
  spawn(command: string, args: readonly string[], options?: SpawnOptions): ChildProcess;
  /** A further namespace, for a pod. */
  addPod(pod: string): Promise<Machine>;
}

export interface WiredMachine extends Machine {
  /** Pulls its plug, or plugs it in again: it keeps its address, and nobody hears of it. */
  wire(state: "up" | "down"): Promise<void>;
}

/** A random part keeps namespaces of tests that run at the same time apart. */
const unique = (): string => `kyt-${randomBytes(3).toString("hex")}`;

export async function networkNamespaces<N extends string>(
  t: Pick<TestContext, "after">,
  machines: Readonly<Record<N, readonly string[]>>,
): Promise<Record<N, WiredMachine>> {
  const prefix = unique();
  const made: string[] = [];
  const children: ChildProcess[] = [];
  t.after(async () => {
    await Promise.all(children.map(ended));
    for (const name of made.reverse()) await runCommand("ip", ["netns", "delete", name]).catch(() => {});
  });
  const add = async (name: string): Promise<Machine> => {
    await runCommand("ip", ["netns", "add", name]);
    made.push(name);
    const inside = (command: string, args: readonly string[]): string[] => [
      "netns",
      "exec",
      name,
      command,
      ...args,
    ];
    const run: RunCommand = (command, args, options) => runCommand("ip", inside(command, args), options);
    await run("ip", ["link", "set", "dev", "lo", "up"]);
    return {
      name,
      run,
      spawn(command, args, options = {}) {
        const child = spawn("ip", inside(command, args), options);
        children.push(child);
        return child;
      },
      addPod: (pod) => add(`${name}-${pod}`),
    };
  };
  const wire = await add(`${prefix}-wire`);
  await wire.run("ip", ["link", "add", "wire", "type", "bridge"]);
  await wire.run("ip", ["link", "set", "dev", "wire", "up"]);
  const result = {} as Record<N, WiredMachine>;
  for (const name of Object.keys(machines) as N[]) {
    const machine = await add(`${prefix}-${name}`);
    const port = `to-${name}`;
    result[name] = {
      ...machine,
      async wire(state) {
        await wire.run("ip", ["link", "set", "dev", port, state]);
      },
    };
    await wire.run("ip", [
      "link",
      "add",
      port,
      "type",
      "veth",
      "peer",
      "name",
      "eth0",
      "netns",
      machine.name,
    ]);
    await wire.run("ip", ["link", "set", "dev", port, "master", "wire", "up"]);
    for (const address of machines[name]) {
      const nodad = address.includes(":") ? ["nodad"] : [];
      await machine.run("ip", ["address", "add", address, "dev", "eth0", ...nodad]);
    }
    await machine.run("ip", ["link", "set", "dev", "eth0", "up"]);
  }
  const all = Object.values<Machine>(result);
  await Promise.all(all.map(connected));
  while ((await wire.run("bridge", ["link", "show"])).split("state forwarding").length <= all.length);
  return result;
}

/**
 * The kernel sees a carrier, and adds its own routes, a moment after a link was made. Nothing tells from when on a
 * monitor of that listens: it is asked again and again.
 */
async function connected({ run }: Machine): Promise<void> {
  while (!/ state UP /.test(await run("ip", ["link", "show", "dev", "eth0"])));
  const without = await run("cat", ["/proc/sys/net/ipv6/conf/eth0/disable_ipv6"]).catch(() => "1");
  if (without.trim() !== "0") return;
  while (!/multicast ff00::/.test(await run("ip", ["-6", "route", "show", "table", "local", "dev", "eth0"])));
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exit = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGKILL");
  await exit;
}
