/**
 * A small network of one test's own, in network namespaces that are gone when it ends: a node, pods that the node routes
 * between as CNI's ptp plugin has it, and a client outside.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { type RunCommand, runCommand } from "../../../src/host/command.ts";

export interface Serve {
  do: "serve";
  protocol: "tcp" | "udp";
  port: number;
  /** Answers are this name and the address that the client is seen with. */
  name: string;
  host?: string;
}

export interface Ask {
  do: "ask";
  protocol: "tcp" | "udp";
  host: string;
  port: number;
  /** The port to ask from. */
  from?: number;
  timeoutMs: number;
}

export type AgentRequest =
  | Serve
  | Ask
  | { do: "open"; connection: number; host: string; port: number }
  | { do: "say"; connection: number; timeoutMs: number }
  | { do: "get"; url: string };

export interface AgentAnswer {
  text?: string;
  /** `ECONNREFUSED`, or `ABORT_ERR` where nobody answered in time. */
  error?: string;
}

export interface AskOptions {
  protocol?: "tcp" | "udp";
  from?: number;
}

export interface Place {
  readonly namespace: string;
  readonly address: string;
  readonly address6: string;
  serve(protocol: "tcp" | "udp", port: number, name: string): Promise<void>;
  /** What the server answered, or "refused"; "silence" only after a long time. */
  ask(host: string, port: number, options?: AskOptions): Promise<string>;
  /** The same where nobody is to answer: "silence" soon. */
  askInVain(host: string, port: number, options?: AskOptions): Promise<string>;
  /** A connection that stays: each call of the function sends something on it and returns as `ask` does. */
  connect(host: string, port: number): Promise<() => Promise<string>>;
  get(url: string): Promise<{ code: number; headers: Record<string, string>; body: string }>;
}

export interface TestNetwork {
  node: Place;
  client: Place;
  /** In the node's network namespace. */
  run: RunCommand;
  /** 10.244.0.N, of the node's own pods. */
  pod(number: number): Promise<Place>;
}

/** Long enough for an answer, which takes a millisecond, on the busiest machine. */
const PATIENCE = 60_000;
/** Long enough for an answer that should not come to be noticed, as good as always. */
const SILENCE = 800;
const FIRST = new URL("network-agent.ts", import.meta.url);

export const podIP = (number: number): string => `10.244.0.${number}`;
export const podIP6 = (number: number): string => `fd00:10:244::${number}`;
export const NODE_IP = "192.0.2.1";
export const NODE_IP6 = "2001:db8::1";
export const CLIENT_IP = "192.0.2.2";
export const CLIENT_IP6 = "2001:db8::2";

/** Whether this machine lets a test make networks. Else what to say of skipping it. */
export const cannotMakeNetworks: string | false =
  process.platform !== "linux" ? "needs Linux" : process.getuid?.() !== 0 ? "needs root" : false;

export async function makeNetwork(t: Pick<TestContext, "after">): Promise<TestNetwork> {
  const prefix = `ky${randomBytes(3).toString("hex")}`;
  const made: string[] = [];
  const agents: ChildProcess[] = [];
  t.after(async () => {
    for (const agent of agents) agent.kill("SIGKILL");
    for (const name of made) await runCommand("ip", ["netns", "del", name]).catch(() => {});
  });
  const inside =
    (name: string): RunCommand =>
    (command, args, options) =>
      runCommand("ip", ["netns", "exec", name, command, ...args], options);
  const namespace = async (name: string): Promise<string> => {
    await runCommand("ip", ["netns", "add", `${prefix}-${name}`]);
    made.push(`${prefix}-${name}`);
    await runCommand("ip", ["-n", `${prefix}-${name}`, "link", "set", "lo", "up"]);
    // Else addresses of IPv6 are of no use for the first seconds.
    await inside(`${prefix}-${name}`)("sysctl", ["-qw", "net.ipv6.conf.default.accept_dad=0"]);
    return `${prefix}-${name}`;
  };
  const configure = (name: string, ...lines: string[]): Promise<string> =>
    runCommand("ip", ["-n", name, "-batch", "-"], { input: `${lines.join("\n")}\n` });

  const node = await namespace("node");
  await inside(node)("sysctl", ["-qw", "net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"]);
  // A test is refused more often in a second than the kernel likes to say.
  await inside(node)("sysctl", ["-qw", "net.ipv4.icmp_ratelimit=0", "net.ipv6.icmp.ratelimit=0"]);
  const client = await namespace("client");
  await configure(
    node,
    `link add out type veth peer name eth0 netns ${client}`,
    `addr add ${NODE_IP}/24 dev out`,
    `addr add ${NODE_IP6}/64 dev out nodad`,
    "link set out up",
    `route add default via ${CLIENT_IP}`,
    `route add default via ${CLIENT_IP6}`,
  );
  await configure(
    client,
    `addr add ${CLIENT_IP}/24 dev eth0`,
    `addr add ${CLIENT_IP6}/64 dev eth0 nodad`,
    "link set eth0 up",
    `route add default via ${NODE_IP}`,
    `route add default via ${NODE_IP6}`,
  );
  const place = (name: string, address: string, address6: string): Promise<Place> =>
    startAgent(name, agents, address, address6);
  return {
    node: await place(node, NODE_IP, NODE_IP6),
    client: await place(client, CLIENT_IP, CLIENT_IP6),
    run: inside(node),
    async pod(number) {
      const name = await namespace(`pod${number}`);
      const link = `pod${number}`;
      await configure(
        node,
        `link add ${link} type veth peer name eth0 netns ${name}`,
        `addr add ${podIP(1)}/32 dev ${link}`,
        `addr add ${podIP6(1)}/128 dev ${link} nodad`,
        `link set ${link} up`,
        `route add ${podIP(number)}/32 dev ${link}`,
        `route add ${podIP6(number)}/128 dev ${link}`,
      );
      await configure(
        name,
        `addr add ${podIP(number)}/32 dev eth0`,
        `addr add ${podIP6(number)}/128 dev eth0 nodad`,
        "link set eth0 up",
        `route add ${podIP(1)} dev eth0`,
        `route add default via ${podIP(1)}`,
        `route add ${podIP6(1)} dev eth0`,
        `route add default via ${podIP6(1)}`,
      );
      return place(name, podIP(number), podIP6(number));
    },
  };
}

async function startAgent(
  namespace: string,
  agents: ChildProcess[],
  address: string,
  address6: string,
): Promise<Place> {
  const child = spawn("ip", ["netns", "exec", namespace, process.execPath, fileURLToPath(FIRST)], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  agents.push(child);
  const waiting = new Map<number, (answer: AgentAnswer) => void>();
  const ready = new Promise<AgentAnswer>((resolve) => waiting.set(0, resolve));
  child.on("message", ({ id, answer }: { id: number; answer: AgentAnswer }) => {
    waiting.get(id)?.(answer);
    waiting.delete(id);
  });
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`the agent in ${namespace} ended with ${code}`);
  });
  // It is ended by us, some day.
  ended.catch(() => {});
  await Promise.race([ready, ended]);
  let last = 0;
  const request = (what: AgentRequest): Promise<AgentAnswer> =>
    new Promise((resolve) => {
      const id = ++last;
      waiting.set(id, resolve);
      child.send({ id, request: what });
    });
  const told = ({ text, error }: AgentAnswer): string => {
    if (text !== undefined) return text;
    if (error === "ECONNREFUSED") return "refused";
    return error === "ABORT_ERR" ? "silence" : String(error);
  };
  const ask = async (
    host: string,
    port: number,
    timeoutMs: number,
    options: AskOptions = {},
  ): Promise<string> => {
    const { protocol = "tcp", from } = options;
    return told(await request({ do: "ask", protocol, host, port, from, timeoutMs }));
  };
  return {
    namespace,
    address,
    address6,
    async serve(protocol, port, name) {
      const { error } = await request({ do: "serve", protocol, port, name });
      if (error) throw new Error(error);
    },
    ask: (host, port, options) => ask(host, port, PATIENCE, options),
    askInVain: (host, port, options) => ask(host, port, SILENCE, options),
    async connect(host, port) {
      const connection = ++last;
      const { error } = await request({ do: "open", connection, host, port });
      if (error) throw new Error(error);
      return async () => told(await request({ do: "say", connection, timeoutMs: PATIENCE }));
    },
    async get(url) {
      const { text, error } = await request({ do: "get", url });
      if (text === undefined) throw new Error(error);
      return JSON.parse(text);
    },
  };
}
